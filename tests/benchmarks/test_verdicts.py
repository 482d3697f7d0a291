"""A benchmark that misses its bar says so with its exit code; its short form only when it is grossly worse than before."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from tests.benchmarks import __main__ as benchmarks
from tests.benchmarks.__main__ import main
from tests.benchmarks.figures import SHORT, WHOLE, Effort, Figure, at_most, beyond, stated, times


def _measured(*figures: Figure) -> object:
    return lambda effort: figures


@pytest.mark.parametrize(("median", "code"), [(99, 0), (130, 0), (131, 1)])
def test_a_missed_bar_is_an_error(
    median: float, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = times("one", median, 100, 1.3), times("two", 1, 100, 1.3)
    monkeypatch.setitem(benchmarks.TABLE, "made-up", _measured(*figures))

    assert main(["made-up"]) == code

    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("MISSED" if code else "met")
    assert second.endswith("met")


def test_each_kind_of_bar_is_met_up_to_itself() -> None:
    assert times("", 125, 100, 1.25).met
    assert not times("", 126, 100, 1.25).met
    assert beyond("", 145, 100, 45).met
    assert not beyond("", 146, 100, 45).met
    assert at_most("", 25, 5, 25).met
    assert not at_most("", 26, 50, 25).met
    assert stated("", 1e9, 1, unit="MB", name="all").met


def test_without_a_name_the_table_is_measured_and_with_one_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[tuple[str, Effort]] = []

    def measurement(name: str, effort: Effort) -> list[Figure]:
        measured.append((name, effort))
        return []

    for name in benchmarks.TABLE:
        monkeypatch.setitem(benchmarks.TABLE, name, partial(measurement, name))

    monkeypatch.setattr(benchmarks, "COMMITTED", tmp_path / "short.json")
    (tmp_path / "short.json").write_text("{}")
    assert main([]) == 0
    assert measured == [(name, WHOLE) for name in benchmarks.TABLE]
    assert main(["idle"]) == 0
    assert measured[-1] == ("idle", WHOLE)
    measured.clear()
    assert main(["--short"]) == 0
    assert measured == [(name, SHORT) for name in benchmarks.SHORTENED]
    with pytest.raises(SystemExit):
        main(["unknown"])


def test_the_short_form_fails_where_a_ratio_doubled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(benchmarks, "COMMITTED", tmp_path / "short.json")
    monkeypatch.setitem(benchmarks.TABLE, "idle", _measured(times("one", 150, 100, 1.2)))
    assert main(["--short", "--keep", "idle"]) == 0
    # A bar that is missed is no regression.
    assert main(["--short", "idle"]) == 0
    monkeypatch.setitem(benchmarks.TABLE, "idle", _measured(times("one", 301, 100, 1.2)))
    assert main(["--short", "idle"]) == 1
    assert "WORSE  one: ratio 3.01, committed 1.50" in capsys.readouterr().out


def test_figures_can_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(benchmarks.TABLE, "idle", _measured(times("one", 150, 100, 1.25)))
    assert main(["--json", f"{tmp_path}/kept.json", "idle"]) == 1
    kept = json.loads((tmp_path / "kept.json").read_text())
    (figure,) = kept["figures"]
    assert figure | {"value": 150, "limit": 100, "ratio": 1.5, "met": False} == figure
    assert "Python" in kept["made"]
