"""What is read out of a server's words: the field refused, the reason, and a sentence in any case."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.failing import ASKED, failing, openai
from tests.fake_server import Answer, FakeServer
from tui_chat.core import failures
from tui_chat.core.text import clean


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


def test_a_length_that_is_too_large_is_told_with_the_conversation_and_is_no_field_refused() -> None:
    body = openai(
        "'max_tokens' is too large: 5000. This model's maximum context length is 4096 tokens "
        "and your request has 100 input tokens.",
        param="max_tokens",
    )
    assert failures.refused_field(body, ["max_tokens"]) is None
    told = failures.from_status(400, body, {}, ASKED).message
    assert told.startswith(
        "With the max length the conversation is 1004 tokens too long: 100 + 5000, and the model takes 4096."
    )


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
