"""What a server or a network does to a reply reaches a person in words, and never with a key."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator

import pytest

from tests.fake_server import Answer, FakeServer
from tui_chat.core.chunks import Ending
from tui_chat.core.conversation import Setup, Token, said
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.keys import Secret
from tui_chat.core.params import Params
from tui_chat.core.provider import Provider
from tui_chat.core.wire import Request

KEY = "canary-0123456789-abcdefghij"
SETUP = Setup("fake", "m-1", params=Params({"temperature": 0.5, "max_tokens": 9}))
HI = (said("user", "hi"),)
JSON = "application/json"


async def until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Wait for a condition; AssertionError when it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        await asyncio.sleep(0.002)


async def outcome(
    base_url: str, key: str = KEY, *, models: bool = False
) -> tuple[str, Ending | ChatError | None]:
    """The text that arrived, and how it ended."""
    provider = Provider(Endpoint("fake", base_url, key_env="K"), Secret(key), read_seconds=1)
    tokens: list[Token] = []
    ended: Ending | ChatError | None = None
    try:
        if models:
            await provider.models()
        else:
            ended = await provider.reply(Request(SETUP, HI), tokens.append)
    except ChatError as error:
        ended = error
    finally:
        await provider.close()
    return "".join(token.text for token in tokens), ended


def linked(error: BaseException | None) -> Iterator[BaseException]:
    """An error and everything that hangs on it, shown or not."""
    todo, seen = [error], set[int]()
    while todo:
        one = todo.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            todo += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]


ECHO = json.dumps({"error": {"message": f"You sent Bearer {KEY}, which is wrong.", "code": KEY}})
ECHOES = {
    "a refusal": Answer(status=400, error=ECHO.encode(), headers={"content-type": JSON}),
    "a refused key": Answer(status=401, error=ECHO.encode(), headers={"content-type": JSON}),
    "a refusal that names a field": Answer(
        status=400, error={"error": {"message": f"'temperature' {KEY}", "param": "temperature"}}
    ),
    "a fault": Answer(status=500, error=KEY.encode()),
    "a redirect": Answer(status=302, error=b"", headers={"location": f"https://x.example/{KEY}"}),
    "another type": Answer(raw=KEY.encode(), content_type="text/plain"),
    "its header": Answer(raw=b"{}", content_type=f"text/{KEY}"),
    "a request's id": Answer(status=400, error={"e": 1}, headers={"x-request-id": KEY}),
    "a completion": Answer(raw=ECHO.encode(), content_type=JSON),
    "an error event": Answer(raw=b"data: " + ECHO.encode() + b"\n\n"),
    "a flat error event": Answer(raw=b'event: error\ndata: {"message":"' + KEY.encode() + b'"}\n\n'),
    "malformed JSON": Answer(raw=b"data: {" + KEY.encode() + b"\n\n"),
    "a broken head": Answer(wire=b"HTTP/1.1 " + KEY.encode() + b"\r\n\r\n"),
    "a broken header": Answer(wire=b"HTTP/1.1 200 X\r\n" + KEY.encode() + b"\r\n\r\n"),
    "nothing": Answer(wire=b""),
    "no answer": Answer(silent=True),
}  # fmt: skip


@pytest.mark.parametrize("models", [False, True], ids=["reply", "models"])
@pytest.mark.parametrize("answer", ECHOES.values(), ids=ECHOES.keys())
async def test_no_error_holds_the_key_however_one_looks_at_it(answer: Answer, models: bool) -> None:
    with FakeServer(answer) as server:
        server.listed = answer
        _, told = await outcome(server.base_url, models=models)
        assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert isinstance(told, ChatError)
    for one in linked(told):
        assert KEY not in f"{one} {one!r} {one.args} {vars(one)}"


@pytest.mark.parametrize("key", [f"{KEY}\nX-Evil: 1", f"{KEY} {KEY}", f"{KEY}\x00", f"{KEY}é"])
async def test_a_key_that_no_header_can_carry_is_in_no_error(key: str) -> None:
    with FakeServer() as server:
        _, told = await outcome(server.base_url, key)
        assert not server.requests
    assert isinstance(told, ChatError)
    assert "What K holds cannot be a key" in told.message
    assert [KEY for one in linked(told) if KEY in f"{one!r} {one.args} {vars(one)}"] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTPS_PROXY", f"junk://user:{KEY}@127.0.0.1:1"),
        ("ALL_PROXY", f"socks5://user:{KEY}@127.0.0.1:1"),
        ("HTTPS_PROXY", f"http://user:{KEY}@127.0.0.1:1"),
        ("HTTPS_PROXY", f"http://user:{KEY}@127.0.0.1:99999999"),
    ],
)
async def test_no_error_holds_the_password_of_a_proxy(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    _, told = await outcome("https://host.invalid/v1", "another-key")
    assert isinstance(told, ChatError)
    assert [one for one in linked(told) if KEY in f"{one!r} {one.args} {vars(one)}"] == []


# Odd bodies and streams

NEVER_BEGAN = {
    "a JSON list": (Answer(raw=b"[1,2]", content_type=JSON), "It begins: [1,2]."),
    "a JSON number": (Answer(raw=b"7", content_type=JSON), "It begins: 7."),
    "null": (Answer(raw=b"null", content_type=JSON), "It begins: null."),
    "an error as a text": (
        Answer(raw=b'{"error":"out of credits"}', content_type=JSON), "out of credits",
    ),
    "an error in a list": (
        Answer(raw=b'[{"error":{"message":"Unknown name."}}]', content_type=JSON), "Unknown name.",
    ),
    "an end after the role": (Answer(cut_after=0, cut="end"), "stopped without an end"),
    "only [DONE]": (Answer(raw=b"data: [DONE]\n\n"), "not an API answer"),
    "only comments": (Answer(raw=b": hello\n\n: hello\n\n"), "It begins: : hello"),
    "no body at all": (Answer(wire=b"HTTP/1.1 204 X\r\n\r\n"), "It is empty."),
    "less than promised": (
        Answer(wire=b"HTTP/1.1 200 X\r\ncontent-length: 99\r\n\r\n: "), "closed the connection",
    ),
    "a body that is no gzip": (
        Answer(raw=b"data: {}", headers={"content-encoding": "gzip"}), "not in the API's form",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "words"), NEVER_BEGAN.values(), ids=NEVER_BEGAN.keys())
async def test_what_is_no_reply_is_told_as_what_it_is(answer: Answer, words: str) -> None:
    with FakeServer(answer) as server:
        text, told = await outcome(server.base_url)
        assert len(server.chats) == 1
    assert isinstance(told, ChatError)
    assert words in told.message
    assert told.hint
    assert text == ""


@pytest.mark.parametrize("event", [b"[1,2]", b"7", b"null", b'"text"', b"{}", b"[DONE"])
async def test_an_event_that_is_no_chunk_costs_no_text(event: bytes) -> None:
    with FakeServer(Answer(inject={2: b"data: " + event + b"\n\n"})) as server:
        text, ending = await outcome(server.base_url)
    assert isinstance(ending, Ending)
    assert text.startswith("Hello,")
    assert (ending.status == "complete") == (text == "Hello, world.")


async def test_a_connection_that_breaks_after_the_end_takes_nothing_away() -> None:
    event = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    finish = b"data: " + json.dumps(event).encode() + b"\n\n"
    with FakeServer(Answer(("All.", "", "x"), inject={1: finish}, cut_after=2)) as server:
        text, ending = await outcome(server.base_url)
    assert isinstance(ending, Ending)
    assert (text, ending.status, ending.error) == ("All.", "complete", "")


@pytest.mark.parametrize(
    "place",
    [
        # Under a name that is nobody's, for the resolver is asked for some of them.
        "http://a..b.invalid/v1", f"http://{'a' * 70}.invalid/v1", "http:///v1",
        "http://127.0.0.1:99999/v1", "http://127.0.0.1:x/v1", "http://ho st.invalid/v1", "nonsense",
        "http://\x00/v1", "http://127.0.0.1:0/v1",
    ],
)  # fmt: skip
async def test_an_address_that_cannot_be_is_told_in_words(place: str) -> None:
    for models in (False, True):
        _, told = await outcome(place, models=models)
        assert isinstance(told, ChatError)
        assert "sent something" not in told.message, "nobody sent anything"
        assert "\x00" not in str(told)


# Refusals, as different servers word them

REFUSALS: dict[str, tuple[object, str]] = {
    "OpenAI": (
        {"error": {"message": "Unsupported value: 'temperature' does not support 0.5 with this model.",
                   "param": "temperature", "code": "unsupported_value"}},
        "Unsupported value",
    ),
    "OpenAI without param": (
        {"error": {"message": "Unsupported parameter: 'temperature' is not supported.", "code": None}},
        "Unsupported parameter",
    ),
    "Claude": (
        {"error": {"code": "invalid_request_error", "type": "invalid_request_error",
                   "message": "temperature is deprecated for this model."}},
        "temperature is deprecated for this model.",
    ),
    "Gemini": (
        [{"error": {"code": 400, "status": "INVALID_ARGUMENT",
                    "message": 'Invalid JSON payload received. Unknown name "temperature": Cannot find field.'}}],
        "Unknown name",
    ),
    "FastAPI": (
        {"detail": [{"loc": ["body", "temperature"], "msg": "Extra inputs are not permitted"}]},
        "Extra inputs are not permitted",
    ),
    "a plain text": ({"error": "unsupported parameter: temperature"}, "unsupported parameter"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "words"), REFUSALS.values(), ids=REFUSALS.keys())
async def test_a_refusal_is_understood_told_and_remembered(body: object, words: str) -> None:
    told: list[str] = []
    with FakeServer() as server:
        server.refuses = {"temperature": body}
        provider = Provider(Endpoint("fake", server.base_url), None)
        endings = [
            await provider.reply(
                Request(SETUP, HI), list[Token]().append, notice=lambda r: told.append(r.name)
            )
            for _ in range(2)
        ]
        await provider.close()
        assert ["temperature" in sent for sent in server.chats] == [True, False, False]
        assert all(sent["max_tokens"] == 9 for sent in server.chats)
    assert told == ["temperature"], "once, at once"
    for ending in endings:
        ((name, said),) = [(one.name, one.words) for one in ending.refused]
        assert name == "temperature"
        assert words in said


# The connection itself


async def test_closing_in_the_middle_of_a_reply_keeps_its_text() -> None:
    tokens: list[Token] = []
    with FakeServer(Answer(["word "] * 1_000, delay=0.01)) as server:
        provider = Provider(Endpoint("fake", server.base_url), None)
        task = asyncio.create_task(provider.reply(Request(SETUP, HI), tokens.append))
        await until(lambda: len(tokens) > 2)
        await provider.close()
        ending = await asyncio.wait_for(task, 10)
        await until(lambda: server.disconnects)
    assert ending.status == "cut"
    assert ending.error


async def test_a_cancelled_list_of_models_closes_its_connection() -> None:
    with FakeServer() as server:
        server.listed = Answer(silent=True)
        provider = Provider(Endpoint("fake", server.base_url), None)
        task = asyncio.create_task(provider.models())
        await until(lambda: server.requests)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: server.disconnects)
        await provider.close()


async def test_another_machine_is_asked_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeServer() as proxy:
        for name in ("NO_PROXY", "no_proxy", "http_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTP_PROXY", proxy.base_url.removesuffix("/v1"))
        text, ending = await outcome("http://models.invalid/v1")
        (request,) = proxy.requests
    assert request.path == "http://models.invalid/v1/chat/completions"
    assert text == "Hello, world."
    assert isinstance(ending, Ending)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "ALL_PROXY", "http_proxy"])
async def test_this_machine_is_never_asked_through_a_proxy(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with FakeServer() as server, FakeServer() as proxy:
        monkeypatch.setenv(name, proxy.base_url.removesuffix("/v1"))
        text, _ = await outcome(server.base_url)
        assert not proxy.requests
    assert text == "Hello, world."
