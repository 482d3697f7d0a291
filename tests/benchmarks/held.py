"""The memory that is held: at rest, with a long conversation, after a reply of 5,000 tokens."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.figures import Effort, Figure, beyond
from tests.benchmarks.start import LONG, last_words, save_long
from tests.benchmarks.streaming import TOKENS
from tests.benchmarks.texts import END, reply
from tests.benchmarks.watched import bare, opened
from tests.load.flood import event, flood


def held(effort: Effort) -> list[Figure]:
    with bare() as terminal:
        floor = terminal.memory
    with (
        TemporaryDirectory() as home,
        flood(Path(home) / "flood", event(END)) as server,
        opened(Path(home), server.base_url) as terminal,
    ):
        rest = terminal.memory
        terminal.type("go\r")
        terminal.until(END)
        terminal.settle(1.5)
        asked = terminal.memory
    figures = [beyond("memory at rest", rest, floor, 45)]
    if effort.short:
        return figures
    with TemporaryDirectory() as home:
        save_long(Path(home), LONG)
        with opened(Path(home), "http://127.0.0.1:9/v1", last_words(LONG)) as terminal:
            terminal.settle(2)
            name = f"memory with a conversation of {LONG:,} messages"
            figures.append(beyond(name, terminal.memory, rest, 30, name="at rest"))
    with (
        TemporaryDirectory() as home,
        flood(Path(home) / "flood", reply(TOKENS)) as server,
        opened(Path(home), server.base_url) as terminal,
    ):
        terminal.type("go\r")
        terminal.until(END)
        terminal.settle(1.5)
        name = f"memory after a reply of {TOKENS:,} tokens"
        figures.append(beyond(name, terminal.memory, asked, 5, name="one token"))
    return figures
