"""What the names of styles look like in the theme of the moment.

Every colour is a variable of the theme, named in one place; what a theme would make too faint to
read is moved towards its text colour. They are no component classes of a style sheet: each of
those is styled again with the screen, which is felt at the first paint.
"""

from __future__ import annotations

from rich.color import ColorType
from rich.style import Style
from textual.color import Color
from textual.style import Style as ThemeStyle
from textual.widget import Widget

from tui_chat.widgets.tones import MUTED

COMPONENTS = {
    "head-user": "bold $text-accent",
    "head-assistant": "bold $text-primary",
    "head-system": "bold $text-secondary",
    "dim": MUTED,
    "error": "$text-error",
    "cursor": "$accent",
    "heading": "bold",
    "link": "underline $text-primary",
    "inline-code": "$text-warning",
    "marker": MUTED,
    "quote-bar": MUTED,
    "rule": MUTED,
    "code": "$foreground on $panel",
    "code-keyword": "bold $text-accent",
    "code-string": "$text-success",
    "code-comment": f"italic {MUTED}",
    "code-number": "$text-warning",
    "code-name": "$text-primary",
    "code-builtin": "$text-primary",
    "code-deleted": "$text-error",
    "match": "bold underline $text-warning on $warning-muted",
    "match-present": "bold reverse $text-warning on $background",
}
_CODE = "code"
"""Components whose names begin so are drawn on the background of this one."""
_OWN_GROUND = (_CODE, "match", "match-present")
"""The components with a background of their own."""
_CURSOR = "cursor"
"""The one component that is no text."""
_READABLE = 4.5
_PLAIN = {
    "strong": Style(bold=True),
    "em": Style(italic=True),
    "strike": Style(strike=True),
    "h1": Style(underline=True),
    "h4": Style(italic=True),
    "h5": Style(italic=True),
    "h6": Style(italic=True),
}
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


class Palette:
    """The styles of one theme; two palettes are equal when they draw alike."""

    def __init__(self, widget: Widget) -> None:
        self.base = widget.rich_style
        self._components = {name: _component(widget, name) for name in COMPONENTS}
        self._styles: dict[str, Style] = {"": self.base}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Palette):
            return NotImplemented
        return (self.base, self._components) == (other.base, other._components)

    def own(self, name: str) -> Style:
        """What a component adds to whatever style it is drawn over."""
        return self._components[name]

    def style(self, names: str) -> Style:
        """The style that these names add up to, on the widget's own colours."""
        style = self._styles.get(names)
        if style is None:
            style = self.base
            for name in names.split():
                if name in _HEADINGS:
                    style += self._components["heading"]
                style += _PLAIN.get(name) or self._components.get(name) or Style.null()
            self._styles[names] = style
        return style


def _component(widget: Widget, name: str) -> Style:
    """A component's own part of its style: no background but where it has one of its own."""

    def on(ground: ThemeStyle, name: str) -> ThemeStyle:
        return ground + ThemeStyle.parse(COMPONENTS[name], widget.app.theme_variables)

    plain = widget.visual_style
    code = on(plain, _CODE)
    style = on(plain, name).rich_style
    if name == _CURSOR:
        return Style(color=style.color)
    # Some of the terminal's own colours have no lighter shade: text of one would vanish on it.
    grounded = name in _OWN_GROUND and style.bgcolor != style.color
    own = Style(bgcolor=style.bgcolor) if grounded else Style.null()
    on_code = name.startswith(_CODE)
    return style.without_color + own + _readable(style, code.rich_style if on_code else style)


def _readable(style: Style, behind: Style) -> Style:
    """The colour of a style, made readable on a background."""
    colour, background = style.color, behind.bgcolor
    if colour is None or background is None:
        return Style(color=colour)
    if {colour.type, background.type} != {ColorType.TRUECOLOR}:
        # The terminal's own colours, which only the terminal knows.
        return Style(color=colour)
    ground = Color.from_rich_color(background)
    text = ground.get_contrast_text(1.0)
    wanted = Color.from_rich_color(colour)
    mixed = (wanted.blend(text, step / 10) for step in range(10))
    return Style(
        color=next((c for c in mixed if contrast(c, ground) >= _READABLE), text).rich_color
    )


def contrast(one: Color, other: Color) -> float:
    """The contrast of two colours as WCAG defines it, from 1 to 21."""
    darker, lighter = sorted(map(_luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Color) -> float:
    parts = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
        for part in colour.normalized
    )
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))
