"""The request that made a saved reply, and the one that comes next, as programs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from tui_chat.core.conversation import (
    COMPLETION,
    COUNT_FIELD,
    LOGPROBS_FIELD,
    Conversation,
    Message,
    Setup,
)
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.world import World


async def code_of_reply(
    world: World, conversation: Conversation, reply: Message, setup: Setup
) -> str:
    """The request in which the reply was asked for; ChatError when its endpoint is not known any more."""
    from tui_chat.core.formats import code
    from tui_chat.core.keys import key_named
    from tui_chat.core.wire import Request, after_refusals

    # The setup is what was sent: what the endpoint is said to take by now changes nothing in that.
    endpoint = replace(world.endpoint(setup.endpoint), accepts=None)
    key = await asyncio.to_thread(key_named, endpoint, world.environ, world.keys)
    endpoint, sent = after_refusals(endpoint, setup, reply.refused)
    parent = conversation.parent(reply.id)
    before = conversation.thread(parent) if parent is not None else ()
    refused = {one.name for one in reply.refused}
    completes = reply.way == COMPLETION
    endpoint, most = _probabilities(world, endpoint, sent.model, completes)
    logprobs = 0 if LOGPROBS_FIELD in refused else min(reply.logprobs, most)
    request = Request(sent, before, reply.content[: reply.begun], completes, reply.suffix, logprobs)
    return code.snippets(
        endpoint,
        request,
        key,
        usage=COUNT_FIELD not in refused,
        begun=world.begun(reply),
        serve=world.serving_command(endpoint, sent.model),
    )


async def code_of_next(
    world: World,
    endpoint: Endpoint,
    setup: Setup,
    thread: Sequence[Message],
    logprobs: int,
) -> str:
    """The request that goes on with this thread; endpoint and setup as they are after what was refused."""
    from tui_chat.core.formats import code
    from tui_chat.core.keys import key_named
    from tui_chat.core.wire import Request

    key = await asyncio.to_thread(key_named, endpoint, world.environ, world.keys)
    endpoint, most = _probabilities(world, endpoint, setup.model, completes=False)
    return code.snippets(
        endpoint,
        Request(setup, thread, logprobs=min(logprobs, most)),
        key,
        usage=world.counts_replies(endpoint.name),
        serve=world.serving_command(endpoint, setup.model),
    )


def _probabilities(
    world: World, endpoint: Endpoint, model: str, completes: bool
) -> tuple[Endpoint, int]:
    """The endpoint as the model wants to be asked for probabilities, and how many candidates it gives at
    most, as far as both are known by now."""
    learned = world.lessons.of(endpoint.place, model, completes)
    counted = endpoint.counted_logprobs and not learned.as_switch
    known = endpoint.most_logprobs
    most = learned.most_logprobs if known is None else min(known, learned.most_logprobs)
    return replace(endpoint, counted_logprobs=counted), most
