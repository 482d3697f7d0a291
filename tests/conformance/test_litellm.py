"""A LiteLLM proxy in front of the built-in model has every behaviour, or says what it lacks.

`python -m tests.conformance litellm` installs the proxy, which takes most of a minute, and prints a table. This test
runs with the others where the variable TUI_CHAT_TESTS_LITELLM is set (to 1 for what that command has installed,
or to the directory of an environment with `litellm[proxy]`):

    TUI_CHAT_TESTS_LITELLM=1 pytest -n0 tests/conformance/test_litellm.py
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.conformance.behaviours import BEHAVIOURS
from tests.conformance.bench import Bench
from tests.conformance.benches import litellm
from tests.conformance.installed import LITELLM

asked_for = bool(os.environ.get(LITELLM.variable)) and LITELLM.ready
pytestmark = pytest.mark.skipif(not asked_for, reason=f"needs {LITELLM.variable} and what it names")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    """The proxy and the model behind it, started once."""
    async with litellm(tmp_path_factory.mktemp("litellm")) as made:
        yield made


@pytest.mark.parametrize("name", BEHAVIOURS)
async def test_the_proxy_behaves(bench: Bench, name: str) -> None:
    assert await BEHAVIOURS[name](bench)
