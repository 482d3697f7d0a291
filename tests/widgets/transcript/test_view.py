"""The widget: what is on the screen when messages come, change or stream, and at another size."""

from __future__ import annotations

import pytest
from textual.app import ComposeResult

from tests.rooms.house import wait_until
from tests.widgets.transcript.host import SIZE, Host, lines, settled
from tests.widgets.transcript.sample import EVERYTHING, conversation, finished, reply, streaming
from tui_chat.core.conversation import Message, said
from tui_chat.widgets.transcript import Caption, Transcript


async def test_loading_scrolls_to_the_end() -> None:
    app = Host()
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load([said("user", lines("a", 15)), said("user", lines("b", 30))])
        await settled(pilot)

        assert app.rows[-2:] == ["b 29", ""]


async def test_loading_at_a_message_shows_it_at_the_top() -> None:
    app = Host()
    messages = conversation(50)
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load(messages, at=messages[20].id)
        await settled(pilot)

        assert app.rows[:2] == ["You", "question 20"]
        assert app.transcript.cursor == messages[20].id


async def test_messages_loaded_before_the_first_screen_are_shown_on_it() -> None:
    messages = conversation(50)

    class Early(Host):
        def compose(self) -> ComposeResult:
            transcript = Transcript(self.caption)
            transcript.load(messages, at=messages[10].id)
            yield transcript

    app = Early()
    async with app.run_test(size=SIZE):
        assert app.rows[:2] == ["You", "question 10"]


async def test_ten_thousand_messages_are_not_opened() -> None:
    app = Host()
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load(conversation(10_000))
        await settled(pilot)

        assert 0 < app.asked < 25


async def test_text_streams_in_at_the_end_and_the_end_is_followed() -> None:
    app = Host()
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load([said("user", lines("a", 15))])
        message = streaming()
        app.transcript.begin(message)
        waiting = app.rows
        app.transcript.append(lines("b", 20))
        await settled(pilot)

        assert "…" in waiting
        assert app.rows[-3:] == ["b 19", "  streaming", ""]

        app.transcript.end(finished(message, lines("b", 20) + "\nlast"))
        await settled(pilot)

        assert app.rows[-3:] == ["last", "  complete", ""]


async def test_text_that_was_not_drawn_yet_is_among_the_messages() -> None:
    app = Host()
    async with app.run_test(size=SIZE):
        app.transcript.begin(streaming())
        for piece in ("one ", "two ", "three"):
            app.transcript.append(piece)
        app.transcript.append("why", reasoning=True)

        assert app.transcript.messages[-1].content == "one two three"
        assert app.transcript.messages[-1].reasoning == "why"


async def test_pieces_that_come_in_a_flood_are_drawn_together() -> None:
    app = Host()
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.begin(streaming())
        for _ in range(500):
            app.transcript.append("word ")
        at_once = " ".join(app.rows).count("word")
        while " ".join(app.rows).count("word") == at_once:
            await pilot.pause(0.01)

        assert at_once == 1
        assert len(app.transcript.messages[-1].content.split()) == 500


async def test_a_reader_above_is_not_disturbed_by_a_reply() -> None:
    app = Host()
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load(conversation(30))
        app.transcript.begin(streaming())
        await settled(pilot)
        app.transcript.scroll_relative(y=-30, animate=False)
        await settled(pilot)
        before = app.rows
        for _ in range(20):
            app.transcript.append(EVERYTHING)
            assert app.transcript.messages

        await settled(pilot)
        assert app.rows == before


async def test_what_a_person_sends_is_shown_at_the_end() -> None:
    app = Host()
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load(conversation(30))
        app.transcript.scroll_home(animate=False)
        await settled(pilot)

        app.transcript.begin(said("user", "sent now"), follow=True)
        await settled(pilot)

        assert app.rows[-3:] == ["You", "sent now", ""]


async def test_a_late_piece_of_another_conversation_is_not_shown() -> None:
    app = Host()
    async with app.run_test(size=SIZE):
        message = streaming()
        app.transcript.begin(message)
        app.transcript.append("old")
        app.transcript.load([said("user", "new")])
        app.transcript.append(" late")
        app.transcript.end(finished(message, "old late"))

        assert [m.content for m in app.transcript.messages] == ["new"]


@pytest.mark.parametrize("size", [(40, 20), (120, 20), (63, 8), (63, 40), (12, 5), (3, 3)])
async def test_another_size_keeps_the_place_or_the_end(size: tuple[int, int]) -> None:
    app = Host()
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load([said("user", lines("a", 9)) for _ in range(40)])
        await settled(pilot)
        await pilot.resize_terminal(*size)
        await settled(pilot)
        at_end = app.transcript.is_vertical_scroll_end

        app.transcript.scroll_relative(y=-60, animate=False)
        first = app.rows[0]
        await pilot.resize_terminal(*SIZE)
        await settled(pilot)

        assert at_end
        assert app.rows[0].startswith(first)


async def test_a_screen_that_changes_its_size_while_text_streams_shows_it_all() -> None:
    app = Host()
    message = streaming()
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.begin(message)
        for n in range(8):
            app.transcript.append(f"word{n} ")
            await pilot.resize_terminal(20 + n % 3 * 20, 20 + n % 2 * 10)
        app.transcript.end(finished(message, " ".join(f"word{n}" for n in range(8))))
        await pilot.resize_terminal(*SIZE)
        await settled(pilot)

        assert " ".join(app.rows[1:5]).split()[:8] == [f"word{n}" for n in range(8)]


async def test_no_width_is_too_small() -> None:
    app = Host()
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load([said("user", "question"), reply(EVERYTHING, "thought")])
        for width in range(1, 21):
            await pilot.resize_terminal(width, 10)
            await wait_until(lambda: app.transcript.size.width == width)  # noqa: B023
            app.transcript.scroll_relative(y=(-1) ** width * 7, animate=False)

            strips = [app.transcript.render_line(y) for y in range(10)]
            assert {strip.cell_length for strip in strips} == {width - 1}


async def test_replacing_a_message_shows_its_new_text() -> None:
    app = Host()
    message = said("user", "before")
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load([message])
        app.transcript.replace(Message(message.id, None, "user", "after"))
        app.transcript.replace(said("user", "of another conversation"))
        await settled(pilot)

        assert app.rows[:3] == ["You", "after", ""]


async def test_captions_are_asked_for_again() -> None:
    class Changing(Host):
        head = "before"

        def caption(self, message: Message) -> Caption:
            return Caption(self.head)

    app = Changing()
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load([said("user", "text")])
        before = app.rows[0]
        app.head = "after"
        app.transcript.refresh_captions()
        await settled(pilot)

        assert (before, app.rows[0]) == ("before", "after")


async def test_a_hidden_transcript_keeps_its_place() -> None:
    app = Host()
    messages = conversation(50)
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load(messages, at=messages[20].id)
        await settled(pilot)
        before = app.rows
        app.transcript.display = False
        await settled(pilot)
        app.transcript.begin(streaming())
        app.transcript.append("unseen")
        app.transcript.display = True
        await settled(pilot)

        assert app.rows == before
