"""What a measurement says: a median beside its named limit of the same run, the ratio of both, and the bar."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import version
from typing import Protocol

LIBRARIES = ("textual", "openai", "tiktoken")


class Row(Protocol):
    """One line that is printed, and whether its bar was met."""

    @property
    def met(self) -> bool: ...

    def row(self) -> str: ...


@dataclass(frozen=True)
class Effort:
    """How much is measured. The short form is for each run of the checks, and sees gross regressions only."""

    runs: int = 9
    keys: int = 120
    """Keys of which the echo is timed."""
    seconds: float = 20
    """Of a reply whose cost is measured while it arrives."""
    idle: float = 60
    short: bool = False


WHOLE = Effort()
SHORT = Effort(runs=3, keys=30, seconds=3, idle=3, short=True)


@dataclass(frozen=True)
class Figure:
    """One row of the table. `limit` is what the same run measured of the program named `limit_name`."""

    what: str
    value: float
    unit: str
    limit_name: str
    limit: float
    bar: str
    """The bar in words, such as `≤ 1.25 × bare`; empty where the figure is only stated."""
    at_most: float
    """The bar as a value, in the same unit."""

    @property
    def ratio(self) -> float:
        """How many limits it is; of a limit of nothing, how many bars."""
        return self.value / (self.limit or self.at_most or 1)

    @property
    def met(self) -> bool:
        return not self.bar or self.value <= self.at_most

    def row(self) -> str:
        verdict = "" if not self.bar else "met" if self.met else "MISSED"
        return (
            f"{self.what:<58}{told(self.value, self.unit):>10}   {self.limit_name:<10}"
            f"{told(self.limit, self.unit):>10}   ratio {self.ratio:6.2f}   {self.bar:<22}{verdict}"
        ).rstrip()


def times(
    what: str, value: float, limit: float, most: float, *, unit: str = "ms", name: str = "bare"
) -> Figure:
    """A figure that may be so many times its limit."""
    return Figure(what, value, unit, name, limit, f"≤ {most:g} × {name}", most * limit)


def beyond(
    what: str, value: float, limit: float, most: float, *, unit: str = "MB", name: str = "bare"
) -> Figure:
    """A figure that may be so much more than its limit."""
    return Figure(what, value, unit, name, limit, f"≤ {name} + {most:g} {unit}", limit + most)


def at_most(
    what: str, value: float, limit: float, most: float, *, unit: str = "ms", name: str = "bare"
) -> Figure:
    """A figure with a bar of its own; the limit tells how quick the machine was."""
    return Figure(what, value, unit, name, limit, f"≤ {most:g} {unit}", most)


def stated(what: str, value: float, limit: float, *, unit: str, name: str) -> Figure:
    """A figure that has no bar."""
    return Figure(what, value, unit, name, limit, "", 0.0)


def told(value: float, unit: str) -> str:
    """A value with its unit, in three digits or so."""
    digits = 0 if abs(value) >= 100 or unit == "bytes" else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}"


def percentile(values: Sequence[float], part: float) -> float:
    """The value that this part of all, between 0 and 1, does not exceed; the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def circumstances() -> str:
    """When and with what the run was made, in words."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{date.today():%Y-%m-%d}, Python {platform.python_version()} on {platform.system()}"
        f" ({platform.machine()}), {libraries}"
    )


def kept(figures: Sequence[Figure]) -> dict[str, object]:
    """What `--json` writes."""
    return {
        "made": circumstances(),
        "command": " ".join(sys.argv[1:]),
        "figures": [
            asdict(one) | {"ratio": round(one.ratio, 4), "met": one.met} for one in figures
        ],
    }
