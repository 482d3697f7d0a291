"""Modes that count: what a directory or a file does not permit is refused, also where a superuser runs the tests."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_VERSION = 0x20080522
_OVERRIDE = 1 << 1  # CAP_DAC_OVERRIDE

only_where_modes_count = pytest.mark.skipif(
    sys.platform != "linux", reason="only there modes can be made to count for all"
)


@contextmanager
def modes_count() -> Iterator[None]:
    """For this thread, and for those that it starts meanwhile."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_VERSION, 0)
    # Twice: what is effective, permitted and inherited, of the first 32 rights and of the others.
    rights = (ctypes.c_uint32 * 6)()
    assert libc.capget(header, rights) == 0
    before = rights[0]
    rights[0] &= ~_OVERRIDE
    assert libc.capset(header, rights) == 0
    try:
        yield
    finally:
        rights[0] = before
        assert libc.capset(header, rights) == 0


@contextmanager
def may_not_be_written(*paths: Path) -> Iterator[None]:
    """Take the right to write to these away; what is in a directory keeps its own."""
    before = [(path, path.stat().st_mode) for path in paths]
    for path, mode in before:
        path.chmod(mode & ~0o222)
    try:
        yield
    finally:
        for path, mode in before:
            path.chmod(mode)
