"""The widget while something is found: what is marked on the screen, and the keys from match to match."""

from __future__ import annotations

import re

import pytest
from rich.color import ColorType
from rich.style import Style
from textual.color import Color
from textual.pilot import Pilot

from tests.rooms.house import wait_until
from tests.widgets.transcript.host import SIZE, Host, lines, settled
from tests.widgets.transcript.sample import conversation, finished, reply, streaming
from tui_chat.core.conversation import said
from tui_chat.core.query import parse
from tui_chat.widgets.transcript import Transcript
from tui_chat.widgets.transcript.matches import Find
from tui_chat.widgets.transcript.palette import contrast


class FindingHost(Host):
    def __init__(self) -> None:
        super().__init__()
        self.ends: list[int] = []

    def on_transcript_no_match(self, event: Transcript.NoMatch) -> None:
        self.ends.append(event.step)


def word(pattern: str) -> Find:
    return lambda text: [match.span() for match in re.finditer(pattern, text)]


def cells(app: Host, attribute: str) -> list[str]:
    """The texts on the screen whose style has this, row by row."""
    height = app.transcript.size.height
    return [
        text
        for y in range(height)
        if (
            text := "".join(
                segment.text
                for segment in app.transcript.render_line(y)
                if segment.style and getattr(segment.style, attribute)
            )
        )
    ]


def present(app: Host) -> list[str]:
    return cells(app, "reverse")


def row_of(app: Host, text: str) -> int:
    return next(y for y, row in enumerate(app.rows) if text in row)


async def show(app: Host, pilot: Pilot[None], *messages: object, find: str) -> None:
    app.transcript.load(messages)  # type: ignore[arg-type]
    app.transcript.focus()
    app.transcript.find(word(find))
    await settled(pilot)


async def test_what_is_found_is_marked_until_it_is_ended() -> None:
    app = FindingHost()
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load([reply("some **lazy** dog"), said("user", "Lazy")])
        await settled(pilot)
        before = [app.transcript.render_line(y) for y in range(8)]
        app.transcript.find(parse("laz").spans)
        await settled(pilot)
        during = cells(app, "underline")
        app.transcript.find(None)
        await settled(pilot)

        assert during == ["laz", "Laz"]
        assert [app.transcript.render_line(y) for y in range(8)] == before


async def test_only_what_is_on_the_screen_is_looked_at() -> None:
    app = FindingHost()
    asked: list[str] = []

    def find(text: str) -> list[tuple[int, int]]:
        asked.append(text)
        return []

    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load([said("user", f"word {n}") for n in range(10_000)])
        await settled(pilot)
        app.transcript.find(find)
        await settled(pilot)
        shown = len(asked)
        app.transcript.refresh()
        await settled(pilot)
        again = len(asked)
        app.transcript.find(None)
        app.transcript.scroll_home(animate=False)
        await settled(pilot)

        assert 0 < shown < 30
        assert again == shown == len(asked)


async def test_without_anything_to_find_rows_are_drawn_once_as_ever() -> None:
    app = FindingHost()
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load(conversation(20))
        await settled(pilot)
        strips = [app.transcript.render_line(y) for y in range(20)]
        app.transcript.refresh()
        await settled(pilot)

        assert all(app.transcript.render_line(y) is strip for y, strip in enumerate(strips))
        assert app.transcript._matches._found == {}


async def test_keys_go_from_match_to_match_across_messages_and_say_where_it_ends() -> None:
    app = FindingHost()
    messages = [said("user", f"{lines(f'row {n}', 15)}\nhit {n}") for n in range(5)]
    async with app.run_test(size=SIZE) as pilot:
        await show(app, pilot, *messages, find=r"hit \d")
        await pilot.press("g")
        seen = []
        for key in ("n", "n", "n", "N", "n", "n", "n"):
            await pilot.press(key)
            await settled(pilot)
            seen.append((present(app), app.transcript.cursor))

        order = [0, 1, 2, 1, 2, 3, 4]
        assert seen == [([f"hit {n}"], messages[n].id) for n in order]
        await pilot.press("n")
        await settled(pilot)
        assert app.ends == [1]
        assert present(app) == ["hit 4"]
        assert app.transcript.next_match(1) is False
        assert app.transcript.next_match(-1) is True


async def test_the_match_is_shown_with_what_is_around_it() -> None:
    app = FindingHost()
    async with app.run_test(size=SIZE) as pilot:
        rows = [f"row {n}" for n in range(60)]
        rows[30] = "the hit"
        await show(app, pilot, reply("\n".join(rows)), find="hit")
        assert app.transcript.next_match(1)
        await settled(pilot)
        assert row_of(app, "the hit") == SIZE[1] // 3


async def test_after_the_cursor_was_moved_it_goes_on_from_there() -> None:
    app = FindingHost()
    messages = [said("user", f"hit {n} hit") for n in range(30)]
    async with app.run_test(size=SIZE) as pilot:
        await show(app, pilot, *messages, find="hit")
        await pilot.press("g", "n", "G")
        await settled(pilot)
        app.transcript.next_match(-1)
        assert app.transcript.cursor == messages[29].id
        await pilot.press("g")
        app.transcript.next_match(1)
        assert app.transcript.cursor == messages[0].id


@pytest.mark.parametrize(
    "message",
    [
        said("user", lines("row", 200) + "\nthe hit\n" + lines("more", 30)),
        said("user", "word " * 3_000 + "the hit " + "word " * 3_000),
        reply("answer", lines("thought", 90) + "\nthe hit\n" + lines("more", 30)),
    ],
)
async def test_a_match_in_what_is_folded_is_unfolded(message: object) -> None:
    app = FindingHost()
    async with app.run_test(size=SIZE) as pilot:
        await show(app, pilot, said("user", "first"), message, said("user", "last"), find="hit")
        await pilot.press("g")
        assert app.transcript.next_match(1)
        await settled(pilot)

        assert present(app) == ["hit"]
        assert row_of(app, "the hit") == SIZE[1] // 3
        assert app.transcript.next_match(1) is False


async def test_a_match_before_the_fold_unfolds_nothing() -> None:
    app = FindingHost()
    async with app.run_test(size=SIZE) as pilot:
        await show(app, pilot, reply("the hit", "thought"), find="hit")
        app.transcript.next_match(1)
        await settled(pilot)
        assert app.rows[1:3] == ["▸ Reasoning · 1 words", "the hit"]
        assert present(app) == ["hit"]


async def test_the_first_match_of_a_message_is_shown_or_its_head() -> None:
    app = FindingHost()
    messages = [said("user", lines(f"m{n} row", 30)) for n in range(10)]
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load(messages)
        app.transcript.find(word("m4 row 15"))
        app.transcript.show_match(messages[4].id)
        await settled(pilot)
        at_match = present(app), row_of(app, "m4 row 15"), app.transcript.cursor
        app.transcript.show_match(messages[7].id)
        await settled(pilot)

        assert at_match == (["m4 row 15"], SIZE[1] // 3, messages[4].id)
        assert app.rows[:2] == ["You", "m7 row 0"]
        app.transcript.show_match("nobody")


async def test_a_match_asked_for_before_there_is_a_screen_is_shown_once_there_is() -> None:
    messages = [said("user", lines(f"m{n} row", 30)) for n in range(10)]

    class Early(FindingHost):
        def on_mount(self) -> None:
            self.transcript.load(messages)
            self.transcript.find(word("m4 row 15"))
            self.transcript.show_match(messages[4].id)

    app = Early()
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        assert present(app) == ["m4 row 15"]


async def test_the_keys_are_there_only_while_something_is_found() -> None:
    app = FindingHost()
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load([said("user", "hit")])
        app.transcript.focus()
        await settled(pilot)
        without = set(app.screen.active_bindings)
        app.transcript.find(word("hit"))
        await settled(pilot)
        during = set(app.screen.active_bindings)
        app.transcript.find(None)
        await settled(pilot)

        assert during - without == {"n", "N"}
        assert set(app.screen.active_bindings) == without
        assert app.transcript.next_match(1) is False


async def test_to_find_the_same_again_keeps_the_place() -> None:
    app = FindingHost()
    find = word("hit")
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load([said("user", "hit one"), said("user", "hit two")])
        app.transcript.find(find)
        app.transcript.focus()
        await pilot.press("g", "n")
        app.transcript.find(find)
        await pilot.press("n")
        await settled(pilot)
        assert app.transcript.cursor == app.transcript.messages[1].id


async def test_nothing_is_found_in_an_empty_transcript() -> None:
    app = FindingHost()
    async with app.run_test(size=SIZE) as pilot:
        await show(app, pilot, find="hit")
        await pilot.press("n", "N")
        assert app.ends == [1, -1]


async def test_the_present_match_stays_through_growth_and_resizing() -> None:
    app = FindingHost()
    message = streaming()
    text = lines("row", 30) + "\nthe hit\n" + lines("more", 30)
    async with app.run_test(size=SIZE) as pilot:
        await show(app, pilot, said("user", "question"), find="hit")
        app.transcript.begin(message)
        app.transcript.append(text)
        await settled(pilot)
        app.transcript.next_match(1)
        await settled(pilot)
        place = row_of(app, "the hit")
        app.transcript.append("\n\nanother hit " + "word " * 200)
        await wait_until(lambda: len(app.transcript._pending) == 0)
        await settled(pilot)
        grown = place, row_of(app, "the hit"), present(app)
        app.transcript.end(finished(message, text + "\n\nanother hit"))
        await pilot.resize_terminal(40, 20)
        await settled(pilot)
        resized = present(app)
        app.transcript.next_match(1)
        await settled(pilot)

        assert grown == (SIZE[1] // 3, SIZE[1] // 3, ["hit"])
        assert resized == ["hit"]
        assert app.rows[row_of(app, "another hit")]
        assert app.transcript.next_match(1) is False


async def test_a_match_at_the_end_stays_on_its_row_while_text_arrives() -> None:
    app = FindingHost()
    message = streaming()
    async with app.run_test(size=SIZE) as pilot:
        await show(app, pilot, find="hit")
        app.transcript.begin(message)
        app.transcript.append(lines("row", 30) + "\n\nthe hit")
        await settled(pilot)
        app.transcript.next_match(1)
        await settled(pilot)
        before = row_of(app, "the hit")
        app.transcript.append("\n\n" + lines("more", 30))
        await wait_until(lambda: len(app.transcript._pending) == 0)
        await settled(pilot)
        assert row_of(app, "the hit") == before


async def test_what_is_selected_looks_the_same_with_a_match_in_it() -> None:
    app = FindingHost()
    async with app.run_test(size=SIZE) as pilot:
        await show(app, pilot, said("user", "some hit text"), find="hit")
        app.transcript.next_match(1)
        app.transcript.text_select_all()
        await settled(pilot)
        selected = {
            (segment.style.color, segment.style.bgcolor, segment.style.reverse)
            for segment in app.transcript.render_line(1)
            if segment.style and segment.text.strip() in ("some", "hit", "text")
        }
        assert len({(ground, bool(turned)) for _, ground, turned in selected}) == 1
        assert app.screen.get_selected_text() == "You\nsome hit text"


@pytest.mark.parametrize(
    "theme", ["textual-dark", "textual-light", "dracula", "ansi-dark", "ansi-light"]
)
async def test_matches_are_told_apart_in_every_theme_and_without_colour(theme: str) -> None:
    app = FindingHost()
    async with app.run_test(size=SIZE) as pilot:
        app.theme = theme
        await show(app, pilot, said("user", "a hit and a hit"), find="hit")
        app.transcript.next_match(1)
        await settled(pilot)
        styles = [segment.style for segment in app.transcript.render_line(1) if segment.style]
        by_kind = [style for style in styles if style.bold]

        assert [bool(style.reverse) for style in by_kind] == [True, False]
        assert [bool(style.underline) for style in by_kind] == [False, True]
        for style in by_kind:
            assert readable(style)


def readable(style: Style) -> bool:
    one, other = style.color, style.bgcolor
    if one is None or other is None or {one.type, other.type} != {ColorType.TRUECOLOR}:
        return one != other
    return contrast(Color.from_rich_color(one), Color.from_rich_color(other)) >= 4.5
