"""Endpoints of this machine at ports that are ours, so that what else listens here is left alone."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from typing import Any

import pytest

from tests.fake_server import FakeServer
from tests.rooms.house import House, wait_until
from tui_chat.core import endpoint_tables
from tui_chat.core.endpoint_tables import known_endpoints

CANARY = "sk-canary-0123456789"


def closed_port() -> int:
    """A port where nothing answers."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port


def port_of(server: FakeServer) -> int:
    return int(server.base_url.rpartition(":")[2].split("/")[0])


def place(monkeypatch: pytest.MonkeyPatch, **servers: FakeServer) -> None:
    """Have the known endpoints of this machine at these servers, and the others where nothing answers."""
    known_endpoints()
    tables: Mapping[str, Any] = endpoint_tables._READ
    moved = {}
    for name, table in tables.items():
        if "ports" in table:
            port = port_of(servers[name]) if name in servers else closed_port()
            table = {**table, "ports": [port], "base_url": f"http://127.0.0.1:{port}/v1"}
        moved[name] = table
    monkeypatch.setattr(endpoint_tables, "_READ", moved)


async def open_list(house: House) -> None:
    """Open the list of endpoints as a person does, and wait until all have answered or not."""
    await house.command("/endpoint")
    await wait_until(lambda: "Add a server by its URL…" in house.screen_text(), "it is open")
    await wait_until(lambda: " …" not in "".join(lines(house)), "all were asked")


def flat(house: House) -> str:
    """What the dialog says with its lines joined, as sentences are read: nothing of what stands beside it."""
    rows = house.screen_text().splitlines()[2:]
    top = next((row for row in rows if "╭" in row[2:]), "")
    left, right = top.find("╭", 2), top.find("╮", 2)
    return re.sub(r"[\s│]+", " ", " ".join(row[left + 1 : right] for row in rows if top))


def lines(house: House) -> list[str]:
    """The lines of the list, as they stand."""
    rows = [row[8:110] for row in house.screen_text().splitlines()[7:31]]
    return [row.strip(" │▌") for row in rows if row.strip(" │▌")]


def line_of(house: House, name: str) -> str:
    return next(line for line in lines(house) if line.removeprefix("● ").startswith(name))
