"""Where one types what to look for: moves the list, completes filters, and deletes at its end."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.reactive import reactive
from textual.suggester import Suggester
from textual.widget import Widget
from textual.widgets import Input

from tui_chat.core.filters import whole_words
from tui_chat.core.query import Known, completions, help_line
from tui_chat.core.text import one_line

MOST_SHOWN = 12
"""Completions that the help line names."""


class FilterSuggester(Suggester):
    """Shows behind the cursor how the filter that is being typed could go on."""

    def __init__(self, field: SearchField) -> None:
        # The names of models and tags come later: nothing may be kept from before.
        super().__init__(use_cache=False, case_sensitive=True)
        self._field = field

    async def get_suggestion(self, value: str) -> str | None:
        return self._field.completed(value)


class SearchField(Input):
    """One line; `known` says which models, endpoints, tags and presets there are to complete."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "submit",
            "Open",
            tooltip="Open what the list's cursor is on",
            id="search.open",
        ),
        Binding(
            "tab",
            "complete",
            "Complete",
            show=False,
            tooltip="Complete the filter that is being typed",
            id="search.complete",
        ),
        Binding("tab", "app.focus_next", "List", tooltip="Else to the list", id="search.list"),
        Binding(
            "up",
            "screen.move(-1)",
            "Up",
            show=False,
            key_display="↑ ↓",
            tooltip="Move the list's cursor",
            id="search.up",
        ),
        Binding("down", "screen.move(1)", "Down", show=False, id="search.down"),
        Binding("pageup", "screen.page(-1)", "Page up", show=False, id="search.page_up"),
        Binding("pagedown", "screen.page(1)", "Page down", show=False, id="search.page_down"),
        Binding(
            "delete",
            "delete_line",
            "Delete",
            key_display="del",
            tooltip="At the end of the words: delete what the list's cursor is on",
            id="search.delete_line",
        ),
        Binding("ctrl+d", "delete_right", show=False, id="search.delete_right"),
    ]

    def __init__(self, text: str, placeholder: str) -> None:
        super().__init__(
            text, placeholder=placeholder, select_on_focus=False, suggester=FilterSuggester(self)
        )
        self.known = Known()

    def completed(self, text: str) -> str | None:
        """The text with the filter at its end completed; None where there is nothing to complete."""
        for one in completions(text, len(text), self.known):
            whole = text[: one.start] + one.replacement + text[one.end :]
            # What is shown behind the cursor must go on from what was typed.
            if whole != text and whole.startswith(text):
                return whole
        return None

    def help(self, width: int) -> str:
        """What the word at the cursor could become, else what it means; one line of so many cells."""
        text, cursor = self.value, self.cursor_position
        found = completions(text, cursor, self.known)
        if not found:
            return help_line(text, cursor, width)
        if len(found) == 1 and found[0].words:
            return whole_words(f"{found[0].replacement} {found[0].words}", width)
        offered = "  ".join(one_line(one.replacement) for one in found[:MOST_SHOWN])
        return whole_words(f"tab: {offered}", width)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "complete":
            at_end = self.cursor_position >= len(self.value)
            return at_end and self.completed(self.value) is not None
        if action == "submit":
            return bool(self.screen.check_action("open", ()))
        if action == "delete_line":
            at_end = self.cursor_position >= len(self.value)
            return at_end and bool(self.screen.check_action("delete", ()))
        return True

    def action_complete(self) -> None:
        if whole := self.completed(self.value):
            self.value = whole
            self.cursor_position = len(whole)

    async def action_delete_line(self) -> None:
        await self.run_action("screen.delete")


class HelpLine(Widget):
    """Under the search field: what is wrong with the query, else what can be typed; whole words of it."""

    DEFAULT_CSS = """
    HelpLine { height: 1; padding: 0 1; color: $text-muted; &.-wrong { color: $text-warning; } }
    """

    trouble: reactive[str] = reactive("")

    def __init__(self, field: SearchField) -> None:
        super().__init__()
        self._field = field

    def watch_trouble(self, trouble: str) -> None:
        self.set_class(bool(trouble), "-wrong")

    def render(self) -> Content:
        width = self.content_size.width
        if self.trouble:
            return Content(whole_words(self.trouble, width))
        return Content(self._field.help(width))
