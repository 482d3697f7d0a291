"""The widget: what is on the screen when messages, keys, the mouse or another size come."""

from __future__ import annotations

import pytest
from rich.color import ColorType
from textual.app import App, ComposeResult
from textual.color import Color
from textual.pilot import Pilot

from tests.widgets.transcript.sample import (
    EVERYTHING,
    caption,
    conversation,
    finished,
    reply,
    streaming,
)
from tui_chat.core.conversation import Message, said
from tui_chat.widgets.transcript import Caption, Transcript
from tui_chat.widgets.transcript.palette import COMPONENTS, Palette, contrast

SIZE = (63, 20)


class Host(App[None]):
    AUTO_FOCUS = None

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.moved: list[str | None] = []
        self.opened: list[str] = []

    def compose(self) -> ComposeResult:
        yield Transcript(self.caption)

    def caption(self, message: Message) -> Caption:
        self.asked += 1
        return caption(message)

    @property
    def transcript(self) -> Transcript:
        return self.query_one(Transcript)

    @property
    def rows(self) -> list[str]:
        """The rows on the screen, without the mark of the cursor."""
        height = self.transcript.size.height
        return [self.transcript.render_line(y).text[2:].rstrip() for y in range(height)]

    @property
    def marked(self) -> list[str]:
        """The rows that carry the mark of the cursor."""
        strips = [self.transcript.render_line(y) for y in range(self.transcript.size.height)]
        return [strip.text[2:].rstrip() for strip in strips if strip.text[0] == "▌"]

    def on_transcript_moved(self, event: Transcript.Moved) -> None:
        self.moved.append(event.id)

    def on_transcript_link_opened(self, event: Transcript.LinkOpened) -> None:
        self.opened.append(event.url)


def lines(word: str, count: int) -> str:
    return "\n".join(f"{word} {n}" for n in range(count))


async def settled(pilot: Pilot[None]) -> None:
    await pilot.pause()


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


async def test_scrolling_by_a_row_moves_the_screen_by_a_row() -> None:
    app = Host()
    async with app.run_test(size=SIZE):
        app.transcript.load(conversation(200))
        before = app.rows
        for _ in range(200):
            app.transcript.scroll_relative(y=-1, animate=False)
            after = app.rows
            assert after[1:] == before[:-1]
            assert app.transcript.scroll_offset.y == round(app.transcript.scroll_target_y)
            before = after


async def test_page_keys_and_ends_scroll_and_leave_the_cursor() -> None:
    app = Host()
    messages = conversation(60)
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load(messages)
        app.transcript.focus()
        await settled(pilot)
        end = app.rows
        cursor = app.transcript.cursor
        seen = [end]
        for key in ("pageup", "pageup", "pagedown", "home", "end"):
            await pilot.press(key)
            await settled(pilot)
            seen.append(app.rows)

        assert seen[1] == seen[3] != seen[2]
        assert seen[4][:2] == ["You", "question 0"]
        assert seen[5] == end
        assert app.transcript.cursor == cursor == messages[-1].id


async def test_the_cursor_moves_by_messages_and_is_told() -> None:
    app = Host()
    messages = conversation(40)
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load(messages)
        app.transcript.focus()
        await settled(pilot)
        at = [app.transcript.cursor]
        for key in ("k", "up", "j", "g", "k", "down", "G", "j"):
            await pilot.press(key)
            await settled(pilot)
            at.append(app.transcript.cursor)
            assert app.marked

        order = [-1, -2, -3, -2, 0, 0, 1, -1, -1]
        assert at == [messages[place].id for place in order]
        assert app.moved == [messages[place].id for place in (-1, -2, -3, -2, 0, 1, -1)]
        assert app.transcript.message_at_cursor() == messages[-1]


async def test_the_cursor_is_marked_only_while_the_transcript_has_the_focus() -> None:
    app = Host()
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load([said("user", "one"), said("user", "two")])
        unfocused = app.marked
        app.transcript.focus()
        await settled(pilot)
        focused = app.marked
        app.set_focus(None)
        await settled(pilot)

        assert unfocused == []
        assert focused == ["You", "two"]
        assert app.marked == []


async def test_moving_to_a_message_scrolls_as_little_as_needed() -> None:
    app = Host()
    messages = [said("user", lines(word, 8)) for word in "abcd"]
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load(messages, at=messages[0].id)
        app.transcript.focus()
        await pilot.press("j")
        await settled(pilot)
        stayed = app.rows
        await pilot.press("j")
        await settled(pilot)

        assert stayed[:2] == ["You", "a 0"]
        assert app.rows[-2:] == ["c 7", ""]


async def test_moving_to_a_message_taller_than_the_screen_shows_its_beginning() -> None:
    app = Host()
    messages = [said("user", "a"), reply(lines("b", 50)), said("user", "c")]
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load(messages)
        app.transcript.focus()
        await pilot.press("k")
        await settled(pilot)

        assert app.rows[1] == "b 0"


async def test_the_cursor_stays_on_its_message_when_another_thread_is_loaded() -> None:
    app = Host()
    messages = conversation(6)
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load(messages)
        app.transcript.focus()
        await pilot.press("g")
        app.transcript.load(messages[:3])
        kept = app.transcript.cursor
        app.transcript.load(messages[3:])

        assert kept == messages[0].id
        assert app.transcript.cursor == messages[-1].id


async def test_enter_unfolds_reasoning_and_folds_it_again() -> None:
    app = Host()
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load([reply("answer", lines("thought", 50))])
        app.transcript.focus()
        await settled(pilot)
        folded = app.rows
        await pilot.press("enter")
        await settled(pilot)
        unfolded = app.rows
        await pilot.press("enter")
        await settled(pilot)

        assert folded[1:3] == ["▸ Reasoning · 100 words", "answer"]
        assert unfolded[1:4] == ["▾ Reasoning · 100 words", "│ thought 0", "│ thought 1"]
        assert app.rows == folded


async def test_a_click_on_a_fold_unfolds_it() -> None:
    app = Host()
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load([reply("answer", "deep thought")])
        await settled(pilot)
        await pilot.click(Transcript, offset=(4, 1))
        await settled(pilot)

        assert app.rows[2] == "│ deep thought"


async def test_a_click_moves_the_cursor() -> None:
    app = Host()
    messages = [said("user", "one"), said("user", "two")]
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load(messages)
        await settled(pilot)
        await pilot.click(Transcript, offset=(3, 1))
        await settled(pilot)

        assert app.transcript.cursor == messages[0].id
        assert app.marked == ["You", "one"]


async def test_a_click_on_a_link_tells_its_true_address() -> None:
    app = Host()
    text = "[https://good.example](https://evil.example/x) and [file](file:///etc/passwd)"
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load([reply(text)])
        await settled(pilot)
        await pilot.click(Transcript, offset=(5, 1))
        await pilot.click(Transcript, offset=(30, 1))
        await settled(pilot)

        assert app.opened == ["https://evil.example/x"]


async def drag(pilot: Pilot[None], start: tuple[int, int], end: tuple[int, int]) -> str:
    """What is copied after dragging the mouse from one cell to another."""
    await pilot.mouse_down(Transcript, offset=start)
    await pilot.hover(Transcript, offset=end)
    await pilot.mouse_up(Transcript, offset=end)
    await pilot.pause()
    return pilot.app.screen.get_selected_text() or ""


async def test_a_dragged_selection_is_copied_without_the_breaks_of_rows() -> None:
    app = Host()
    words = " ".join(f"w{n}" for n in range(40))
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load([said("user", words), said("user", "second")])
        await settled(pilot)

        copied = await drag(pilot, (2, 1), (7, 6))

        assert copied == f"{words}\n\nYou\nsecond"


async def test_a_selection_that_starts_on_a_blank_row_or_a_gutter_starts_there() -> None:
    app = Host()
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load([said("user", "one"), said("user", "two")])
        await settled(pilot)

        assert await drag(pilot, (10, 2), (4, 4)) == "You\ntwo"
        assert await drag(pilot, (0, 4), (3, 4)) == "tw"
        assert await drag(pilot, (1, 4), (30, 12)) == "two"


async def test_a_selection_is_drawn_over_exactly_its_characters() -> None:
    app = Host()
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load([reply("- 日本語 text")])
        await settled(pilot)
        await drag(pilot, (6, 1), (8, 1))

        background = app.screen.get_component_rich_style("screen--selection").bgcolor
        strip = app.transcript.render_line(1)
        marked = [s.text for s in strip if s.style and s.style.bgcolor == background]
        assert "".join(marked) == "本語"


async def test_a_selection_outlives_another_width() -> None:
    app = Host()
    words = " ".join(f"w{n}" for n in range(40))
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load([reply(words)])
        await settled(pilot)
        before = await drag(pilot, (2, 1), (20, 2))
        await pilot.resize_terminal(40, 20)
        await settled(pilot)

        assert app.screen.get_selected_text() == before


async def test_a_double_click_selects_one_message() -> None:
    app = Host()
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load([said("user", "one"), said("user", "two")])
        await settled(pilot)
        await pilot.click(Transcript, offset=(3, 1), times=2)
        await settled(pilot)

        assert app.screen.get_selected_text() == "You\none"


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


async def test_another_theme_gives_other_colours() -> None:
    app = Host()
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load([reply("text")])
        app.theme = "textual-dark"
        await settled(pilot)
        dark = app.transcript.render_line(1)
        app.theme = "textual-light"
        await settled(pilot)
        light = app.transcript.render_line(1)

        assert dark.text == light.text
        assert [s.style for s in dark] != [s.style for s in light]


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "atom-one-light", "ansi-dark"])
async def test_every_colour_can_be_read(theme: str) -> None:
    app = Host()
    async with app.run_test(size=SIZE) as pilot:
        app.theme = theme
        await settled(pilot)
        colours = Palette(app.transcript)

        for name in COMPONENTS.keys() - {"cursor"}:
            style = colours.style(f"code {name}" if name.startswith("code") else name)
            assert style.color
            assert style.bgcolor
            if style.color.type is ColorType.TRUECOLOR is style.bgcolor.type:
                one, other = map(Color.from_rich_color, (style.color, style.bgcolor))
                assert contrast(one, other) >= 4.5


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


async def test_structure_does_not_depend_on_colour() -> None:
    app = Host()
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load([reply("# head\n\n[link](https://x.example) **bold** *em* ~~no~~")])
        await settled(pilot)
        styles = {
            s.text.strip(): s.style
            for y in range(5)
            for s in app.transcript.render_line(y)
            if s.style
        }

        assert styles["model · 0.7"].bold
        assert styles["head"].bold
        assert styles["link"].underline
        assert styles["bold"].bold
        assert styles["em"].italic
        assert styles["no"].strike


async def test_an_empty_transcript_takes_every_key() -> None:
    app = Host()
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.focus()
        await pilot.press("j", "k", "g", "G", "enter", "pageup", "pagedown", "home", "end")
        await pilot.click(Transcript, offset=(3, 3))

        assert app.transcript.message_at_cursor() is None
        assert not any(app.rows)
