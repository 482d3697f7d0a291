"""In which parts two setups differ, in words; pure."""

from __future__ import annotations

from dataclasses import dataclass

from tui_chat.core.conversation import Setup
from tui_chat.core.params import PARAMETERS
from tui_chat.core.text import clean

NOT_SET = "not set"


@dataclass(frozen=True)
class Difference:
    """One part that two setups have otherwise: its name, and what each has there."""

    part: str
    theirs: str
    mine: str


def parts(setup: Setup) -> dict[str, str]:
    """What a setup consists of: the name of each part and what is there, in the order of the sidebar;
    what is empty or not set is not among them."""
    said = {
        "Endpoint": setup.endpoint,
        "Model": setup.model,
        "System prompt": setup.system,
    }
    set_ = {
        one.label: one.show(setup.params[one.name])
        for one in PARAMETERS
        if one.name in setup.params
    }
    return {name: clean(words) for name, words in (said | set_).items() if words}


def differences(theirs: Setup, mine: Setup) -> tuple[Difference, ...]:
    """The parts in which the setups differ; none when they are equal."""
    one, other = parts(theirs), parts(mine)
    order = ["Endpoint", "Model", "System prompt", *(each.label for each in PARAMETERS)]
    return tuple(
        Difference(name, one.get(name, NOT_SET), other.get(name, NOT_SET))
        for name in order
        if one.get(name) != other.get(name)
    )
