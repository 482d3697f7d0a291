"""The real built-in model for tests: fetched once with the program's own code, and kept outside the checkout."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import platformdirs

from tui_chat.core.files import private_directory
from tui_chat.core.local.model import SMOLLM2, fetch, model_path


def model_file() -> Path:
    """The model's file; the first call on a machine fetches it, and parallel ones wait for that."""
    kept = os.environ.get("TUI_CHAT_TEST_MODELS") or platformdirs.user_cache_dir(
        "tui-chat-tests", False
    )
    return asyncio.run(fetch(Path(kept), lambda progress: None))


def give_model_to(cache: Path) -> None:
    """Put the model where a run of the program with this cache directory finds it."""
    target = model_path(private_directory(cache / "models"), SMOLLM2)
    source = model_file()
    try:
        target.hardlink_to(source)
    except OSError:  # Another file system.
        target.write_bytes(source.read_bytes())
