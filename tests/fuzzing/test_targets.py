"""Every reader of foreign bytes takes what it knows, and what was changed in it at random."""

from __future__ import annotations

import random

import pytest

from tests.fuzzing.changes import changed
from tests.fuzzing.targets import TARGETS
from tests.nightly import NIGHTLY

RUNS = 20_000 if NIGHTLY else 150


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_that_comes_from_elsewhere_is_an_exception(name: str) -> None:
    target, source = TARGETS[name], random.Random(1)
    seeds = target.seeds()
    assert seeds
    for data in (*seeds, b"", *(changed(seeds, source) for _ in range(RUNS))):
        try:
            target.run(data)
        except Exception as error:
            raise AssertionError(f"{name} fails on {data!r}") from error
