"""What is turned on in the terminal is turned off at the end, also what the terminal answers at that very moment."""

from __future__ import annotations

import os
import threading

import pytest

if os.name != "posix":
    pytest.skip("the driver is for terminals of POSIX systems", allow_module_level=True)

from textual.app import App
from textual.messages import InBandWindowResize

from tui_chat.widgets.terminal_driver import TerminalDriver


class Written(TerminalDriver):
    """Keeps what is written."""

    written = ""

    def write(self, data: str) -> None:
        self.written += data

    def flush(self) -> None:
        pass


async def test_what_a_terminal_answers_at_the_end_turns_nothing_on() -> None:
    driver = Written(App())
    # There is no terminal here that could be gone.
    driver.exit_event = threading.Event()
    driver.stop_application_mode()
    driver.process_message(InBandWindowResize(True, False))
    assert "h" not in driver.written.rpartition("\x1b[?1004l")[2]
