"""The built-in model has every behaviour that the program relies on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.conformance.behaviours import BEHAVIOURS
from tests.conformance.bench import Bench
from tests.conformance.benches import built_in, serving


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    """The built-in model, started once."""
    log: Path = tmp_path_factory.mktemp("conformance") / "built-in.log"
    async with serving(log) as server:
        yield built_in(server)


@pytest.mark.parametrize("name", BEHAVIOURS)
async def test_the_built_in_model_behaves(bench: Bench, name: str) -> None:
    assert await BEHAVIOURS[name](bench)
