"""A list of models with a row that means harm is still a list; what is no size or price is none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.core.wire import HI, SETUP, provider_for
from tests.fake_server import Answer, FakeServer
from tui_chat.core.conversation import Usage
from tui_chat.core.price import own_price, price_of
from tui_chat.core.served import LARGEST, listed, served_model
from tui_chat.core.text import clean
from tui_chat.widgets.meter import short

HUGE = 10**400


@pytest.mark.parametrize("row", [
    {"pricing": {"prompt": "9e999999", "completion": "1"}},
    {"pricing": {"prompt": "1", "completion": "1", "input_cache_read": "9e999999"}},
    {"pricing": {"input": 1, "output": 1, "cached_input": "9e999999"}},
    {"pricing": {"input": [], "output": {}}},
    {"type": []},
    {"type": {"a": 1}},
    {"capabilities": [], "architecture": {"output_modalities": [[], {}]}},
    {"context_length": HUGE, "meta": {"n_vocab": HUGE, "n_ctx": -1}},
    {"deprecation": HUGE, "shutdown_date": -HUGE, "expiration_date": [1]},
    {"supported_parameters": [[[]], {}, None], "owned_by": 3},
])  # fmt: skip
async def test_a_list_with_an_odd_row_is_still_a_list(row: dict[str, Any]) -> None:
    body = json.dumps({"data": [{"id": "m-1", **row}, {"id": "m-2"}]}).encode()
    with FakeServer() as server:
        server.listed = Answer(raw=body, content_type="application/json")
        async with provider_for(server) as provider:
            assert [one.id for one in await provider.models()] == ["m-1", "m-2"]


def test_a_row_that_cannot_be_read_is_left_out() -> None:
    class Odd(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            raise ArithmeticError(key)

    found = listed([Odd(id="m-1"), {"id": "m-2"}])
    assert found is not None
    assert list(found) == ["m-2"]


@pytest.mark.parametrize(
    "size", [HUGE, LARGEST + 1, 0, -1, True, 1.5, "9"], ids=lambda one: str(one)[:9]
)
def test_what_is_no_number_of_tokens_is_left_out(size: object) -> None:
    row = {"id": "m", "context_length": size, "meta": {"n_vocab": size}}
    assert served_model(row).context is None
    assert served_model(row).vocabulary is None


def test_the_largest_number_of_tokens_can_be_shown() -> None:
    context = served_model({"id": "m", "context_length": LARGEST}).context
    assert context is not None
    assert short(context) == "1e+03M"


@pytest.mark.parametrize("per", [1, 10**6])
def test_a_price_beyond_all_prices_is_none_and_costs_no_exception(per: int) -> None:
    assert price_of("9e999999", "1e-9", None, per=per) is None
    assert price_of("1e-9", "9e999999", None, per=per) is None
    found = price_of("1e-9", "1e-9", "9e999999", per=per)
    assert found is not None
    assert found.cached is None
    assert found.of(Usage(10, 10, None, 5)) is not None
    tiny = price_of("1e-999999", "1e-999999", None, per=per)
    assert tiny is None or (str(tiny) and tiny.of(Usage(10**12, 10**12)) is not None)


@pytest.mark.parametrize("count", [HUGE, -1, True, 1.5], ids=lambda one: str(one)[:9])
async def test_what_is_no_count_of_tokens_is_none(count: object) -> None:
    with FakeServer() as server:
        path = "/v1/chat/completions/input_tokens"
        raw = json.dumps({"input_tokens": count}).encode()
        server.by_path[path] = Answer(raw=raw, content_type="application/json")
        async with provider_for(server, counts_tokens=True) as provider:
            assert await provider.count(SETUP, HI) is None


def test_a_mistake_in_a_price_is_said_without_control_characters() -> None:
    with pytest.raises(ValueError, match="there is no") as caught:
        own_price({"a\x1b[31mb\u202e": 1})
    assert clean(str(caught.value)) == str(caught.value)
