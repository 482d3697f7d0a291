"""Measurements of the installed program in a real terminal: `python -m tests.benchmarks [NAME…]`.

Each figure is a median beside its named limit, a small reference program measured in turn with it in the same
run, so that the ratio means the same on a fast machine and on a busy one. Exits with 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.benchmarks.counting import counting
from tests.benchmarks.echo import echo
from tests.benchmarks.figures import SHORT, WHOLE, Effort, Figure, Row, kept
from tests.benchmarks.growth import growth
from tests.benchmarks.held import held
from tests.benchmarks.idle import idle
from tests.benchmarks.lens import lens
from tests.benchmarks.memory import memory
from tests.benchmarks.models import models
from tests.benchmarks.opening import opening
from tests.benchmarks.review import review
from tests.benchmarks.scale import scale
from tests.benchmarks.sending import send_in_ten_thousand, stop
from tests.benchmarks.sizes import sizes
from tests.benchmarks.start import start
from tests.benchmarks.streaming import fast, steady

TABLE: dict[str, Callable[[Effort], Sequence[Figure]]] = {
    "start": start,
    "echo": echo,
    "fast": fast,
    "steady": steady,
    "held": held,
    "opening": opening,
    "counting": counting,
    "idle": idle,
    "sizes": sizes,
    "growth": growth,
}
"""What stands in the table of the README."""
MORE: dict[str, Callable[[], Sequence[Row]]] = {
    "send-in-10000": send_in_ten_thousand,
    "stop": stop,
    "lens": lens,
    "models": models,
    "memory": memory,
    "scale": scale,
    "review": review,
}
SHORTENED = ("start", "echo", "fast", "steady", "held", "counting")
"""What the short form measures, in less than a minute."""
MEASURED = Path(__file__).with_name("measured.json")
COMMITTED = Path(__file__).with_name("short.json")
GROSS = 2.0
"""How many times a committed ratio the short form lets pass."""
TRIALS = 2
NOTHING = 0.1
"""Ratios below this are noise."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"{', '.join(TABLE)}, which are measured without a name, or {', '.join(MORE)}",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument(
        "--short",
        action="store_true",
        help=f"measure in a minute, and fail only where a ratio is {GROSS:g} times the committed one",
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="keep the figures for the README, or those of the short form to compare with",
    )
    given = parser.parse_args(argv)
    names = given.names or list(SHORTENED if given.short else TABLE)
    known = TABLE if given.short else {**TABLE, **MORE}
    unknown = [name for name in names if name not in known]
    if unknown:
        parser.error(f"there is no measurement {unknown[0]}")
    if given.short:
        return _compared(names, keep=given.keep)
    rows: list[Row] = []
    for name in names:
        for row in TABLE[name](WHOLE) if name in TABLE else MORE[name]():
            print(row.row(), flush=True)  # noqa: T201  # this program's only output
            rows.append(row)
    figures = [row for row in rows if isinstance(row, Figure)]
    if given.json:
        given.json.write_text(json.dumps(kept(figures), indent=1) + "\n")
    if given.keep:
        MEASURED.write_text(json.dumps(kept(figures), indent=1) + "\n")
    return 0 if all(row.met for row in rows) else 1


def _compared(names: Sequence[str], *, keep: bool) -> int:
    """Compare the ratios of the short form with those that are committed, or commit them.

    What is worse is measured once more: the machine may have had something else to do.
    """
    ratios: dict[str, float] = {}
    committed: dict[str, float] = {}
    if COMMITTED.exists() and not keep:
        committed = json.loads(COMMITTED.read_text())
    worse: list[str] = []
    for _ in range(TRIALS):
        for name in names:
            for one in TABLE[name](SHORT):
                print(one.row(), flush=True)  # noqa: T201  # as above
                ratios[one.what] = min(round(one.ratio, 3), ratios.get(one.what, math.inf))
        allowed = {what: GROSS * max(ratio, NOTHING) for what, ratio in committed.items()}
        worse = [what for what, ratio in ratios.items() if ratio > allowed.get(what, math.inf)]
        if not worse:
            break
    if keep:
        COMMITTED.write_text(json.dumps(ratios, indent=1) + "\n")
    for what in worse:
        print(f"WORSE  {what}: ratio {ratios[what]:.2f}, committed {committed[what]:.2f}")  # noqa: T201  # as above
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
