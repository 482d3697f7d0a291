"""Which servers answer on this machine: asked without a key, all at once, and shortly."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterable
from dataclasses import replace

import pytest

from tests.fake_server import Answer, FakeServer
from tui_chat.core.endpoint_tables import known_endpoints
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.probing import Answered, addresses, ask, probe
from tui_chat.core.readiness import placed

KNOWN = {one.name: one for one in known_endpoints()}


def listing(owner: str, count: int = 1) -> Answer:
    rows = ",".join(f'{{"id":"m{n}","owned_by":"{owner}"}}' for n in range(count))
    return Answer(raw=f'{{"data":[{rows}]}}'.encode(), content_type="application/json")


def port_of(server: FakeServer) -> int:
    return int(server.base_url.rpartition(":")[2].split("/")[0])


async def probed(endpoints: Iterable[Endpoint]) -> dict[str, Answered | None]:
    return {one.name: answered async for one, answered in probe(endpoints)}


def test_the_usual_ports_are_known() -> None:
    ports = {name: one.ports for name, one in KNOWN.items() if one.ports}
    assert ports == {
        "ollama": (11434,),
        "lmstudio": (1234,),
        "llamacpp": (8080, 9931),
        "vllm": (8000,),
        "litellm": (4000,),
    }
    assert addresses(KNOWN["llamacpp"]) == ("http://127.0.0.1:8080/v1", "http://127.0.0.1:9931/v1")
    for name in ("built-in", "openai", "azure"):
        assert addresses(KNOWN[name]) == ()


async def test_a_probe_asks_for_the_models_and_sends_no_key() -> None:
    with FakeServer(models=["a", "b", "c"]) as server:
        answered = await ask(server.base_url)
    assert answered == Answered(server.base_url, 3)
    assert answered.words == "3 models"
    (request,) = server.requests
    assert (request.method, request.path) == ("GET", "/v1/models")
    assert set(request.headers) == {"host", "accept"}


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=404, error={"detail": "Not Found"}),
        Answer(status=500, error=b"oh"),
        Answer(raw=b"<html></html>", content_type="text/html"),
        Answer(raw=b'{"hello": "world"}', content_type="application/json"),
        Answer(raw=b"[" * 100_000, content_type="application/json"),
        Answer(wire=b"SSH-2.0-OpenSSH_9.9\r\n\r\n"),
        Answer(wire=b"\x15\x03\x03\x00\x02\x02\x16"),
        Answer(wire=b""),
        Answer(wire=b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n{}"),
        Answer(wire=b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n{}"),
        Answer(silent=True),
    ],
)
async def test_what_is_no_such_server_does_not_answer(answer: Answer) -> None:
    with FakeServer() as server:
        server.listed = answer
        began = time.monotonic()
        assert await ask(server.base_url, 0.1) is None
        assert time.monotonic() - began < 2


async def test_a_server_that_wants_a_key_answers_too() -> None:
    with FakeServer(key="k") as server:
        answered = await ask(server.base_url)
    assert answered == Answered(server.base_url)
    assert answered.words == "wants a key"


@pytest.mark.parametrize(
    ("kind", "there"),
    [("authentication_error", True), ("no_db_connection", True), ("other", False)],
)
async def test_a_proxy_that_wants_a_key_with_another_status_answers_too(
    kind: str, there: bool
) -> None:
    with FakeServer() as server:
        server.listed = Answer(status=400, error={"error": {"message": "No.", "type": kind}})
        assert await ask(server.base_url) == (Answered(server.base_url) if there else None)


async def test_all_are_asked_at_once_and_told_as_they_answer() -> None:
    with FakeServer() as first, FakeServer() as slow, FakeServer() as third:
        slow.listed = Answer(silent=True)
        order = [
            one.name
            async for one, _ in probe(
                [Endpoint("slow", slow.base_url), Endpoint("a", first.base_url), Endpoint("b", third.base_url)]
            )
        ]  # fmt: skip
    assert order[-1] == "slow"
    assert set(order) == {"slow", "a", "b"}


async def test_a_server_at_its_other_port_is_found_there() -> None:
    with socket.socket() as closed, FakeServer() as server:
        closed.bind(("127.0.0.1", 0))
        server.listed = listing("llamacpp")
        ports = (closed.getsockname()[1], port_of(server))
        endpoint = replace(KNOWN["llamacpp"], base_url=f"http://127.0.0.1:{ports[0]}/v1", ports=ports)  # fmt: skip
        answers = await probed([endpoint])
        assert answers["llamacpp"] == Answered(server.base_url, 1, "llamacpp")
        used = placed(endpoint, answers["llamacpp"])
    assert used == replace(endpoint, base_url=server.base_url)


async def test_a_server_of_its_own_kind_is_meant_before_one_of_another_kind() -> None:
    with FakeServer() as vllm, FakeServer() as llama:
        vllm.listed, llama.listed = listing("vllm"), listing("llamacpp")
        ports = (port_of(vllm), port_of(llama))
        endpoint = replace(KNOWN["llamacpp"], base_url=vllm.base_url, ports=ports)
        assert (await probed([endpoint]))["llamacpp"] == Answered(llama.base_url, 1, "llamacpp")


async def test_a_server_of_another_kind_is_used_as_what_it_is() -> None:
    with FakeServer() as server:
        server.listed = listing("llamacpp", 2)
        endpoint = replace(KNOWN["vllm"], base_url=server.base_url, ports=(port_of(server),))
        answered = (await probed([endpoint]))["vllm"]
        used = placed(endpoint, answered)
    assert (used.name, used.engine, used.base_url) == ("vllm", "llamacpp", server.base_url)
    assert used.rename == KNOWN["llamacpp"].rename
    assert placed(endpoint, None) == endpoint


async def test_who_stops_looking_leaves_no_connection_behind() -> None:
    with FakeServer() as server:
        server.listed = Answer(silent=True)
        looking = asyncio.create_task(probed([Endpoint("slow", server.base_url)]))
        while not server.requests:
            await asyncio.sleep(0.01)
        looking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await looking
        while not server.disconnects:
            await asyncio.sleep(0.01)
