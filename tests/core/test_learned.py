"""What was refused is remembered over runs, for the endpoint and model alone, until a person insists."""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.core.wire import HI, refusal, unsupported, until, with_params
from tests.fake_server import Answer, Body, FakeServer
from tui_chat.core.chunks import Ending
from tui_chat.core.conversation import Setup
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.files import Places
from tui_chat.core.heeding import explained, told_of
from tui_chat.core.known import Endpoints
from tui_chat.core.learned import DAYS, Lessons
from tui_chat.core.provider import Provider
from tui_chat.core.rules import Rule
from tui_chat.core.settings import Settings
from tui_chat.core.wire import Request
from tui_chat.core.world import World

HOT = with_params(temperature=0.3, seed=4)
RULE = Rule("refused", ("temperature",), "it takes only the default", models=("m-*",))


async def answered(server: FakeServer, lessons: Lessons, setup: Setup = HOT) -> Ending:
    """One reply by a provider of its own, as in another run."""
    provider = Provider(Endpoint("fake", server.base_url), None, lessons)
    try:
        return await provider.reply(Request(setup, HI), lambda _: None)
    finally:
        await provider.close()


def lessons_at(path: Path) -> Lessons:
    lessons = Lessons(path)
    lessons.load()
    return lessons


async def test_what_was_refused_is_not_sent_in_the_next_run_either(tmp_path: Path) -> None:
    path = tmp_path / "learned.json"
    with FakeServer() as server:
        server.refuses = {"seed": unsupported("seed")}
        await answered(server, lessons_at(path))
        await until(path.exists)
        ending = await answered(server, lessons_at(path))
        other = await answered(server, lessons_at(path), replace(HOT, model="another"))
        sent = server.chats
    assert ["seed" in body for body in sent] == [True, False, False, True, False]
    assert [one.name for one in ending.refused] == ["seed"] == [one.name for one in other.refused]


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '[{"when": "soon"}]', "\x00", '[{"when": 1e400, "told": 3}]']
)
async def test_a_broken_file_of_lessons_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "learned.json"
    path.write_text(text)
    assert not lessons_at(path).of("u", "m", False).told


ROW: dict[str, object] = {
    "base_url": "u", "model": "m", "completes": False, "left_out": [], "renamed": {},
    "told": [{"name": "seed", "words": "no", "sent_as": ""}], "most_logprobs": 5,
}  # fmt: skip


@pytest.mark.parametrize(
    "row",
    [
        '{"when": ' + "1" + "0" * 400 + "}",
        json.dumps(ROW | {"when": time.time(), "most_logprobs": float("inf")}),
        json.dumps(ROW | {"when": time.time(), "most_logprobs": -1}),
        json.dumps(ROW | {"when": time.time(), "left_out": 5}),
        "null",
        "[[]]",
    ],
)
def test_a_broken_lesson_costs_no_other(tmp_path: Path, row: str) -> None:
    path = tmp_path / "learned.json"
    good = json.dumps(ROW | {"model": "good", "when": time.time()})
    path.write_text(f"[{row}, {good}]")
    lessons = lessons_at(path)
    assert not lessons.of("u", "m", False).told
    assert lessons.of("u", "good", False).told["seed"].words == "no"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have no names there")
def test_a_pipe_in_the_place_of_the_lessons_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "learned.json"
    os.mkfifo(path)
    loading = threading.Thread(target=lessons_at, args=(path,), daemon=True)
    loading.start()
    loading.join(10)
    assert not loading.is_alive()


async def test_what_makes_a_request_is_sent_whatever_the_file_says(tmp_path: Path) -> None:
    path = tmp_path / "learned.json"
    with FakeServer() as server:
        spoilt = ROW | {
            "base_url": server.base_url,
            "model": HOT.model,
            "when": time.time(),
            "left_out": ["messages", "model", "stream", "seed"],
            "renamed": {"temperature": "messages", "messages": "x", "seed": "model"},
            "told": [
                {"name": "messages", "words": "no", "sent_as": ""},
                {"name": "temperature", "words": "no", "sent_as": "messages"},
                {"name": "seed", "words": "no", "sent_as": ""},
            ],
            "values": {"messages": 1},
        }
        path.write_text(json.dumps([spoilt]))
        ending = await answered(server, lessons_at(path))
        (sent,) = server.chats
    assert ending.status == "complete"
    assert [one.name for one in ending.refused] == ["seed"]
    assert (sent["model"], sent["stream"], sent["temperature"]) == (HOT.model, True, 0.3)
    assert sent["messages"][-1]["content"] == HI[-1].content
    assert "seed" not in sent


async def test_lessons_grow_old(tmp_path: Path) -> None:
    path = tmp_path / "learned.json"
    lessons = Lessons(path)
    lessons.of("u", "m", False).forget("seed", "seed", "no seeds")
    lessons.save()
    assert lessons_at(path).of("u", "m", False).told["seed"].words == "no seeds"
    rows = json.loads(path.read_text())
    rows[0]["when"] = time.time() - (DAYS + 1) * 86_400
    path.write_text(json.dumps(rows))
    assert not lessons_at(path).of("u", "m", False).told


@pytest.mark.parametrize(
    ("counted", "words", "field"),
    [(True, "logprobs: expected a boolean", True), (False, "logprobs: at most 5 are given", 5)],
)
async def test_how_probabilities_are_asked_for_is_known_in_the_next_run_too(
    tmp_path: Path, counted: bool, words: str, field: object
) -> None:
    path = tmp_path / "learned.json"

    def answer(body: Body) -> Answer:
        value = body["logprobs"] if counted else body["top_logprobs"]
        wrong = type(value) is int and value > 5
        return Answer(status=400, error=refusal(words)) if wrong else Answer()

    with FakeServer() as server:
        server.answers = answer
        lab = Endpoint("fake", server.base_url, counted_logprobs=counted)
        for requests in (2, 3):
            provider = Provider(lab, None, lessons_at(path))
            await provider.reply(Request(HOT, HI, logprobs=20), lambda _: None)
            await provider.close()
            await until(path.exists)
            assert len(server.chats) == requests
        assert server.chats[1] == server.chats[2]
        assert server.chats[2]["logprobs" if counted else "top_logprobs"] == field


async def test_what_is_known_of_a_model_before_the_file_is_read_does_not_hide_what_it_says(
    tmp_path: Path,
) -> None:
    path = tmp_path / "learned.json"
    lessons = Lessons(path)
    lessons.of("u", "m", False).forget("seed", "seed", "no seeds")
    lessons.save()
    later = Lessons(path)
    asked = later.of("u", "m", False)
    later.load()
    assert asked.told["seed"].words == "no seeds"
    # What was learned in this run is newer than the file.
    asked.forgive("seed", ("seed",))
    later.load()
    assert not asked.told


async def test_where_all_is_to_be_sent_a_refusal_ends_the_request() -> None:
    lessons = Lessons()
    lessons.strict = True
    with FakeServer() as server:
        server.refuses = {"seed": unsupported("seed")}
        with pytest.raises(ChatError, match="Unsupported parameter: 'seed'"):
            await answered(server, lessons)
        assert len(server.chats) == 1


def world_of(server: FakeServer, directory: Path) -> World:
    lab = Endpoint("lab", server.base_url, rules=(RULE,), accepts=frozenset())
    return World(Places(directory, directory), Settings(), Endpoints([lab]), {})


async def sent_by(world: World, setup: Setup, server: FakeServer) -> Body:
    provider = await world.provider(setup.endpoint)
    await provider.reply(Request(setup, HI), lambda _: None)
    return server.chats[-1]


async def test_what_is_known_to_be_refused_is_sent_only_where_a_person_insists(
    tmp_path: Path,
) -> None:
    setup = replace(with_params(temperature=0.3, top_k=5), endpoint="lab")
    with FakeServer() as server:
        world = world_of(server, tmp_path)
        assert {name: one.held for name, one in world.heeds(setup).items()}["temperature"]
        body = await sent_by(world, setup, server)
        assert not body.keys() & {"temperature", "top_k"}
        assert {one.name for one in world.refusals(setup)} == {"temperature", "top_k"}

        world.insist(setup, "temperature")
        assert world.heeds(setup)["temperature"].kind == "insisted"
        assert (await sent_by(world, setup, server))["temperature"] == 0.3

        world.insist(setup, "temperature")
        assert "temperature" not in await sent_by(world, setup, server)
        other = replace(setup, model="other")
        assert (await sent_by(world, other, server))["temperature"] == 0.3
        await world.close()


async def test_what_a_server_refuses_though_a_person_insists_is_learned_again(
    tmp_path: Path,
) -> None:
    setup = replace(with_params(temperature=0.3), endpoint="lab")
    with FakeServer() as server:
        server.refuses = {"temperature": unsupported("temperature")}
        world = world_of(server, tmp_path)
        world.insist(setup, "temperature")
        body = await sent_by(world, setup, server)
        assert "temperature" not in body
        assert len(server.chats) == 2
        assert world.heeds(setup)["temperature"].why.startswith("Unsupported parameter")
        assert len(server.chats) == 2
        # Insisting on it lets it be tried once more.
        world.insist(setup, "temperature")
        await sent_by(world, setup, server)
        assert ["temperature" in one for one in server.chats] == [True, False, True, False]
        await world.close()


async def test_nothing_is_held_back_where_all_is_to_be_sent(tmp_path: Path) -> None:
    setup = replace(with_params(temperature=0.3), endpoint="lab")
    with FakeServer() as server:
        world = world_of(server, tmp_path)
        world.lessons.strict = True
        assert (await sent_by(world, setup, server))["temperature"] == 0.3
        assert {one.kind for one in world.heeds(setup).values()} == {"strict"}
        await world.close()


async def test_a_value_may_stand_in_another_field() -> None:
    off = {"thinking": {"type": "disabled"}}
    lab = Endpoint("fake", "", writes={"reasoning_effort": {"none": off}})
    with FakeServer() as server:
        for value in ("none", "high"):
            provider = Provider(replace(lab, base_url=server.base_url), None)
            await provider.reply(Request(with_params(reasoning_effort=value), HI), lambda _: None)
            await provider.close()
        first, second = server.chats
    assert first["thinking"] == {"type": "disabled"}
    assert "reasoning_effort" not in first
    assert second["reasoning_effort"] == "high"


def refuse_value(message: str, param: str = "") -> Body:
    return {"error": {"message": message, "param": param or None, "type": "invalid_request_error"}}


@pytest.mark.parametrize(
    ("name", "refused", "taken", "message"),
    [
        ("max_tokens", 5000, 100, "max_tokens is too large: 5000. This model supports at most 4096 completion tokens."),
        ("top_p", 0.0, 0.5, "top_p must be in (0, 1], got 0.0."),
        ("temperature", 1.5, 0.5, "temperature: Input should be less than or equal to 1"),
    ],
)  # fmt: skip
async def test_a_value_that_was_refused_does_not_cost_the_others(
    tmp_path: Path, name: str, refused: float, taken: float, message: str
) -> None:
    path = tmp_path / "learned.json"
    with FakeServer() as server:
        server.answers = lambda body: (
            Answer(status=400, error=refuse_value(message, name))
            if body.get(name) == refused
            else Answer()
        )
        lessons = lessons_at(path)
        first = await answered(server, lessons, with_params(**{name: refused}))
        again = await answered(server, lessons, with_params(**{name: refused}))
        other = await answered(server, lessons, with_params(**{name: taken}))
        await until(path.exists)
        later = await answered(server, lessons_at(path), with_params(**{name: refused}))
    assert [one.name for one in first.refused] == [name]
    assert first.refused == again.refused == later.refused
    assert other.refused == ()
    assert [body.get(name) for body in server.chats] == [refused, None, None, taken, None]


async def test_a_lesson_is_there_though_it_was_asked_for_before_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "learned.json"
    earlier = Lessons(path)
    earlier.of("u", "m", False).forget("seed", "seed", "no seeds")
    earlier.save()
    lessons = Lessons(path)
    assert not lessons.of("u", "m", False).told
    lessons.load()
    assert lessons.of("u", "m", False).told["seed"].words == "no seeds"
    lessons.of("u", "m", False).forgive("seed", ("seed",))
    lessons.load()
    assert not lessons.of("u", "m", False).told, "it is read once"


async def test_what_chats_refuse_says_nothing_of_texts_that_are_continued(tmp_path: Path) -> None:
    setup = replace(with_params(seed=3), endpoint="lab")
    with FakeServer() as server:
        server.refuses = {"messages": unsupported("seed")}
        world = world_of(server, tmp_path)
        with pytest.raises(ChatError):
            await sent_by(world, setup, server)
        assert world.heeds(setup)["seed"].held
        assert "seed" not in world.heeds(setup, completes=True)
        assert world.as_accepted(setup, completes=True).params == setup.params
        await world.close()


async def test_another_name_is_said_on_the_row_with_its_reason(tmp_path: Path) -> None:
    words = (
        "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."
    )
    setup = replace(with_params(max_tokens=9), endpoint="lab")
    with FakeServer() as server:
        server.refuses = {"max_tokens": refuse_value(words, "max_tokens")}
        world = world_of(server, tmp_path)
        provider = await world.provider("lab")
        ending = await provider.reply(Request(setup, HI), lambda _: None)
        found = world.heeds(setup)["max_tokens"]
        await world.close()
    assert not found.held
    assert not found.lost
    said = explained(found, "m-1", is_set=True)
    assert said == f"Sent as max_completion_tokens: {words}"
    assert told_of(ending.refused[0]) == f"Max length was sent as max_completion_tokens: {words}"
