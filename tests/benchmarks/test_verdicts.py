"""A benchmark that misses its bar says so with its exit code."""

from __future__ import annotations

from functools import partial

import pytest

from tests.benchmarks import __main__ as benchmarks
from tests.benchmarks.__main__ import Figure, main


@pytest.mark.parametrize(("median", "code"), [(99, 0), (130, 0), (131, 1)])
def test_a_missed_bar_is_an_error(
    median: float, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = [Figure("one", median, "limit", 100, 1.3), Figure("two", 1, "limit", 100, 1.3)]
    monkeypatch.setitem(benchmarks.MEASUREMENTS, "made-up", lambda: figures)

    assert main(["made-up"]) == code

    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("MISSED" if code else "met")
    assert second.endswith("met")


def test_what_takes_minutes_is_measured_only_when_it_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured: list[str] = []

    def measurement(name: str) -> list[Figure]:
        measured.append(name)
        return []

    for name in benchmarks.MEASUREMENTS:
        monkeypatch.setitem(benchmarks.MEASUREMENTS, name, partial(measurement, name))

    assert main([]) == 0
    assert benchmarks.LONG == ("scale", "review")
    assert measured == [name for name in benchmarks.MEASUREMENTS if name not in benchmarks.LONG]
    assert main(["scale"]) == 0
    assert measured[-1] == "scale"
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "all but scale, review" in " ".join(capsys.readouterr().out.split())
