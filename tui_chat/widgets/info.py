"""All that is known of how a message was made, to read and to copy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import TextArea

from tui_chat.core.conversation import (
    COUNT_FIELD,
    EDITED,
    LOGPROBS_FIELD,
    Message,
    Refusal,
    Setup,
    Usage,
)
from tui_chat.core.costs import Bill
from tui_chat.core.differences import differences, parts
from tui_chat.core.heeding import HELD
from tui_chat.core.params import label_of
from tui_chat.core.price import show_cost
from tui_chat.widgets.captions import speaker
from tui_chat.widgets.dialogs import Dialog
from tui_chat.widgets.meter import figure

_COLUMN = 18
_PARTS = ("Endpoint", "Model", "System prompt")
_OWN_FIELDS = {COUNT_FIELD: "Count of tokens", LOGPROBS_FIELD: "Probabilities"}
_SAID_BY = {
    "own": "as your settings say",
    "listed": "as its server's list of models says",
    "tables": "as the tables say that come along",
}
_NONE = "  none: the endpoint's own"


def about(message: Message, present: Setup | None = None, bill: Bill | None = None) -> str:
    """All that is known of a message, in lines of a name and what is there; what is not known is left out.

    `present` is what would be sent now, which a reply's setup is compared with; `bill` what it cost.
    """
    lines = _rows(_origin(message))
    if message.setup is not None:
        lines += ["", "Parameters sent", *(_rows(_sent(message, message.setup)) or [_NONE])]
        if refused := [one for one in message.refused if not one.sent_as]:
            lines += ["", "Left out", *_rows([_left_out(one) for one in refused])]
    if figures := _figures(message.usage):
        paid = _paid(message, bill) if bill is not None and message.setup is not None else []
        lines += ["", "Tokens and time", *_rows(figures + paid)]
    if message.setup is not None:
        lines += ["", "How it ended", *_rows(_ending(message))]
        if present is not None:
            lines += ["", *_compared(message, message.setup, present)]
    return "\n".join(lines)


def _rows(facts: list[tuple[str, str]]) -> list[str]:
    """One line for each fact; a text of several lines goes on under its beginning."""
    rows = []
    for name, words in facts:
        first, *more = words.split("\n")
        rows.append(f"  {name:<{_COLUMN}}{first}")
        rows += [f"  {'':<{_COLUMN}}{line}" for line in more]
    return rows


def _origin(message: Message) -> list[tuple[str, str]]:
    facts: list[tuple[str, str]] = []
    if message.setup is None:
        facts.append(("Who", speaker(message)))
    else:
        made = parts(message.setup)
        facts += [(name, made[name]) for name in _PARTS if name in made]
    if message.created:
        moment = datetime.fromtimestamp(message.created / 1000)
        facts.append(("When", f"{moment:%Y-%m-%d %H:%M:%S}"))
    facts.append(("Message", message.id))
    if message.begun:
        facts.append(
            ("Went on", f"from the first {message.begun:,} characters, which it was given")
        )
    if message.finish_reason == EDITED and message.setup is None:
        facts.append(("Written", "by a person, in place of a reply"))
    return facts


def _sent(message: Message, setup: Setup) -> list[tuple[str, str]]:
    """The parameters that the endpoint took, and what it wanted them called."""
    made = parts(setup.without(message.refused))
    facts = [(name, words) for name, words in made.items() if name not in _PARTS]
    renamed = [one for one in message.refused if one.sent_as]
    return facts + [(label_of(one.name), f"sent as {one.sent_as}: {one.words}") for one in renamed]


def _left_out(one: Refusal) -> tuple[str, str]:
    name = _OWN_FIELDS.get(one.name) or label_of(one.name)
    return name, one.words if one.words.startswith(HELD) else f"refused: {one.words}"


def _figures(usage: Usage) -> list[tuple[str, str]]:
    counts = (
        ("Prompt", usage.prompt_tokens),
        ("Reply", usage.completion_tokens),
        ("of it reasoning", usage.reasoning_tokens),
        ("Prompt, cached", usage.cached_tokens),
    )
    unit = "tokens, estimated here" if usage.estimated else "tokens"
    facts = [
        (name, f"{figure(count, exact=not usage.estimated)} {unit}")
        for name, count in counts
        if count is not None
    ]
    if usage.first_token_seconds is not None:
        facts.append(("To first token", f"{usage.first_token_seconds:.2f} s"))
    if usage.seconds is not None:
        facts.append(("In all", f"{usage.seconds:.2f} s"))
    if usage.tokens_per_second is not None:
        facts.append(("Speed", f"{usage.tokens_per_second:.1f} tokens per second"))
    return facts


def _paid(message: Message, bill: Bill) -> list[tuple[str, str]]:
    """What it cost, and by which price, said by whom."""
    if bill.priced is not None and bill.priced.source == "local":
        return [("Cost", "free: it was made on this machine")]
    if bill.priced is not None and bill.priced.price.free:
        cost = "free"
    else:
        cost = ("≈" if message.usage.estimated and bill.cost else "") + show_cost(bill.cost)
    if bill.priced is None:
        return [("Cost", cost)]
    price = f"{bill.priced.price.words} per million tokens,\n{_SAID_BY[bill.priced.source]}"
    return [("Cost", cost), ("Price", price)]


def _ending(message: Message) -> list[tuple[str, str]]:
    facts = [
        ("Status", message.status),
        ("Error", message.error),
        ("Finish reason", message.finish_reason),
        ("Request id", message.request_id),
    ]
    return [(name, words) for name, words in facts if words]


def _compared(message: Message, setup: Setup, present: Setup) -> list[str]:
    same = (setup.endpoint, setup.model) == (present.endpoint, present.model)
    # What this model refused, it would refuse again.
    mine = present.without(message.refused) if same else present
    found = differences(setup.without(message.refused), mine)
    if not found:
        return ["Same as the present setup"]
    lines = ["Differs from the present setup"]
    for one in found:
        lines += _rows([(one.part, one.theirs), ("  now", one.mine)])
    return lines


class InfoDialog(Dialog):
    """Dismissed with "use" when the setup is to be taken over."""

    DEFAULT_CSS = """
    InfoDialog {
        & > Vertical { width: 92; height: 90%; max-height: 40; }
        & TextArea, & TextArea:focus { height: 1fr; max-height: 100%; margin: 0; background: $surface; padding: 0; }
        & #trouble { display: none; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy_all", "Copy all", id="info.copy"),
        Binding("p", "use", "Use parameters", id="info.use"),
        Binding("enter,i,q", "dismiss(None)", "Close", show=False, id="info.close"),
    ]

    def __init__(
        self,
        message: Message,
        present: Setup | None,
        *,
        usable: bool,
        bill: Bill | None = None,
    ) -> None:
        """`usable` when the setup can be taken over."""
        kind = "this reply" if message.role == "assistant" else "this message"
        super().__init__(f"About {kind}", text=about(message, present, bill))
        self._usable = usable

    def content(self) -> Iterator[Widget]:
        yield TextArea(self._text, read_only=True, show_line_numbers=False, tab_behavior="focus")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self._usable if action == "use" else True

    def action_copy_all(self) -> None:
        self.app.copy_to_clipboard(self._text)

    def action_use(self) -> None:
        self.dismiss("use")
