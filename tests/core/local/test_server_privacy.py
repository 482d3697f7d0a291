"""The built-in model's server answers us alone, and shows neither its key nor what was said."""

from __future__ import annotations

import asyncio
import http.client
import socket
import stat
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.core.local.processes import command_lines, said
from tui_chat.core.local.server import LocalServer


def _status(server: LocalServer, method: str, path: str, key: str | None) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(server.base_url).port, timeout=10)
    try:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        connection.request(method, path, "{}" if method == "POST" else None, headers)
        return connection.getresponse().status
    finally:
        connection.close()


async def test_nobody_is_answered_without_the_key(server: LocalServer) -> None:
    paths = (
        ("POST", "/v1/chat/completions"),
        ("POST", "/v1/completions"),
        ("POST", "/tokenize"),
        ("GET", "/props"),
        ("GET", "/slots"),
        ("GET", "/"),
    )

    for key in (None, "", "sk-guess", server.key.reveal()[:-1]):
        answers = [await asyncio.to_thread(_status, server, *path, key) for path in paths]

        assert set(answers) <= {401, 404}
        assert answers[0] == 401


async def test_only_loopback_is_served(server: LocalServer) -> None:
    port = urlsplit(server.base_url).port

    def reached(family: socket.AddressFamily, host: str) -> bool:
        with socket.socket(family, socket.SOCK_STREAM) as trying:
            trying.settimeout(5)
            return trying.connect_ex((host, port)) == 0

    assert server.base_url == f"http://127.0.0.1:{port}/v1"
    assert reached(socket.AF_INET, "127.0.0.1")
    # A server on all addresses of this machine would answer here.
    assert not reached(socket.AF_INET, "127.0.0.2")
    assert not reached(socket.AF_INET6, "::1")


async def test_the_key_is_new_at_each_start_and_shown_nowhere(
    server: LocalServer, model: Path, tmp_path: Path
) -> None:
    await said(server, "The word is perchance.", max_tokens=5)
    other = await LocalServer.start(model, model_id="m", log=tmp_path / "other.log")
    await other.stop()
    key = server.key.reveal()
    log = tmp_path / "logs" / "built-in.log"

    assert len(key) == 64
    assert key != other.key.reveal()
    lines = command_lines()
    assert any("child.py" in line for line in lines)
    assert not any(key in line for line in lines)
    assert key not in log.read_text()
    assert "perchance" not in log.read_text()
    assert key not in repr(server.key)
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.parent.stat().st_mode) == 0o700


async def test_the_process_gets_no_key_of_anybody(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    monkeypatch.setenv("SOMEBODYS_SECRET", "sk-canary")

    server = await LocalServer.start(model, model_id="m", log=tmp_path / "log")
    environ = Path(f"/proc/{server.process_id}/environ").read_bytes()
    await server.stop()

    assert b"PATH=" in environ
    assert b"canary" not in environ
    assert server.key.reveal().encode() not in environ


async def test_a_program_lying_in_the_current_directory_is_not_run(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("json", "tui_chat", "xllamacpp"):
        (tmp_path / f"{name}.py").write_text("open('was-run', 'w')\nraise SystemExit(1)\n")
    monkeypatch.chdir(tmp_path)

    server = await LocalServer.start(model, model_id="m", log=tmp_path / "log")
    await server.stop()

    assert not (tmp_path / "was-run").exists()


async def test_no_web_page_is_told_that_it_may_read_what_is_answered(server: LocalServer) -> None:
    def answered(method: str, key: str | None) -> tuple[int, dict[str, str]]:
        port = urlsplit(server.base_url).port
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        try:
            connection.request(method, "/v1/models", headers=headers)
            response = connection.getresponse()
            return response.status, {name.lower(): value for name, value in response.getheaders()}
        finally:
            connection.close()

    for method in ("GET", "OPTIONS"):
        for key in (None, server.key.reveal()):
            _, headers = await asyncio.to_thread(answered, method, key)
            allowed = headers.get("access-control-allow-origin", "")
            assert allowed not in ("*", "https://evil.example"), (method, key is None)
