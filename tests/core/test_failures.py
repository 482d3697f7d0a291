"""Every way a server fails is told in its own sentence, with what can be done."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

import pytest

from tests.core.failing import KEY, error, failing, openai
from tests.fake_server import Answer, FakeServer
from tui_chat.core.conversation import Setup, Token, said
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.keys import Secret
from tui_chat.core.provider import Provider
from tui_chat.core.text import clean
from tui_chat.core.wire import Request

PAGE = b"<!DOCTYPE html><html><head><title>Log in</title></head><body>Welcome</body></html>"


@dataclass(frozen=True)
class Row:
    """What a server does, and what must stand in the words that a person reads."""

    answer: Answer
    message: str
    hint: str = ""


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
        "The conversation is 375 tokens too long: it has 631, and the model takes 256.",
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
        "The conversation is 904 tokens too long: it has 5001, and the model takes 4097.",
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
        "Choose another: /model or --model.",
    ),
    "404 for a model without a code": Row(
        error(404, openai('model "m-1" not found, try pulling it first')), "no model “m-1”"
    ),
    "400 for a model (LiteLLM)": Row(
        error(400, openai("Invalid model name passed in model=m-1. Call `/v1/models`.", code="400")),
        "fake has no model “m-1” (400).",
        "Choose another",
    ),
    "a key that a proxy does not know (LiteLLM)": Row(
        error(400, openai("No connected db.", type="no_db_connection", code="400")),
        "fake refused the key from FAKE_KEY",
    ),
    "404 for a path (FastAPI)": Row(
        error(404, {"detail": "Not Found"}), "There is no API at http://127.0.0.1", "Is the base URL right? Another: /endpoint URL"
    ),
    "404 for a path (text)": Row(error(404, b"404 page not found"), "There is no API", "Is the base URL right?"),
    "404 for a path (page)": Row(page(404), "It sent a web page", "Is the base URL right?"),
    "405": Row(error(405, {}), "does not take requests at this address (405)", "Is the base URL right?"),
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
        "Is the base URL right?",
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
    "200 with a stream of nothing": Row(Answer(raw=b""), "fake began to answer and said nothing."),
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
}  # fmt: skip


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
        ending = await provider.reply(
            Request(Setup("fake", "m"), [said("user", "hi")]), tokens.append
        )
        await provider.close()
        assert len(server.chats) == 1
    assert ending.status == "cut"
    assert words in ending.error
    assert "".join(token.text for token in tokens).startswith("Hello,")


def test_the_failures_load_no_client() -> None:
    code = (
        "import sys, tui_chat.core.failures, tui_chat.core.provider;"
        "print([name for name in ('openai', 'httpx2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
