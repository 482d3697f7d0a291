"""What is behind other widgets is drawn once for all its rows, and looks as if each was drawn."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.widgets import Static

from tui_chat.widgets.backdrop import Backdrop, Frame


class Framed(App[None]):
    CSS = """
    #framed { border: round red; border-title-color: green; padding: 1 2; background: blue; }
    #plain { background: yellow; }
    """

    def compose(self) -> ComposeResult:
        with Frame(id="framed") as frame:
            frame.border_title, frame.border_subtitle = "above", "below"
            yield Static("words")
        with Frame(id="plain"):
            yield Static("words")


CROPS = [(0, 0, 40, 12), (0, 0, 40, 1), (3, 0, 9, 3), (0, 1, 40, 10), (5, 4, 1, 7), (0, 10, 40, 2)]


@pytest.mark.parametrize("crop", CROPS)
@pytest.mark.parametrize("name", ["framed", "plain"])
async def test_a_backdrop_is_drawn_as_each_of_its_rows_would_be(
    name: str, crop: tuple[int, int, int, int]
) -> None:
    async with Framed().run_test(size=(40, 24)) as pilot:
        frame = pilot.app.query_one(f"#{name}", Frame)
        assert frame.size.height + frame.gutter.height == 12
        region = Region(*crop)
        assert frame.render_lines(region) == super(Backdrop, frame).render_lines(region)
        frame.border_title = "another"
        frame.styles.background = "cyan"
        await pilot.pause()
        assert frame.render_lines(region) == super(Backdrop, frame).render_lines(region)


async def test_however_many_rows_there_are_few_are_drawn() -> None:
    async with Framed().run_test(size=(40, 400)) as pilot:
        for frame in pilot.app.query(Frame):
            height = frame.outer_size.height
            rows = frame.render_lines(Region(0, 0, 40, height))
            assert len(rows) == height == 200
            assert len({id(row) for row in rows}) <= 5
