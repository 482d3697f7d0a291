"""Tries every behaviour against a server: `python -m tests.conformance built-in | litellm | llama-cpp-python`.

The servers of others are installed first, each into an environment of its own in the tests' cache
directory, by pip; nothing else is asked of the network. Ends with 1 where a behaviour fails.
"""
# ruff: noqa: T201  # It prints, that is its work.

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from tests.conformance import benches
from tests.conformance.behaviours import BEHAVIOURS
from tests.conformance.bench import Bench
from tests.conformance.installed import require_posix
from tui_chat.core.errors import ChatError


@asynccontextmanager
async def _built_in(directory: Path) -> AsyncIterator[Bench]:
    async with benches.serving(directory / "built-in.log") as server:
        yield benches.built_in(server)


BENCHES: dict[str, Callable[[Path], AbstractAsyncContextManager[Bench]]] = {
    "built-in": _built_in,
    "litellm": benches.litellm,
    "llama-cpp-python": benches.llama_cpp_python,
}


async def tried(name: str) -> int:
    """Print how each behaviour went; how many failed."""
    failed = 0
    with tempfile.TemporaryDirectory() as directory:
        async with BENCHES[name](Path(directory)) as bench:
            print(f"{bench.name} at {bench.endpoint.base_url}")
            for behaviour, function in BEHAVIOURS.items():
                began = time.monotonic()
                try:
                    result, seen = "ok", await function(bench)
                    result = "other" if behaviour in bench.lacks else result
                except (AssertionError, ChatError, TimeoutError, KeyError) as error:
                    failed += 1
                    result, seen = "FAILED", " ".join(f"{type(error).__name__}: {error}".split())
                seconds = time.monotonic() - began
                print(f"{behaviour:20} {result:7} {seconds:5.1f} s  {seen[:240]}", flush=True)
    print(f"{len(BEHAVIOURS)} behaviours, {failed} failed")
    return failed


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("server", choices=BENCHES)
    require_posix()
    sys.exit(1 if asyncio.run(tried(parser.parse_args().server)) else 0)


if __name__ == "__main__":
    main()
