"""The benchmark of a long list of models works in small."""

from __future__ import annotations

from tests.benchmarks.models import models


def test_the_benchmark_of_a_long_list_of_models_works_in_small() -> None:
    timings = models(count=40, runs=1)

    assert [one.name for one in timings] == ["40 models: narrow", "40 models: widen"]
    assert all(one.median > 0 and one.bare > 0 and one.row() for one in timings)
