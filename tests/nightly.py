"""Whether tests run at length: TUI_CHAT_TESTS_NIGHTLY, with any value, has them do hundreds of what else are a few."""

from __future__ import annotations

import os

NIGHTLY = bool(os.environ.get("TUI_CHAT_TESTS_NIGHTLY"))


def times(usual: int, nightly: int) -> int:
    """How often something is done in this run of the tests."""
    return nightly if NIGHTLY else usual
