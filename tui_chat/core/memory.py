"""Memory that was let go of goes back to the system, where the C library would keep it."""

from __future__ import annotations

from contextlib import suppress

LARGE = 1_000_000
"""Bytes from which on a piece of memory is given back as soon as nothing is in it."""
_M_MMAP_THRESHOLD = -3


def give_back_large() -> None:
    """Have large texts cost nothing once they are gone, from now on in all of this process.

    glibc takes such a piece from the system by itself and gives it back, until the first one is gone: from
    then on it cuts all up to that size, or 32 MB, out of its heap, where the holes stay (mallopt(3), under
    M_MMAP_THRESHOLD). After one text of 10 MB that is 50 MB. Other libraries have no such call, or
    take no heed of it. Loads a module, so it belongs on a thread.
    """
    import ctypes

    # Windows knows no library without a name, and most others have no such function.
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, LARGE)
