"""Probabilities: each comes with its token, and the text comes without them too."""

from __future__ import annotations

from tests.core.wire import replied, text
from tests.fake_server import Answer, Body, FakeServer
from tui_chat.core.candidates import Candidate
from tui_chat.core.conversation import Token


def entry(token: str, logprob: float, *top: tuple[str, float], raw: bytes | None = None) -> Body:
    return {
        "token": token,
        "logprob": logprob,
        "bytes": list(token.encode() if raw is None else raw),
        "top_logprobs": [
            {"token": other, "logprob": value, "bytes": list(other.encode())}
            for other, value in top
        ],
    }


async def test_probabilities_come_with_their_tokens() -> None:
    entries = [entry("Bra", -0.25, ("Bra", -0.25), ("Rio", -1.5)), entry("sil", -0.5)]
    with FakeServer(Answer(("Bra", "sil"), logprobs=entries)) as server:
        tokens, _ = await replied(server, logprobs=5)
        (sent,) = server.chats
    assert (sent["logprobs"], sent["top_logprobs"]) == (True, 5)
    assert tokens == [
        Token("Bra", -0.25, (Candidate(b"Bra", -0.25), Candidate(b"Rio", -1.5))),
        Token("sil", -0.5),
    ]


async def test_a_character_split_over_tokens_adds_up() -> None:
    emoji = "😀".encode()
    entries = [
        entry("\\xf0\\x9f", -0.1, raw=emoji[:2]),
        entry("\\x98\\x80", -0.2, raw=emoji[2:]),
        entry("!", -0.3),
    ]
    with FakeServer(Answer(("", "😀", "!"), logprobs=[None, None, None])) as server:
        server.answer = Answer(("\ufffd", "\ufffd", "!"), logprobs=entries)
        tokens, _ = await replied(server, logprobs=1)
    assert text(tokens) == "😀!"
    assert [token.logprob for token in tokens] == [-0.1, -0.2, -0.3]
    assert b"".join(token.raw for token in tokens) == emoji + b"!"


async def test_without_probabilities_the_text_still_comes() -> None:
    with FakeServer(Answer(("a", "b", "c"), logprobs=[None, entry("b", -1.0), None])) as server:
        tokens, _ = await replied(server, logprobs=3)
    assert text(tokens) == "abc"
    assert [token.logprob for token in tokens] == [None, -1.0, None]
