"""The faults that the program is tested against: what goes wrong, what happens then, which tests show it.

ARCHITECTURE.md has them as tables (`python -m tests.documents`); a test checks that each named test is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Fault(NamedTuple):
    """One thing that goes wrong."""

    what: str
    then: str
    tests: str
    """`file::test` below tests/, several with a blank between; a file alone stands for all of its tests."""


FAULTS: Mapping[str, tuple[Fault, ...]] = {
    "Changed at random": (
        Fault(
            "streams, answers, lists of models, settings, presets, what was learned, files to import",
            "read as far as they go, or said in words; never an exception of another kind",
            "fuzzing/test_targets.py::test_nothing_that_comes_from_elsewhere_is_an_exception",
        ),
    ),
}
