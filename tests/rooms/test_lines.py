"""The lines of the review room's list: what of a hit is seen in a list of any width."""

from __future__ import annotations

from datetime import date

import pytest
from rich.cells import cell_len

from tui_chat.core.conversation import Role, Setup, Status
from tui_chat.core.params import Params
from tui_chat.core.search import Hit
from tui_chat.rooms.review.lines import Line, rows

TODAY = date(2026, 3, 8)
LONG = "meta-llama/Llama-3.3-70B-Instruct-Turbo-GGUF-Q4_K_M"


def hit(role: Role, model: str = "", status: Status = "complete", state: str = "kept") -> Hit:
    setup = Setup("lab", model, params=Params({"temperature": 0.7, "top_p": 0.95}))
    return Hit(
        *("c1", "A title that takes some room of its own", state, False),  # type: ignore[arg-type]
        *("m1", role, 1_700_000_000_000, setup if model else None, status),  # type: ignore[arg-type]
        *("some words", ((0, 4),), (0, 1)),
    )


def shown(one: Hit, width: int) -> list[str]:
    """The rows as they are seen, cut where the list ends."""
    return [row.truncate(width).plain for row in rows(Line(one), width, "", TODAY)]


@pytest.mark.parametrize("width", [42, 44, 56, 65, 66, 90, 140])
@pytest.mark.parametrize("model", ["m", LONG, "模型" * 20])
@pytest.mark.parametrize(("status", "state"), [("complete", "kept"), ("interrupted", "archived")])
def test_model_temperature_and_time_of_a_hit_are_seen_in_every_width(
    width: int, model: str, status: Status, state: str
) -> None:
    found = shown(hit("assistant", model, status, state), width)
    above = " ".join(found[:-1])
    assert "temperature 0.7" in above
    assert model[:2].strip() in above
    assert model[-2:] in above
    assert "2023-11-1" in above
    assert ("archived" in above) is (state == "archived")
    assert all(cell_len(row) <= width for row in found)


def test_a_long_name_of_a_model_is_cut_in_its_middle() -> None:
    _, who, _ = shown(hit("assistant", LONG), 44)
    assert who == "meta-llama/Ll…-GGUF-Q4_K_M · temperature 0.7"


@pytest.mark.parametrize("width", [44, 100])
def test_a_hit_without_a_setup_says_who_and_when(width: int) -> None:
    for role, word in (("user", "You"), ("system", "System"), ("assistant", "Assistant")):
        above = " ".join(shown(hit(role), width)[:-1])  # type: ignore[arg-type]
        assert word in above
        assert "2023-11-1" in above
