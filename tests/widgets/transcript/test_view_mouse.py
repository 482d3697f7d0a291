"""The widget by the mouse: clicks, links, and text that is selected to be copied."""

from __future__ import annotations

from textual.pilot import Pilot

from tests.widgets.transcript.host import SIZE, Host, settled
from tests.widgets.transcript.sample import reply
from tui_chat.core.conversation import said
from tui_chat.widgets.transcript import Transcript


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
