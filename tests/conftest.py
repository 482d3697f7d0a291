"""For all tests: each worker has a core of its own, so that two models do not share two cores with four threads,
and whatever reaches beyond this machine fails the test in which it did."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests import in_memory, network

# A machine that is busy is no failure.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


LONG = (
    "tests/crashes/",
    "tests/load/",
    "tests/conformance/",
    "tests/core/local/",
    "tests/core/test_full_disks.py",
    "tests/core/test_search",
    "tests/rooms/test_review_faults.py",
    "tests/test_looks.py",
    "tests/test_program.py",
    "tests/test_two_windows.py",
    "tests/test_ask",
    "tests/test_complete.py",
)
"""Where the tests are that take seconds each, by their paths' beginnings."""
_memory = pytest.StashKey[in_memory.Memory]()


def pytest_configure(config: pytest.Config) -> None:
    """llama.cpp falls to a third of its speed where more threads compute than there are cores."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    chosen = config.option.basetemp or os.environ.get("PYTEST_DEBUG_TEMPROOT")
    if not worker and not chosen and (memory := in_memory.enter()):
        config.stash[_memory] = memory
    network.watch()
    if not worker or not hasattr(os, "sched_setaffinity"):
        return
    cores = sorted(os.sched_getaffinity(0))
    if int(os.environ["PYTEST_XDIST_WORKER_COUNT"]) >= len(cores):
        os.sched_setaffinity(0, {cores[int(worker.removeprefix("gw")) % len(cores)]})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long comes first: at the end, when one worker has nothing left, the other is soon done too."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


def pytest_collection_finish() -> None:
    """All that is loaded stays: whoever looks for garbage need not look through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_unconfigure(config: pytest.Config) -> None:
    network.stop()
    if memory := config.stash.get(_memory, None):
        memory.leave()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.testsfailed and (memory := session.config.stash.get(_memory, None)):
        memory.keep()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    memory = config.stash.get(_memory, None)
    if memory and memory.kept:
        terminalreporter.write_line(
            f"What the failed tests left in {memory.place} is in {memory.kept}."
        )


@pytest.fixture(autouse=True)
def _nothing_reached() -> Iterator[None]:
    """No connection and no lookup but on this machine."""
    network.reached()
    yield
    tried = network.reached()
    assert not tried, f"it reached beyond this machine:\n{tried}"
