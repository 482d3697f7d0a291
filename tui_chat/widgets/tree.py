"""The tree of a conversation over a room: one line for each message, to choose which branch is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from tui_chat.core.conversation import Conversation, Message
from tui_chat.core.outline import Limb, outline
from tui_chat.core.text import one_line
from tui_chat.widgets.bars import Keyline
from tui_chat.widgets.captions import sent, speaker
from tui_chat.widgets.dialogs import Modal
from tui_chat.widgets.roll import Roll
from tui_chat.widgets.tones import FAINT, MUTED

_ENDED = ("complete", "streaming")


def tree_line(limb: Limb, room: int) -> Content:
    """A message in `room` cells: its place, who speaks, its first words; how it was made at the right."""
    message = limb.message
    guide = limb.guide
    if len(guide) > room // 3:
        guide = "…" + guide[-(room // 3) :]
    mark = "● " if limb.read else ""
    facts = _facts(message, room // 3)
    head = one_line(speaker(message), 24) if message.setup is None else ""
    words = one_line(message.content or message.error or message.reasoning, room)
    style = "bold" if message.role == "user" else ""
    left = Content.assemble(
        (guide, FAINT),
        (mark, "$text-success"),
        (f"{head}: " if head else "", style or MUTED),
        (words, "" if limb.read else MUTED),
    )
    left = left.truncate(room - cell_len(facts) - (2 if facts else 0), ellipsis=True, pad=True)
    return Content.assemble(left, "  " if facts else "", (facts, MUTED))


def _facts(message: Message, room: int) -> str:
    """How a reply ended, where that was not as it should, what model it is of, its parameters."""
    parts = [] if message.status in _ENDED else [str(message.status)]
    if message.setup is not None:
        parts += [one_line(speaker(message), 24), sent(message, message.setup)]
    return one_line(" · ".join(part for part in parts if part), max(8, room))


class Limbs(Roll[Limb]):
    """The lines; nothing is marked in it."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "mark"


class TreeDialog(Modal[str | None]):
    """Dismissed with the id of the message whose branch is to be read, or with None."""

    DEFAULT_CSS = """
    TreeDialog {
        align: center middle;
        & > Vertical {
            width: 110; max-width: 100%; height: 90%;
            border: round $primary; border-title-color: $text; background: $surface; padding: 0 1;
        }
        & Limbs { height: 1fr; background: $surface; }
        & Keyline { background: $surface; padding: 0; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "read", "Read this branch", id="tree.read"),
        Binding("escape,t,q", "dismiss(None)", "Back", key_display="esc", id="tree.back"),
    ]

    def __init__(self, conversation: Conversation, at: str) -> None:
        """`at` is the message on which the cursor begins."""
        super().__init__()
        self._limbs = outline(conversation)
        self._at = at
        self._roll: Limbs = Limbs(self._drawn)

    def _drawn(self, limb: Limb, room: int) -> Sequence[Content]:
        return (tree_line(limb, room),)

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            count = len(self._limbs)
            box.border_title = f"The tree: {count} message{'' if count == 1 else 's'}, ● is read"
            yield self._roll
            yield Keyline()

    def on_mount(self) -> None:
        self._roll.show(self._limbs, at=self._at)

    def action_read(self) -> None:
        limb = self._roll.at_cursor
        if limb is not None:
            self.dismiss(limb.message.id)

    @on(Roll.Chosen)
    def _clicked(self) -> None:
        self.action_read()
