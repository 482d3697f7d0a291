"""No test, and no program that a test starts, reaches beyond this machine: who tries is stopped and told on.

It stands alone, and its name is one that every Python imports at its start when its path leads here. A
child that is run apart from its environment (`python -I`) is not watched by it.
"""

from __future__ import annotations

import ipaddress
import os
import sys

FILE = "TUI_CHAT_TESTS_REACHED"
"""The variable that names the file in which what was tried is written down; a program that was not given it writes
into the file of this name beside its guard, where there is one."""


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if not event.startswith("socket."):
        return
    host: object
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        host = arguments[0]
    elif event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        if not isinstance(address, tuple) or not address:
            return  # A socket of this machine's own kind, or one that is connected already.
        host = address[0]
    else:
        return
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")
    if not _is_here(name):
        tried = f"{event} {name}"
        beside = os.path.join(os.path.dirname(__file__), FILE)  # noqa: PTH118, PTH120  # as below
        if file := os.environ.get(FILE) or (beside if os.path.exists(beside) else ""):  # noqa: PTH110
            with open(file, "a") as log:  # noqa: PTH123  # nothing more is loaded at a start than must be
                log.write(f"{tried} by {sys.argv[:3]}\n")
        # An error that programs expect of a network, so that they go on to say so.
        raise OSError(101, f"this is a test: {tried}")


def _is_here(name: str) -> bool:
    # Names under .invalid are nobody's: they are asked for to see what is said of them.
    if name in ("", "localhost") or name.endswith((".localhost", ".invalid")):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


sys.addaudithook(_hook)
