"""The widget's looks: colours of a theme that can be read, and structure without colour."""

from __future__ import annotations

import pytest
from rich.color import ColorType
from textual.color import Color

from tests.widgets.transcript.host import SIZE, Host, settled
from tests.widgets.transcript.sample import reply
from tui_chat.widgets.transcript.palette import COMPONENTS, Palette, contrast


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
