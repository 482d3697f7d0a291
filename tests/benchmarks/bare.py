"""The floor that the program is measured against: a Textual app with one text area and nothing else."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import TextArea


class Bare(App[None]):
    def compose(self) -> ComposeResult:
        yield TextArea("the floor")


if __name__ == "__main__":
    Bare().run()
