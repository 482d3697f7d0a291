"""What an installation takes on disk without the model, and what each library in it weighs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

from tests.benchmarks.figures import Effort, Figure, stated

NAME = "tui-chat"
LISTED = 8
"""The heaviest libraries have a row of their own."""


def sizes(effort: Effort) -> list[Figure]:
    whole = _needed(NAME)
    ours = _package() / 1e6
    weights = {name: _weight(one) / 1e6 for name, one in whole.items() if name != NAME}
    total = ours + sum(weights.values())
    heaviest = sorted(weights, key=weights.__getitem__, reverse=True)[:LISTED]
    rest = total - ours - sum(weights[name] for name in heaviest)
    parts = {NAME: ours, **{name: weights[name] for name in heaviest}}
    parts[f"{len(weights) - len(heaviest)} more libraries"] = rest
    return [
        stated("installed size without the model", total, ours, unit="MB", name="ours"),
        *(
            stated(f"of it {name}", one, total, unit="MB", name="all")
            for name, one in parts.items()
        ),
    ]


def _needed(name: str) -> dict[str, Distribution]:
    """The installed distributions that this one needs, itself included, by their normal names."""
    found: dict[str, Distribution] = {}
    waiting = [name]
    while waiting:
        one = distribution(waiting.pop())
        found[_normal(one.metadata["Name"])] = one
        waiting += [other for other in _requirements(one) if _normal(other) not in found]
    return found


def _requirements(one: Distribution) -> Iterator[str]:
    for line in one.requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement.name


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _weight(one: Distribution) -> int:
    """Bytes of the files that its wheel brought."""
    places = (Path(str(one.locate_file(file))) for file in one.files or () if file.suffix != ".pyc")
    return sum(place.stat().st_size for place in places if place.is_file())


def _package() -> int:
    """Bytes of the program's own files: it may be installed as a link to its source."""
    import tui_chat

    root = Path(tui_chat.__file__).parent
    files = (one for one in root.rglob("*") if one.is_file() and "__pycache__" not in one.parts)
    return sum(one.stat().st_size for one in files)
