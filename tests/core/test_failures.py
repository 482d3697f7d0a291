"""Every way a server fails is told in its own sentence, with what can be done, and never with a key."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import subprocess
import sys
import traceback
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fake_server import Answer, FakeServer
from tui_chat.core import failures
from tui_chat.core.conversation import Setup, Token, said
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.failures import Asked
from tui_chat.core.keys import Secret
from tui_chat.core.provider import Provider
from tui_chat.core.text import clean

KEY = "secret-key-0123456789"
ASKED = Asked(Endpoint("fake", "https://host/v1", key_env="FAKE_KEY"), "m-1", KEY)
PAGE = b"<!DOCTYPE html><html><head><title>Log in</title></head><body>Welcome</body></html>"


@dataclass(frozen=True)
class Row:
    """What a server does, and what must stand in the words that a person reads."""

    answer: Answer
    message: str
    hint: str = ""


def error(status: int, body: object, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, error=body, headers=named)


def openai(message: str, **more: object) -> dict[str, object]:
    return {"error": {"message": message, "type": "invalid_request_error", **more}}


def page(status: int) -> Answer:
    return error(status, PAGE, content_type="text/html")


BEFORE = {
    "400 in OpenAI's shape": Row(
        error(400, openai("Bad thing.")), "fake refused the request (400). It says: Bad thing."
    ),
    "400 as a list (Gemini)": Row(
        error(400, [openai("Unknown name.", code=400)]), "(400). It says: Unknown name."
    ),
    "400 as a text": Row(error(400, {"error": "no such thing"}), "It says: no such thing."),
    "400 with nothing to read": Row(error(400, {"odd": [1, 2]}), "fake refused the request (400)."),
    "llama.cpp's overflow": Row(
        error(
            400,
            openai(
                "request (631 tokens) exceeds the available context size (256 tokens)",
                type="exceed_context_size_error",
                n_prompt_tokens=631,
                n_ctx=256,
            ),
        ),
        "The conversation is too long: 631 tokens, and the model takes 256.",
        "Shorten",
    ),
    "OpenAI's overflow": Row(
        error(
            400,
            openai(
                "This model's maximum context length is 4097 tokens. However, your messages "
                "resulted in 5001 tokens. Please reduce the length of the messages.",
                code="context_length_exceeded",
                param="messages",
            ),
        ),
        "The conversation is too long: 5001 tokens, and the model takes 4097.",
    ),
    "an overflow without figures": Row(
        error(400, openai("Too long.", code="context_length_exceeded")),
        "The conversation is too long for this model.",
    ),
    "401": Row(
        error(401, openai("Incorrect API key provided: sk-abc****.", code="invalid_api_key")),
        "fake refused the key from FAKE_KEY (401).",
        "right key",
    ),
    "402": Row(
        error(402, openai("Insufficient Balance")), "wants to be paid first (402)", "balance"
    ),
    "403": Row(
        error(403, openai("Country not supported", code="unsupported_country_region_territory")),
        "does not allow this (403). It says: Country not supported.",
        "region",
    ),
    "404 for a model": Row(
        error(404, openai("The model `m-1` does not exist.", code="model_not_found")),
        "fake has no model “m-1” (404).",
        "Choose another.",
    ),
    "404 for a model without a code": Row(
        error(404, openai('model "m-1" not found, try pulling it first')), "no model “m-1”"
    ),
    "404 for a path (FastAPI)": Row(
        error(404, {"detail": "Not Found"}), "There is no API at http://127.0.0.1", "end in /v1?"
    ),
    "404 for a path (text)": Row(error(404, b"404 page not found"), "There is no API", "/v1?"),
    "404 for a path (page)": Row(page(404), "It sent a web page", "/v1?"),
    "405": Row(error(405, {}), "does not take requests at this address (405)", "/v1?"),
    "409": Row(error(409, {"error": "conflict"}), "refused the request (409). It says: conflict."),
    "413": Row(error(413, b""), "finds the request too large (413)", "Shorten"),
    "422 (FastAPI)": Row(
        error(422, {"detail": [{"loc": ["body", "messages"], "msg": "Field required"}]}),
        "(422). It says: Field required.",
    ),
    "429 for the rate": Row(
        error(429, openai("Slow down.", code="rate_limit_exceeded"), retry_after="20"),
        "fake gets too many requests (429).",
        "Try again in 20 s.",
    ),
    "429 for long": Row(error(429, {}, retry_after="86400"), "too many", "in 24 hours."),
    "429 until a date": Row(
        error(429, {}, retry_after="Wed, 21 Oct 2026 07:28:00 GMT"), "too many", "after Wed, 21 Oct"
    ),
    "429 for the quota": Row(
        error(429, openai("You exceeded your quota.", code="insufficient_quota"), retry_after="1"),
        "has no quota left (429)",
        "billing",
    ),
    "500": Row(error(500, openai("Oh no.")), "has a fault of its own (500). It says: Oh no."),
    "502 as a page": Row(page(502), "(502). It sent a web page instead of an answer.", "Try again"),
    "503 empty": Row(error(503, b"", retry_after="300"), "(503)", "Try again in 5 minutes."),
    "529": Row(error(529, openai("Overloaded")), "has a fault of its own (529)"),
    "a redirect": Row(
        error(307, b"", location="https://elsewhere.example/v1/chat/completions"),
        "sends requests on to https://elsewhere.example/v1/chat/completions (307); nothing was sent",
        "base URL",
    ),
    "a redirect to nowhere": Row(error(302, b""), "sends requests on to another address (302)"),
    "closed before an answer": Row(Answer(wire=b""), "closed the connection without an answer"),
    "reset before an answer": Row(
        Answer(cut_after=0, cut="reset"), "closed the connection without an answer"
    ),
    "not HTTP": Row(Answer(wire=b"SSH-2.0-OpenSSH_9\r\n\r\n"), "does not speak HTTP", "right port?"),
    "an error body cut short": Row(
        Answer(wire=b"HTTP/1.1 500 X\r\ncontent-length: 900\r\n\r\n{"), "closed the connection"
    ),
    "no answer": Row(Answer(silent=True), "No answer from http://127.0.0.1", "Try again."),
    "stalled before any text": Row(Answer(stall_after=0), "No answer from"),
    "200 with a page": Row(
        Answer(raw=PAGE, content_type="text/html; charset=utf-8"),
        "is a web page (text/html), not an API answer",
        "login page",
    ),
    "200 with an error": Row(
        Answer(
            raw=json.dumps(openai("No credits.")).encode(), content_type="application/json"
        ),
        "fake answered with an error: No credits.",
    ),
    "200 with an error and its status": Row(
        Answer(raw=b'{"error":{"message":"Pay.","code":402}}', content_type="application/json"),
        "wants to be paid first (402). It says: Pay.",
    ),
    "200 with another service's JSON": Row(
        Answer(raw=b'{"hello": "world"}', content_type="application/json"),
        'not an API answer (application/json). It begins: {"hello": "world"}.',
        "/v1?",
    ),
    "200 with a whole completion": Row(
        Answer(
            raw=b'{"id":"x","choices":[{"message":{"content":"hi"}}]}',
            content_type="application/json",
        ),
        "does not stream its answers",
    ),
    "200 with a text": Row(
        Answer(raw=b"It works! \x1b]0;title\x07", content_type="text/plain"),
        "not an API answer (text/plain). It begins: It works! ␛]0;title␇.",
    ),
    "200 empty": Row(Answer(raw=b"", content_type=""), "(no content type). It is empty."),
    "llama.cpp's old error field": Row(
        Answer(raw=b'error: {"code":500,"message":"oom"}\n\n'), 'It begins: error: {"code":500'
    ),
    "an error event first": Row(
        Answer(raw=b'data: {"error":{"message":"Overloaded","type":"server_error"}}\n\n'),
        "fake answered with an error: Overloaded.",
    ),
    "an error event that is a text": Row(
        Answer(raw=b'data: {"error":"out of memory"}\n\n'), "answered with an error: out of memory."
    ),
    "an overflow in the stream": Row(
        Answer(
            raw=b'data: {"error":{"message":"x","code":"context_length_exceeded"}}\n\n'
        ),
        "The conversation is too long",
    ),
    "a flat error event": Row(
        Answer(raw=b'event: error\ndata: {"message":"gone wrong"}\n\n'), "gone wrong"
    ),
    "JSON without a bottom": Row(
        Answer(raw=b"data: " + b"[" * 100_000 + b"\n\n"), "not in the API's form"
    ),
    "malformed JSON first": Row(Answer(raw=b"data: {nope\n\n"), "not in the API's form"),
    "an empty event first": Row(Answer(raw=b"data:\n\n"), "not in the API's form"),
    "bad UTF-8 first": Row(Answer(raw=b'data: {"a":"\xff"}\n\n'), "not in the API's form"),
}  # fmt: skip


async def failing(server: FakeServer, **more: str) -> ChatError:
    """The error that a reply from this server ends with."""
    endpoint = Endpoint("fake", more.get("url", server.base_url), key_env="FAKE_KEY")
    provider = Provider(endpoint, Secret(KEY), read_seconds=0.4)
    tokens: list[Token] = []
    try:
        with pytest.raises(ChatError) as caught:
            await provider.reply(Setup("fake", "m-1"), [said("user", "hi")], tokens.append)
    finally:
        await provider.close()
    assert tokens == []
    return caught.value


@pytest.mark.parametrize("row", BEFORE.values(), ids=BEFORE.keys())
async def test_a_reply_that_never_began_says_why(row: Row) -> None:
    with FakeServer(row.answer) as server:
        told = await failing(server)
        assert len(server.chats) == 1, "nothing is sent twice by itself"
    assert row.message in told.message
    assert row.hint in told.hint
    assert told.message.endswith(".")
    assert clean(str(told)) == str(told)
    assert "<" not in str(told)


CUT = {
    "a chunk broken off": (Answer(cut_after=2), "lost in the middle"),
    "a reset": (Answer(cut_after=2, cut="reset", delay=0.02), "lost in the middle"),
    "an end without a finish": (Answer(finish=None), "stopped without an end"),
    "an early end": (Answer(cut_after=2, cut="end"), "stopped without an end"),
    "a stall": (Answer(stall_after=2), "fake sent nothing more for 0.4 s."),
    "malformed JSON": (Answer(inject={2: b"data: {nope\n\n"}), "not in the API's form"),
    "bad UTF-8": (Answer(inject={2: b'data: "\xff"\n\n'}), "not in the API's form"),
    "an error event": (
        Answer(inject={2: b'data: {"error":{"message":"Overloaded","code":"529"}}\n\n'}),
        "fake broke off: Overloaded.",
    ),
    "an error event that is a text": (
        Answer(inject={2: b'data: {"error":"oom"}\n\n'}), "fake broke off: oom.",
    ),
    "a named error event": (
        Answer(inject={2: b'event: error\ndata: {"error":{"message":"Stop."}}\n\n'}),
        "fake broke off: Stop.",
    ),
    "the key in an error event": (
        Answer(inject={2: b'data: {"error":"bad key ' + KEY.encode() + b'"}\n\n'}),
        "fake broke off: bad key ***.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "words"), CUT.values(), ids=CUT.keys())
async def test_a_reply_that_broke_off_keeps_its_text_and_says_why(
    answer: Answer, words: str
) -> None:
    with FakeServer(answer) as server:
        endpoint = Endpoint("fake", server.base_url)
        provider = Provider(endpoint, Secret(KEY), read_seconds=0.4)
        tokens: list[Token] = []
        ending = await provider.reply(Setup("fake", "m"), [said("user", "hi")], tokens.append)
        await provider.close()
        assert len(server.chats) == 1
    assert ending.status == "cut"
    assert words in ending.error
    assert "".join(token.text for token in tokens).startswith("Hello,")


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


@pytest.mark.parametrize(
    "answer",
    [
        error(400, openai(f"bad key {KEY} here")),
        error(400, openai("x" * 290 + KEY)),
        error(401, {"detail": f"Bearer {KEY}"}),
        error(302, b"", location=f"https://elsewhere.example/?key={KEY}"),
        Answer(raw=f"you sent {KEY}".encode(), content_type="text/plain"),
        Answer(raw=json.dumps({"error": KEY}).encode(), content_type="application/json"),
        Answer(raw=f'event: error\ndata: {{"message":"{KEY}"}}\n\n'.encode()),
    ],
)
async def test_a_key_in_a_servers_words_is_not_repeated(answer: Answer) -> None:
    with FakeServer(answer) as server:
        told = await failing(server)
    shown = "".join(traceback.format_exception(told))
    assert KEY not in shown
    assert KEY[:10] not in str(told)


def test_keys_of_a_known_form_are_hidden_even_when_they_are_not_ours() -> None:
    body = openai("Incorrect API key provided: sk-proj-abcdefghijkl.")
    assert failures.server_words(body) == "Incorrect API key provided: ***."


@pytest.mark.parametrize("key", ["two words\n", "schlüssel", "a\x00b", "", "line\nbreak"])
async def test_a_key_that_no_header_can_carry_is_told_by_its_source(key: str) -> None:
    with FakeServer() as server:
        provider = Provider(Endpoint("fake", server.base_url, key_env="FAKE_KEY"), Secret(key))
        with pytest.raises(ChatError, match="What FAKE_KEY holds cannot be a key") as caught:
            await provider.models()
        assert not server.requests
    shown = "".join(traceback.format_exception(caught.value))
    assert not key.strip() or key.strip() not in shown


@pytest.mark.parametrize(
    ("endpoint", "key", "words"),
    [
        (Endpoint("e", "http://h", key_env="E_KEY"), "k1234", "refused the key from E_KEY (401)"),
        (Endpoint("e", "http://h", key_command=("pass", "x")), "k1234", "from the command pass"),
        (Endpoint("e", "http://h"), "", "refused a request without a key (401)"),
        (Endpoint("e", "http://h"), "k1234", "refused its key (401)"),
    ],
)
def test_a_refused_key_is_told_by_where_it_came_from(
    endpoint: Endpoint, key: str, words: str
) -> None:
    assert words in failures.from_status(401, None, {}, Asked(endpoint, "m", key)).message


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (openai("Unsupported parameter", param="max_tokens"), "max_tokens"),
        (openai("x", param="generation_config.temperature"), "temperature"),
        (openai("Unsupported value: 'temperature' does not support 0.8.", code=None), "temperature"),
        ([openai('Unknown name "frequency_penalty": Cannot find field.')], "frequency_penalty"),
        (openai("property `seed` is unsupported"), "seed"),
        (openai("temperature is deprecated for this model."), "temperature"),
        (openai("temperature and top_p cannot both be specified."), "temperature"),
        (openai("Unsupported parameter: seed"), "seed"),
        ({"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]}, "seed"),
        (
            {"message": {"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs"}]}},
            "seed",
        ),
        (openai("This model ignores the temperature of its seed."), None),
        (openai("top_k is not known here"), None),
        (openai("Something else entirely"), None),
        (openai("'max_tokens' too large", code="context_length_exceeded"), None),
        ("just a text", None),
        (None, None),
    ],
)  # fmt: skip
def test_the_field_that_a_refusal_names_is_found(body: object, field: str | None) -> None:
    sent = ["temperature", "top_p", "max_tokens", "frequency_penalty", "seed"]
    assert failures.refused_field(body, sent) == field


def test_a_length_that_is_too_large_is_no_conversation_that_is_too_long() -> None:
    body = openai(
        "'max_tokens' is too large: 5000. This model's maximum context length is 4096 tokens "
        "and your request has 100 input tokens.",
        param="max_tokens",
    )
    assert failures.refused_field(body, ["max_tokens"]) == "max_tokens"
    assert "too long" not in failures.from_status(400, body, {}, ASKED).message


def test_an_error_inside_an_error_is_read() -> None:
    inner = json.dumps(openai("The true reason."))
    assert failures.server_words({"error": {"message": inner}}) == "The true reason."


def test_a_servers_words_are_cut_and_cleaned() -> None:
    body = {"error": {"message": "a\x1b[31m\n\u202e[bold]" + "x" * 5_000_000}}
    words = failures.server_words(body)
    assert words.startswith("a␛[31m \ufffd[bold]xxx")
    assert len(words) == 300


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["error", "message", "detail", "code", "param", "loc", "n_ctx", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from([302, 400, 401, 404, 413, 422, 429, 500, 599]))
def test_any_body_makes_a_sentence(body: object, status: int) -> None:
    told = failures.from_status(status, body, {}, ASKED)
    assert f"({status})" in told.message or "too long" in told.message
    assert clean(str(told)) == str(told)
    assert failures.refused_field(body, ["seed"]) in (None, "seed")
    assert failures.from_stream(body, ASKED).message


def test_deep_nesting_ends() -> None:
    body: object = "bottom"
    for _ in range(5_000):
        body = {"error": [body]}
    assert failures.server_words(body) == ""
    assert failures.refused_field(body, ["seed"]) is None
    assert failures.not_an_api("application/json", "[" * 100_000, ASKED).message


async def test_a_huge_error_body_is_not_read_to_its_end() -> None:
    head = b"HTTP/1.1 500 X\r\ncontent-length: 4000000000\r\n\r\n"
    with FakeServer(Answer(wire=head + b"z" * 3_000_000)) as server:
        told = await asyncio.wait_for(failing(server), 20)
    assert "(500)" in told.message
    assert len(told.message) < 400


def test_the_failures_load_no_client() -> None:
    code = (
        "import sys, tui_chat.core.failures, tui_chat.core.provider;"
        "print([name for name in ('openai', 'httpx2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
