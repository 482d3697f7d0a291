"""The request that made a saved reply, as programs."""

from __future__ import annotations

from dataclasses import replace

from tui_chat.core.conversation import (
    COMPLETION,
    COUNT_FIELD,
    LOGPROBS_FIELD,
    Conversation,
    Message,
    Setup,
)
from tui_chat.core.world import World


def code_of_reply(world: World, conversation: Conversation, reply: Message, setup: Setup) -> str:
    """The request in which the reply was asked for; ChatError when its endpoint is not known any more."""
    from tui_chat.core.formats import code
    from tui_chat.core.wire import Request, after_refusals

    # The setup is what was sent: what the endpoint is said to take by now changes nothing in that.
    endpoint = replace(world.endpoint(setup.endpoint), accepts=None)
    endpoint, sent = after_refusals(endpoint, setup, reply.refused)
    parent = conversation.parent(reply.id)
    before = conversation.thread(parent) if parent is not None else ()
    refused = {one.name for one in reply.refused}
    logprobs = 0 if LOGPROBS_FIELD in refused else reply.logprobs
    completes = reply.way == COMPLETION
    request = Request(sent, before, reply.content[: reply.begun], completes, reply.suffix, logprobs)
    return code.snippets(
        endpoint,
        request,
        usage=COUNT_FIELD not in refused,
        begun=world.begun(reply),
        serve=world.serving(endpoint, sent.model),
    )
