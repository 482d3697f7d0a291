"""The model that was used last at an endpoint is remembered, and asked for again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fake_server import FakeServer
from tests.rooms.house import environment
from tui_chat.core.choosing import begun_model, last_models
from tui_chat.core.conversation import Conversation, Setup, Status, said
from tui_chat.core.errors import ChatError
from tui_chat.core.params import Params
from tui_chat.core.world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World.standard(environment(tmp_path))
    yield made
    await made.close()


async def keep(world: World, *replies: tuple[str, str, Status]) -> None:
    """Replies of an endpoint's model on disk, the oldest first."""
    store = await world.store()
    for endpoint, model, status in replies:
        question = said("user", "q")
        talk = Conversation()
        await store.create(talk, question)
        setup = Setup(endpoint, model, params=Params({"seed": len(model)}))
        answer = said("assistant", "a", question.id, setup=setup)
        await store.add(talk.id, replace(answer, status=status))


async def test_the_models_of_the_newest_replies_come_first(world: World) -> None:
    await keep(
        world,
        ("lab", "old", "complete"),
        ("lab", "newer", "stopped"),
        ("other", "elsewhere", "complete"),
        ("lab", "old", "complete"),
        ("lab", "mistyped", "failed"),
    )
    assert await last_models(world, "lab") == ("old", "newer")
    assert await last_models(world, "nobody") == ()


async def test_without_saved_conversations_at_hand_nothing_was_used_last(world: World) -> None:
    assert await last_models(world, "lab") == ()
    assert not world.places.database.exists()


async def test_the_model_used_last_is_begun_with_while_it_is_listed(world: World) -> None:
    with FakeServer(models=["first", "second"]) as server:
        lab = world.add_endpoint(server.base_url)
        await keep(world, (lab.name, "gone", "complete"), (lab.name, "second", "complete"))
        assert await begun_model(world, lab) == "second"
        assert (await world.settled(Setup(lab.name))).model == "second"
        await keep(world, (lab.name, "gone", "complete"))
        assert await begun_model(world, lab) == "second"
        server.models = ["first"]
        assert (await world.settled(Setup(lab.name))).model == "first"


async def test_a_server_that_lists_nothing_is_asked_with_the_model_used_last(world: World) -> None:
    with FakeServer(models=None) as server:
        lab = world.add_endpoint(server.base_url)
        with pytest.raises(ChatError, match="There is no API"):
            await world.settled(Setup(lab.name))
        await keep(world, (lab.name, "last", "complete"))
        assert (await world.settled(Setup(lab.name))).model == "last"
        server.models = []
        assert (await world.settled(Setup(lab.name))).model == "last"


async def test_an_empty_list_without_a_model_is_said(world: World) -> None:
    with FakeServer(models=[]) as server:
        lab = world.add_endpoint(server.base_url)
        with pytest.raises(ChatError, match="lists no models"):
            await world.settled(Setup(lab.name))
