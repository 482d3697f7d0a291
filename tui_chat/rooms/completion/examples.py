"""The course's examples, one key away: what a model does with a text, and what a chat makes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tui_chat.core.conversation import Setup
from tui_chat.widgets.picker import Line, Picker


@dataclass(frozen=True)
class Example:
    """A text to begin with."""

    key: str
    name: str
    about: str
    text: str
    stop: tuple[str, ...] = ()
    """Stop sequences that it is about."""
    both: bool = False
    """Whether it is asked of the chat too, side by side."""

    def applied_to(self, setup: Setup) -> Setup:
        """The setup with what the example is about."""
        if not self.stop:
            return setup
        return replace(setup, params=setup.params.changed("stop", self.stop))


LIST = "Here are the names of 20 fruits:\n\n1. Apple\n2. Banana\n3."
EXAMPLES = (
    Example(
        "unicorn",
        "Era uma vez, um unicórnio",
        "A story's first words, continued at once. F5 again: another story.",
        "Era uma vez, um unicórnio",
    ),
    Example(
        "capital",
        "Qual é a capital do Brasil?",
        "Asked of both at once: the chat answers, the text only goes on. Both are kept among the saved.",
        "Qual é a capital do Brasil?",
        both=True,
    ),
    Example(
        "list",
        "A list cut at ten",
        "Sets the stop sequence 11 and continues a list: it ends before item 11, and 11 is not in it.",
        LIST,
        stop=("11",),
    ),
)


def example(key: str) -> Example:
    """The example with this key."""
    return next(one for one in EXAMPLES if one.key == key)


class ExamplePicker(Picker):
    """Choose an example; dismissed with its key."""

    title_words = "Examples"

    def __init__(self) -> None:
        super().__init__([Line(one.key, one.name, about=one.about) for one in EXAMPLES])
