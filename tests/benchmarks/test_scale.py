"""The large library works in small, too: every query of its benchmark is measured, and finds what it should."""

from __future__ import annotations

from tests.benchmarks.scale import BEST, LISTS, NEVER, QUERIES, scale


def test_the_benchmark_of_a_large_library_works_in_small() -> None:
    timings = {one.name: one for one in scale(conversations=200)}

    assert {f"search: {name}" for name in {**QUERIES, **BEST}} < set(timings)
    assert len(timings) == len({**QUERIES, **BEST, **NEVER}) + len(LISTS) + 4
    assert all(one.median > 0 and one.bare > 0 and one.row() for one in timings.values())
    for name in (
        "rare word",
        "common word",
        "phrase",
        "acao",
        "two Chinese characters",
        "dates",
        *BEST,
    ):
        assert not timings[f"search: {name}"].note.startswith("0 hits"), name
    assert not timings["search: typed letter by letter"].note.endswith(" 0 hits")
    assert timings["list: all, first page"].note == "100 lines"
    assert timings["search: no such word"].note == "0 hits"
