"""For all tests: each worker has a core of its own, so that two models do not share two cores with four threads,
and whatever reaches beyond this machine fails the test in which it did."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests import network

# A machine that is busy is no failure.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_configure() -> None:
    """llama.cpp falls to a third of its speed where more threads compute than there are cores."""
    network.watch()
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not worker or not hasattr(os, "sched_setaffinity"):
        return
    cores = sorted(os.sched_getaffinity(0))
    if int(os.environ["PYTEST_XDIST_WORKER_COUNT"]) >= len(cores):
        os.sched_setaffinity(0, {cores[int(worker.removeprefix("gw")) % len(cores)]})


def pytest_unconfigure() -> None:
    network.stop()


@pytest.fixture(autouse=True)
def _nothing_reached() -> Iterator[None]:
    """No connection and no lookup but on this machine."""
    network.reached()
    yield
    tried = network.reached()
    assert not tried, f"it reached beyond this machine:\n{tried}"
