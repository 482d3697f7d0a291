"""Prices as values, a person's own ones in settings, and who is believed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.fake_server import Answer, FakeServer
from tests.rooms.house import environment
from tui_chat.core.conversation import Message, Setup, Usage, said
from tui_chat.core.measure import Measure
from tui_chat.core.params import Params
from tui_chat.core.price import Price, dollars
from tui_chat.core.settings import load_settings
from tui_chat.core.world import World

MINI = Price(Decimal("0.15"), Decimal("0.6"), Decimal("0.075"))
USED = Usage(prompt_tokens=1_000_000, completion_tokens=500_000)
OWN = """
[endpoints.lab]
base_url = "https://lab.example/v1"

[prices."some-model"]
input = 1
output = 2.5

[prices."lab/some-model"]
input = 0.15
output = 0.60
cached = 0.075
"""


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (USED, "0.45"),
        (replace(USED, cached_tokens=400_000), "0.42"),
        (replace(USED, cached_tokens=9_000_000), "0.375"),
        (replace(USED, reasoning_tokens=100_000), "0.45"),
        (replace(USED, reasoning_tokens=600_000), "0.81"),
        (Usage(prompt_tokens=5), None),
        (Usage(), None),
        (Usage(prompt_tokens=-5, completion_tokens=1), None),
    ],
)
def test_a_price_makes_a_cost(usage: Usage, expected: str | None) -> None:
    assert MINI.of(usage) == (None if expected is None else Decimal(expected))


def test_without_a_price_of_their_own_cached_tokens_cost_as_others() -> None:
    plain = replace(MINI, cached=None)
    assert plain.of(replace(USED, cached_tokens=400_000)) == Decimal("0.45")


def test_reasoning_that_is_counted_apart_is_paid_as_output() -> None:
    assert MINI.of(replace(USED, reasoning_tokens=100_000), apart=True) == Decimal("0.51")


@pytest.mark.parametrize(
    ("amount", "expected"),
    [("0.15", "$0.15"), ("0.6", "$0.60"), ("0.075", "$0.075"), ("15", "$15"), ("0.0375", "$0.0375"),
     ("2.50", "$2.50"), ("10.000", "$10"), ("0.00001", "$0.00001"), ("100", "$100")],
)  # fmt: skip
def test_prices_are_shown_as_people_read_them(amount: str, expected: str) -> None:
    assert dollars(Decimal(amount)) == expected


# In settings


def test_a_persons_own_prices_are_read(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text(OWN)
    settings = load_settings(tmp_path / "settings.toml")
    assert not settings.problems
    assert settings.prices == {
        "some-model": Price(Decimal(1), Decimal("2.5")),
        "lab/some-model": MINI,
    }


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("prices = 3\n", "1:", "prices are tables"),
        ('\n[prices]\n"m" = 3\n', "3:", "a price is a table"),
        ('[prices."m"]\ninput = 1\n', "1:", "output is missing"),
        ('[prices."m"]\ninput = -1\noutput = 1\n', "1:", "input takes dollars per million tokens"),
        ('[prices."m"]\ninput = 1\noutput = "1"\n', "1:", "output takes dollars"),
        ('[prices."m"]\ninput = nan\noutput = 1\n', "1:", "input takes dollars"),
        ('[prices."m"]\ninput = 1\noutput = 1e300\n', "1:", "output takes dollars"),
        ('[prices."m"]\ninput = true\noutput = 1\n', "1:", "input takes dollars"),
        ('[prices."m"]\ninput = 1\noutput = 1\nprice = 1\n', "1:", "no “price” in a price"),
    ],
)
def test_what_is_wrong_with_a_price_is_named_with_its_line(
    tmp_path: Path, text: str, place: str, words: str
) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text + '\n[prices."good"]\ninput = 1\noutput = 1\n' * ("[" in text))
    settings = load_settings(path)
    (problem,) = settings.problems
    assert problem.startswith(f"settings.toml:{place}")
    assert words in problem
    assert set(settings.prices) == ({"good"} if "[" in text else set())


# Who is believed


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    environ = environment(tmp_path)
    settings = tmp_path / "config" / "settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(OWN)
    made = World.standard(environ)
    yield made
    await made.close()


def replied(endpoint: str, model: str, usage: Usage = USED) -> Message:
    return replace(said("assistant", "a", setup=Setup(endpoint, model)), usage=usage, created=0)


@pytest.mark.parametrize(
    ("endpoint", "model", "source", "price"),
    [
        ("lab", "some-model", "own", "$0.15 / $0.60"),
        ("openai", "some-model", "own", "$1 / $2.50"),
        ("openai", "gpt-4o-mini", "tables", "$0.15 / $0.60"),
        ("gemini", "models/gemini-2.5-flash", "tables", "$0.30 / $2.50"),
        ("ollama", "llama3", "local", "free"),
        ("lab", "other", None, None),
        ("litellm", "gpt-4o-mini", None, None),
    ],
)
async def test_a_price_is_ones_own_or_of_the_tables_or_not_known(
    world: World, endpoint: str, model: str, source: str | None, price: str | None
) -> None:
    found = world.costs.price(world.endpoint(endpoint), model)
    assert (found and found.source, found and str(found.price)) == (source, price)


async def test_the_servers_list_comes_before_the_tables_and_after_ones_own(
    tmp_path: Path, world: World
) -> None:
    rows = [
        {"id": name, "pricing": {"prompt": "0.000001", "completion": "0.000002"}}
        for name in ("some-model", "listed")
    ]
    with FakeServer() as server:
        server.listed = Answer(
            raw=json.dumps({"data": rows}).encode(), content_type="application/json"
        )
        here = world.add_endpoint(server.base_url)
        await (await world.provider(here.name)).models()
        own, listed, local = (
            world.costs.price(here, name) for name in ("some-model", "listed", "other")
        )
    found = [(one.source, str(one.price)) for one in (own, listed, local) if one is not None]
    assert found == [("own", "$1 / $2.50"), ("listed", "$1 / $2"), ("local", "free")]
    assert world.costs.reply(replied(here.name, "listed")) == Decimal(2)
    assert world.costs.reply(replied(here.name, "other")) == 0


async def test_what_an_earlier_run_got_from_this_machine_is_free_only_where_that_is_known(
    tmp_path: Path, world: World
) -> None:
    rows = [{"id": "listed", "pricing": {"prompt": "0.000001", "completion": "0.000002"}}]
    with FakeServer() as server:
        server.listed = Answer(
            raw=json.dumps({"data": rows}).encode(), content_type="application/json"
        )
        here = world.add_endpoint(server.base_url)
        old = replace(replied(here.name, "listed"), created=world.began - 1)
        other = replace(replied(here.name, "other"), created=world.began - 1)
        new = replace(replied(here.name, "other"), created=world.began)
        assert [world.costs.reply(one) for one in (old, other, new)] == [None, None, 0]
        assert world.costs.bill(old).priced is None
        assert not world.costs.waits(old)
        await (await world.provider(here.name)).models()
        assert world.costs.waits(old)
        assert [world.costs.reply(one) for one in (old, other)] == [2, 0]
        assert not world.costs.waits(old)
    ollama = replace(replied("ollama", "llama3"), created=world.began - 1)
    assert world.costs.reply(ollama) == 0


async def test_a_reply_has_its_cost_once_it_is_reckoned(world: World) -> None:
    costs, reply = world.costs, replied("lab", "some-model")
    estimated = replied("lab", "some-model", replace(USED, estimated=True))
    assert costs.waits(reply)
    assert costs.known(reply) == ""
    costs.reply(reply)
    costs.reply(estimated)
    assert not costs.waits(reply)
    assert costs.known(reply) == "$0.45"
    assert costs.known(estimated) == "≈$0.45"
    assert costs.counted == 2
    assert not costs.waits(replied("lab", "some-model", Usage()))
    unknown = replied("gone", "m")
    assert costs.reply(unknown) is None
    assert costs.known(unknown) == ""
    assert costs.counted == 2


async def test_the_next_request_is_reckoned_before_it_is_sent(world: World) -> None:
    setup = Setup("lab", "some-model")
    bounded = world.costs.next(setup, 10_000, 1_000)
    assert bounded is not None
    assert bounded.short == "≈$0.0015 + ≤$0.0006"
    assert bounded.words == (
        "The next request: about $0.0015 for 10,000 tokens in, and at most $0.0006 for 1,000 tokens out."
    )
    opened = world.costs.next(setup, 10_000, None)
    assert opened is not None
    assert opened.short == "≈$0.0015 + the reply"
    assert "$0.60 for each million tokens of the reply" in opened.words
    assert world.costs.next(Setup("ollama", "m"), 10_000, None) is None
    assert world.costs.next(Setup("lab", "other"), 10_000, None) is None
    assert world.costs.next(Setup("gone", "m"), 10_000, None) is None


def test_the_longest_reply_is_a_parameter() -> None:
    assert Params({"max_tokens": 42}).longest == 42
    assert Params().longest is None


async def test_a_reply_that_failed_costs_nothing_and_leaves_the_rest_known(world: World) -> None:
    answered = replied("lab", "some-model")
    failed = replace(replied("lab", "some-model", Usage()), status="failed", error="busy")
    setup = Setup("lab", "some-model")
    thread = [said("user", "q"), answered, said("user", "again"), failed]
    assert (await Measure(world).read(setup, thread, "")).cost == "$0.45"
    unknown = replied("lab", "some-model", Usage())
    assert (await Measure(world).read(setup, [unknown], "")).cost == "price unknown"
