"""The sidebar's rows as values: what stands where, read off a setup; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tui_chat.core.conversation import Setup
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.parameter import Parameter
from tui_chat.core.params import PARAMETERS
from tui_chat.core.text import one_line

if TYPE_CHECKING:
    from tui_chat.core.heeding import Heed

NOT_SET = "not set"
MORE = "more"
MODE = "mode"
"""The row that turns from chats to texts and back."""
NEXT = "next token"
"""The row that turns looks at the next token on and off."""
OFF = "off"

_PARTS = {
    "endpoint": "Where requests go. Enter chooses another endpoint or adds one.",
    "model": "Which model answers. Enter lists what the endpoint offers; any name can be typed.",
    MODE: "A chat, or one text that the model continues (F8).",
    "system": "What the model is told before the conversation begins. Enter edits it, del clears it.",
}
_NO_SYSTEM = "Not sent: a text has no system prompt. In the chat it is."
CLEARED: Mapping[str, Callable[[Setup], Setup]] = {
    "system": lambda setup: replace(setup, system=""),
}
"""The parts of a setup that can be empty, and how they become so."""


@dataclass(frozen=True)
class Row:
    """One line of the sidebar. `key` is a part of the setup, a parameter's name, MORE, or "" for a gap."""

    key: str
    label: str = ""
    value: str = ""
    explanation: str = ""
    parameter: Parameter | None = None
    is_set: bool = False
    problem: str = ""
    """Why it is not sent, or does nothing, in words; empty when it is heeded as far as is known."""
    dim: bool = False
    """Whether it does nothing."""
    held: bool = False
    """Whether it is set and not sent."""
    insisted: bool = False
    """Whether it is sent although it is known to be refused."""


def rows_for(
    setup: Setup,
    endpoint: Endpoint | None,
    heeds: Mapping[str, Heed],
    *,
    unfolded: bool,
    compact: bool = False,
    looking: str | None = None,
    completes: bool = False,
) -> tuple[Row, ...]:
    """All rows for this setup. `heeds` are the parameters that its model does not heed; `compact` leaves the
    gap out; `looking` says of what the next token is shown, OFF or None where it is not; `completes`
    where a text is continued, which has no system prompt."""
    texts = {
        "endpoint": setup.endpoint or "none yet",
        "model": setup.model or ("chosen at first message" if setup.endpoint else "none yet"),
        MODE: "○ Chat  ● Complete" if completes else "● Chat  ○ Complete",
        "system": one_line(setup.system) or "none",
    }
    rows = [
        Row(key, key.capitalize(), texts[key], _PARTS[key], is_set=bool(getattr(setup, key, True)))
        for key in _PARTS
    ]
    if completes:
        problem = _NO_SYSTEM if setup.system else ""
        rows[-1] = replace(rows[-1], explanation=_NO_SYSTEM, problem=problem)
    if not compact:
        rows.append(Row(""))
    rows += [
        _parameter_row(parameter, setup, heeds) for parameter in PARAMETERS if not parameter.more
    ]
    folded = [parameter for parameter in PARAMETERS if parameter.more]
    rows.append(_more_row(folded, setup, unfolded))
    if unfolded:
        rows += [_parameter_row(parameter, setup, heeds) for parameter in folded]
    if looking is not None:
        rows.append(_next_row(endpoint, looking))
    return tuple(rows)


def _next_row(endpoint: Endpoint | None, looking: str) -> Row:
    words = "What the next token is drawn from. Enter turns it on or off; d draws 100 samples."
    if endpoint is not None and not endpoint.free:
        words += f" At {one_line(endpoint.name, 30)} each look is a request that costs."
    return Row(NEXT, "Next token", looking or "on", words, is_set=looking != OFF)


def _more_row(folded: list[Parameter], setup: Setup, unfolded: bool) -> Row:
    names = ", ".join(parameter.label.lower() for parameter in folded)
    count = sum(parameter.name in setup.params for parameter in folded)
    note = f"{count} set" if count else "" if unfolded else names
    mark = "▾" if unfolded else "▸"
    return Row(MORE, f"{mark} More", note, f"Enter shows or hides {names}.", is_set=bool(count))


def _parameter_row(parameter: Parameter, setup: Setup, heeds: Mapping[str, Heed]) -> Row:
    value = setup.params.get(parameter.name)
    found = heeds.get(parameter.name)
    held = found is not None and found.held
    explanation, problem = parameter.explanation, ""
    if found is not None:
        from tui_chat.core.heeding import explained

        problem = explained(found, setup.model, is_set=value is not None)
    return Row(
        parameter.name,
        parameter.label,
        NOT_SET if value is None else parameter.show(value),
        explanation,
        parameter,
        is_set=value is not None,
        problem=problem,
        dim=found is not None and found.lost,
        held=held and value is not None,
        insisted=found is not None and found.kind == "insisted",
    )


def bar(fraction: float | None, width: int) -> tuple[str, str, str]:
    """A bar as (filled, knob, empty) cells; without a fraction there is only the empty track."""
    if width < 3:
        return "", "", ""
    if fraction is None:
        return "", "", "─" * width
    knob = round(max(0.0, min(1.0, fraction)) * (width - 1))
    return "━" * knob, "●", "─" * (width - 1 - knob)


def label_part(row: Row) -> str:
    """In which style its label stands."""
    return "unset" if row.key == MORE or row.dim else "label"
