"""A connection that cannot be had is told by its reason: no server, no host, no TLS, no URL."""

from __future__ import annotations

import socket
import ssl

import pytest

from tests.core.failing import ASKED, failing
from tests.fake_server import Answer, FakeServer
from tui_chat.core import failures, unreachable


async def test_a_server_that_does_not_run_is_named_with_its_url() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    with FakeServer() as server:
        for host in ("127.0.0.1", "localhost"):
            told = await failing(server, url=f"http://{host}:{port}/v1")
            assert told.message == f"Nothing answers at http://{host}:{port}/v1."
            assert told.hint == "Is the server running?"
        assert not server.requests


async def test_a_secure_url_for_a_plain_server_is_told() -> None:
    with FakeServer() as server:
        told = await failing(server, url=server.base_url.replace("http:", "https:"))
    assert "does not speak TLS" in told.message
    assert "http://" in told.hint


@pytest.mark.parametrize("url", ["", "127.0.0.1:1/v1", "ftp://127.0.0.1/v1"])
async def test_a_url_that_is_none_is_told(url: str) -> None:
    with FakeServer() as server:
        told = await failing(server, url=url)
    assert "is not a URL" in told.message


def caused(cause: BaseException) -> OSError:
    """As transport errors come: the reason one or two causes down, or in a group."""
    outer = OSError("All connection attempts failed")
    outer.__cause__ = ExceptionGroup("attempts", [OSError("first"), cause])  # type: ignore[type-var]  # only Exceptions come here
    return outer


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "Nothing answers"),
        (OSError("[WinError 10061] target machine actively refused it"), "Nothing answers"),
        (socket.gaierror(-2, "Name or service not known"), "no host of that name"),
        (socket.gaierror(-3, "Temporary failure in name resolution"), "no host of that name"),
        (socket.gaierror(8, "nodename nor servname provided"), "no host of that name"),
        (OSError("[Errno 11001] getaddrinfo failed"), "no host of that name"),
        (ssl.SSLCertVerificationError("CERTIFICATE_VERIFY_FAILED: self-signed"), "not trusted"),
        (ssl.SSLError("[SSL: WRONG_VERSION_NUMBER] wrong version"), "does not speak TLS"),
        (ssl.SSLError("[SSL: TLSV1_ALERT_PROTOCOL_VERSION]"), "No secure connection"),
        (OSError(101, "Network is unreachable"), "cannot be reached"),
        (OSError(113, "No route to host"), "cannot be reached"),
        (ConnectionResetError(104, "Connection reset by peer"), "closed the connection"),
        (OSError("something new"), "The connection to https://host/v1 failed."),
    ],
)
def test_the_reason_is_found_wherever_it_stands(cause: Exception, words: str) -> None:
    assert words in failures.explained(caused(cause), ASKED).message


PROXIED = [
    ("HTTPS_PROXY", "http://me:secret@proxy.example:3128", "proxy.example:3128"),
    ("ALL_PROXY", "http://me:sec/re@t@proxy.example:3128/", "proxy.example:3128"),
    ("HTTPS_PROXY", "proxy.example:3128", "proxy.example:3128"),
    ("HTTPS_PROXY", "http://proxy.example:99999999", "proxy.example:99999999"),
]


def in_proxys_place(monkeypatch: pytest.MonkeyPatch, **environ: str) -> None:
    for name in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_PROXY".upper(), raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(("variable", "value", "place"), PROXIED)
@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "The proxy {} on the way to https://host/v1 cannot be reached."),
        (socket.gaierror(-2, "Name or service not known"), "The proxy {} on the way to https://host/v1 cannot be reached."),
        (ssl.SSLCertVerificationError("CERTIFICATE_VERIFY_FAILED"), "is not trusted. It goes through the proxy {}."),
        (OSError("something new"), "failed. It goes through the proxy {}."),
    ],
)  # fmt: skip
def test_a_proxy_on_the_way_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    place: str,
    cause: Exception,
    words: str,
) -> None:
    in_proxys_place(monkeypatch, **{variable: value})
    told = failures.explained(caused(cause), ASKED)
    assert words.format(place) in told.message
    assert told.hint == f"{variable} names it; NO_PROXY goes around it."
    assert "sec" not in str(told)


async def test_a_proxy_that_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeServer(Answer(wire=b"HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n")) as server:
        root = server.base_url.removesuffix("/v1")
        in_proxys_place(monkeypatch, HTTPS_PROXY=root.replace("//", "//me:secret@"))
        told = await failing(server, url="https://host.invalid/v1")
    place = root.partition("//")[2]
    assert told.message in (
        f"The proxy {place} on the way to https://host.invalid/v1 refused.",
        f"The proxy {place} on the way to https://host.invalid/v1 cannot be reached.",
    )
    assert "NO_PROXY" in told.hint
    assert "secret" not in str(told)


@pytest.mark.parametrize(
    ("url", "around"),
    [("https://host/v1", "host"), ("http://127.0.0.1:1/v1", ""), ("https://[", "")],
)
def test_no_proxy_is_named_where_there_is_none_on_the_way(
    monkeypatch: pytest.MonkeyPatch, url: str, around: str
) -> None:
    in_proxys_place(monkeypatch, ALL_PROXY="http://proxy.example:3128", NO_PROXY=around)
    assert unreachable.proxy_for(url) == ("", "")
