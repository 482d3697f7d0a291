"""Nothing is reached but the endpoint that a person chose."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from tests.network import reached

ELSEWHERE = "192.0.2.1"
"""An address that is nobody's."""


def test_a_test_that_reaches_beyond_this_machine_is_told_on() -> None:
    with socket.socket() as trying, pytest.raises(OSError, match="this is a test"):
        trying.connect((ELSEWHERE, 80))
    with pytest.raises(OSError, match="this is a test"):
        socket.getaddrinfo("example.com", 80)

    tried = reached()
    assert f"socket.connect {ELSEWHERE}" in tried
    assert "socket.getaddrinfo example.com" in tried


def test_so_is_a_program_that_a_test_starts() -> None:
    code = f"import socket; socket.socket().connect(('{ELSEWHERE}', 80))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)

    assert done.returncode == 1
    assert f"socket.connect {ELSEWHERE}" in reached()
