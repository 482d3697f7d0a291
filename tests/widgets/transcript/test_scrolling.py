"""What the transcript relies on in Textual beyond its documented interface."""

from __future__ import annotations

import inspect
import subprocess
import sys

from textual.app import App, ComposeResult
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.widget import Widget

from tui_chat.widgets.transcript.scrolling import PlacedScrollView


class Host(App[None]):
    CSS = "PlacedScrollView { overflow-x: hidden; overflow-y: scroll; scrollbar-gutter: stable; }"

    def compose(self) -> ComposeResult:
        yield PlacedScrollView()


def test_the_inner_names_of_textual_are_still_there() -> None:
    assert list(inspect.signature(Widget._scroll_update).parameters) == ["self", "virtual_size"]
    assert (
        inspect.signature(Widget._scroll_to).parameters.keys()
        == inspect.signature(PlacedScrollView._scroll_to).parameters.keys()
    )
    assert "self._scroll_to(" in inspect.getsource(ScrollView.scroll_to)


async def test_placing_changes_height_and_position_without_a_layout() -> None:
    app = Host()
    async with app.run_test(size=(20, 10)) as pilot:
        view = app.query_one(PlacedScrollView)
        await pilot.pause()
        layouts = view._layout_updates

        view.place(Size(19, 1_000), 300)
        await pilot.pause()

        assert view._layout_updates == layouts
        assert (view.max_scroll_y, view.scroll_offset.y) == (990, 300)
        assert view.vertical_scrollbar.position == 300
        assert view.vertical_scrollbar.window_virtual_size == 1_000


async def test_scrolling_arrives_at_once() -> None:
    app = Host()
    async with app.run_test(size=(20, 10)) as pilot:
        view = app.query_one(PlacedScrollView)
        await pilot.pause()
        view.place(Size(19, 1_000), 0)

        view.scroll_to(y=500)

        assert view.scroll_offset.y == 500


def test_importing_the_transcript_loads_no_parser() -> None:
    code = (
        "import sys, tui_chat.widgets.transcript\n"
        "print([m for m in ('markdown_it', 'pygments', 'rich.markdown', 'openai') if m in sys.modules])"
    )

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == "[]"
