"""The widget by keys: scrolling, the cursor on a message, folds."""

from __future__ import annotations

from tests.widgets.transcript.host import SIZE, Host, lines, settled
from tests.widgets.transcript.sample import conversation, reply
from tui_chat.core.conversation import said
from tui_chat.widgets.transcript import Transcript


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


async def test_an_empty_transcript_takes_every_key() -> None:
    app = Host()
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.focus()
        await pilot.press("j", "k", "g", "G", "enter", "pageup", "pagedown", "home", "end")
        await pilot.click(Transcript, offset=(3, 3))

        assert app.transcript.message_at_cursor() is None
        assert not any(app.rows)
