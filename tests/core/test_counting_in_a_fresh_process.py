"""What only a fresh process shows of counting: what it imports, opens, prints, and survives."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import tui_chat


def run(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run this code in a fresh process that finds our package where this one does."""
    package = environment.pop("PYTHONPATH", str(Path(tui_chat.__file__).parent.parent))
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=package,
        env={**os.environ, "PYTHONPATH": package, **environment},
    )


def test_importing_counting_and_pricing_loads_no_heavy_library() -> None:
    done = run(
        "import sys, tui_chat.core.counting, tui_chat.core.pricing\n"
        "print({'tiktoken', 'genai_prices', 'openai', 'httpx2', 'pydantic'} & set(sys.modules))"
    )
    assert (done.stdout.strip(), done.stderr) == ("set()", "")


def test_counting_and_pricing_never_touch_the_network(tmp_path: Path) -> None:
    done = run(
        "import os, sys\n"
        "def look(event, arguments):\n"
        "    if event.startswith('socket.'):\n"
        "        os.write(2, event.encode())\n"
        "        os._exit(1)\n"
        "sys.addaudithook(look)\n"
        "from tui_chat.core import counting, pricing\n"
        "print([counting.count_text('hello world', name) for name in ('cl100k_base', 'o200k_base')])\n"
        "print(pricing.context_window('gpt-4o', 'https://api.openai.com/v1'))",
        TIKTOKEN_CACHE_DIR=str(tmp_path),
    )
    assert (done.stdout, done.stderr) == ("[2, 2]\n128000\n", "")


def test_threads_that_ask_at_once_load_an_encoding_once() -> None:
    done = run(
        "import sys, threading\n"
        "opened = []\n"
        "def look(event, arguments):\n"
        "    if event == 'open' and str(arguments[0]).endswith('cl100k_base.zlib'):\n"
        "        opened.append(arguments[0])\n"
        "sys.addaudithook(look)\n"
        "from tui_chat.core import counting\n"
        "counts, start = [], threading.Barrier(6)\n"
        "def ask():\n"
        "    start.wait()\n"
        "    counts.append(counting.count_text('hello world', 'cl100k_base'))\n"
        "threads = [threading.Thread(target=ask) for _ in range(6)]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()\n"
        "print(counts, len(opened))"
    )
    assert (done.stdout.strip(), done.stderr) == ("[2, 2, 2, 2, 2, 2] 1", "")


def test_a_million_spaces_are_counted_in_silence() -> None:
    done = run(
        "from tui_chat.core.counting import LineCounter, count_text\n"
        "for character in ' \\t':\n"
        "    text = character * 1_000_000\n"
        "    print(count_text(text, 'o200k_base'), LineCounter().count(text, 'o200k_base'))"
    )
    assert (done.stdout, done.stderr) == ("7820 7820\n62500 62500\n", "")


def test_a_panic_inside_tiktoken_becomes_an_estimate() -> None:
    done = run(
        "from tui_chat.core import counting\n"
        "counting.PIECE = 10**9  # so that the text that panics reaches tiktoken whole\n"
        "print(counting.count_text(' ' * 1_000_000, 'o200k_base'))"
    )
    assert (
        "panicked" in done.stderr
    )  # else tiktoken has been mended, and neither PIECE nor guard is needed
    assert (done.stdout.strip(), done.returncode) == ("250000", 0)


def test_a_damaged_vocabulary_is_said_once_and_estimated_from_then_on(tmp_path: Path) -> None:
    package = Path(tui_chat.__file__).parent
    shutil.copytree(package / "core", tmp_path / "tui_chat/core")
    shutil.copytree(package / "data", tmp_path / "tui_chat/data")
    (tmp_path / "tui_chat/__init__.py").touch()
    damaged = tmp_path / "tui_chat/data/cl100k_base.zlib"
    damaged.write_bytes(damaged.read_bytes()[:1000])
    done = run(
        "from tui_chat.core import counting, errors\n"
        "try:\n"
        "    counting.load('cl100k_base')\n"
        "except errors.ChatError as error:\n"
        "    print(error.message)\n"
        "print(counting.count_text('hello, world', 'cl100k_base'))\n"
        "counting.load('o200k_base')",
        PYTHONPATH=str(tmp_path),
    )
    assert done.stdout.splitlines() == [
        "The token vocabulary cl100k_base that belongs to tui-chat is missing or damaged.",
        "3",
    ]
    assert done.returncode == 0
