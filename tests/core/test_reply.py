"""How a reply ends is what is returned, shown and kept: its text, its status, its figures."""

from __future__ import annotations

from datetime import date

import pytest

from tests.core.scene import SETUP, row, scene
from tests.fake_server import Answer, FakeServer
from tui_chat.core.conversation import Refusal
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.keys import Secret
from tui_chat.core.provider import Provider
from tui_chat.core.store import Store

CANARY = "sk-canary-0123456789"


async def test_a_reply_is_returned_as_it_was_shown_and_kept(store: Store) -> None:
    with FakeServer(Answer(("Four", "."), reasoning=("2 and ", "2"))) as server:
        async with scene(server, store) as one:
            final = await one.asked(store)
            assert await row(store, one) == final
    assert (final.id, final.parent, final.setup) == (one.reply.id, one.question.id, SETUP)
    assert (final.content, final.reasoning) == ("Four.", "2 and 2") == (one.text, "2 and 2")
    assert (final.status, final.error) == ("complete", "")
    assert (final.finish_reason, final.request_id) == ("stop", "req-1")
    assert one.troubles == []


async def test_the_servers_own_figures_are_kept_with_the_times(store: Store) -> None:
    with FakeServer(Answer(("a", "b", "c"))) as server:
        async with scene(server, store) as one:
            usage = (await one.asked(store)).usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.estimated) == (7, 3, False)
    assert usage.first_token_seconds is not None
    assert usage.seconds is not None
    assert 0 < usage.first_token_seconds <= usage.seconds


async def test_figures_that_the_server_does_not_send_are_estimated() -> None:
    with FakeServer(Answer(("A", " reply", " of", " words"), usage=False)) as server:
        async with scene(server) as one:
            usage = (await one.asked()).usage
    assert usage.estimated
    assert usage.completion_tokens == 4
    assert usage.prompt_tokens is not None
    assert usage.prompt_tokens > 8, "the system prompt and the question, with what frames them"
    assert usage.seconds is not None
    assert usage.first_token_seconds is not None


@pytest.mark.parametrize(
    ("finish", "status", "error"),
    [("length", "length", ""), ("content_filter", "filtered", "content filter")],
)
async def test_the_status_says_how_it_ended(
    store: Store, finish: str, status: str, error: str
) -> None:
    with FakeServer(Answer(finish=finish)) as server:
        async with scene(server, store) as one:
            final = await one.asked(store)
            assert await row(store, one) == final
    assert (final.status, final.content) == (status, "Hello, world.")
    assert error in final.error


@pytest.mark.parametrize("answer", [Answer(tokens=()), Answer(tokens=(), reasoning=("Hm.",))])
async def test_an_empty_reply_says_so(store: Store, answer: Answer) -> None:
    with FakeServer(answer) as server:
        async with scene(server, store) as one:
            final = await one.asked(store)
            assert await row(store, one) == final
    assert (final.status, final.content) == ("complete", "")
    assert final.error == "The model answered with nothing."


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=500, error={"error": {"message": "It broke."}}),
        Answer(status=401, error={"error": {"message": "It broke."}}),
        Answer(raw=b'data: {"error":{"message":"It broke."}}\n\n'),
    ],
)
async def test_a_reply_that_never_began_failed_and_has_no_content(
    store: Store, answer: Answer
) -> None:
    with FakeServer(answer) as server:
        async with scene(server, store) as one:
            final = await one.asked(store)
            assert await row(store, one) == final
    assert (final.status, final.content, final.reasoning) == ("failed", "", "")
    assert "It broke." in final.error
    assert final.usage.completion_tokens is None
    assert not final.usage.estimated
    assert one.tokens == []


@pytest.mark.parametrize(
    "answer", [Answer(cut_after=2), Answer(finish=None, usage=False), Answer(stall_after=2)]
)
async def test_a_reply_that_broke_off_keeps_its_text(store: Store, answer: Answer) -> None:
    with FakeServer(answer) as server:
        async with scene(server, store, read_seconds=1) as one:
            final = await one.asked(store)
            assert await row(store, one) == final
    assert final.status == "cut"
    assert final.error
    assert final.content == one.text
    assert final.content.startswith("Hello,")
    assert final.usage.completion_tokens
    assert final.usage.estimated


async def test_what_the_server_refused_stays_with_the_reply(store: Store) -> None:
    with FakeServer() as server:
        server.refuses = {"temperature": {"error": {"message": "temperature is deprecated."}}}
        async with scene(server, store) as one:
            final = await one.asked(store)
            assert await row(store, one) == final
    assert final.refused == (Refusal("temperature", "temperature is deprecated."),)
    assert one.notices == list(final.refused)


async def test_what_no_request_can_carry_ends_the_reply_in_words(store: Store) -> None:
    with FakeServer() as server:
        async with scene(server, store) as one:
            # A value that only the last step before the wire can tell to be none.
            writes = {"temperature": {"0.5": {"x": date.min}}}
            fake = Endpoint("fake", server.base_url, writes=writes)
            provider = Provider(fake, Secret(CANARY))
            one.provider = provider
            final = await one.asked(store)
            await provider.close()
            assert await row(store, one) == final
        assert not server.chats
    assert (final.status, final.content) == ("failed", "")
    assert final.error.startswith("Something in the program went wrong (TypeError).")
    assert CANARY not in final.error
