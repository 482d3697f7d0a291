"""The next token in the sidebar: asked for once, reshaped live, and never asked for where it costs unasked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.fake_server import Answer, Body, FakeServer
from tests.local_model import put_model
from tests.rooms.house import House, open_house, wait_until
from tests.rooms.probabilities import LLAMA, answer
from tui_chat.core.opening import Opening
from tui_chat.core.params import Params
from tui_chat.widgets import looks

NEXT = answer([("Bras", {"Bras": 0.5, "The": 0.25, "A": 0.125})])


def answers(body: Body) -> Answer:
    """A look is told probabilities, a chat is answered."""
    return NEXT if body.get("max_tokens") == 1 else Answer(("Hello", "."))


async def shows(house: House, pattern: str) -> None:
    await wait_until(lambda: re.search(pattern, house.screen_text()), pattern)


async def test_it_is_shown_for_a_draft_and_for_a_new_answer(tmp_path: Path) -> None:
    with FakeServer() as server:
        server.answers = answers
        async with open_house(tmp_path, server) as house:
            await shows(house, "Nothing was asked of environment|Write something")
            assert server.requests == [], "nothing is asked before the first question"
            await house.send("hi")
            await shows(house, r"Next token +of a new answer")
            await shows(house, r"Bras +▀+ +50\.0 %")
            assert server.looks[-1]["messages"] == [{"role": "user", "content": "hi"}]
            await house.write("and")
            await shows(house, r"Next token +of the answer")
            said = ["hi", "Hello.", "and"]
            await wait_until(
                lambda: [one["content"] for one in server.looks[-1]["messages"]] == said
            )
            assert server.looks[-1]["top_logprobs"] == 20
            assert len(server.chats) == 1


async def test_once_something_is_asked_it_is_not_said_that_nothing_was(tmp_path: Path) -> None:
    slow = Answer(silent=True)
    with FakeServer() as server:
        server.answers = lambda body: slow if body.get("max_tokens") == 1 else Answer(("Hello",))
        async with open_house(tmp_path, server) as house:
            await house.write("hi")
            await shows(house, "Nothing was asked of environment yet")
            await house.press("enter")
            await wait_until(lambda: house.chat.answering or len(house.thread) == 2)
            assert "Nothing was asked of" not in house.screen_text()
            await house.answered()
            await wait_until(lambda: server.looks, "it is looked")
            assert "Nothing was asked of" not in house.screen_text()


async def test_a_look_that_fails_for_a_moment_is_made_again_on_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "TRY_AGAIN_AFTER", 0.05)
    busy = Answer(status=503, error={"error": {"message": "Loading model"}})
    with FakeServer() as server:
        server.answers = lambda body: (
            (busy if len(server.looks) < 3 else NEXT)
            if body.get("max_tokens") == 1
            else Answer(("Hello",))
        )
        async with open_house(tmp_path, server) as house:
            await house.send("hi")
            await shows(house, r"Bras +▀+ +50\.0 %")


async def test_a_knob_draws_the_bars_anew_without_a_request(tmp_path: Path) -> None:
    with FakeServer() as server:
        server.answers = answers
        async with open_house(tmp_path, server) as house:
            await house.send("hi")
            await shows(house, r"Bras +▀+ +50\.0 %")
            asked = len(server.requests)
            house.chat.sidebar.cursor = "temperature"
            await house.press("f2", "0")
            await shows(house, r"Bras +\S+ +100\.0 %")
            await shows(house, r"The +▀+ +cut")
            await house.press("delete")
            await shows(house, r"Bras +▀+ +50\.0 %")
            assert len(server.requests) == asked


async def test_a_knob_that_is_turned_does_not_cut_the_look_at_all_tokens_short(
    tmp_path: Path,
) -> None:
    put_model(tmp_path / "cache" / "models")
    async with open_house(tmp_path) as house:
        await house.write("What is the capital of Brazil?")
        await wait_until(lambda: house.chat.next_token.look.place is not None)
        place = house.chat.next_token.look.place
        assert place is not None
        assert not place.complete, "the likeliest come first"
        house.chat.sidebar.cursor = "temperature"
        await house.press("f2", "right")

        def whole() -> bool:
            place = house.chat.next_token.look.place
            return place is not None and place.complete

        await wait_until(whole, "all tokens are told all the same")


async def test_dice_are_thrown_and_lie_until_a_knob_is_turned(tmp_path: Path) -> None:
    with FakeServer() as server:
        server.answers = answers
        async with open_house(tmp_path, server) as house:
            await house.send("hi")
            await shows(house, r"Bras +▀+ +50\.0 %")
            await house.press("f2", "d")
            await shows(house, r"Bras +\S+ +\d+×  50\.0 %")
            await shows(house, "100 draws")
            dice = house.chat.next_token.dice
            assert dice is not None
            assert dice.count == 100
            await house.press("left")
            await wait_until(lambda: "100 draws" not in house.screen_text())


async def test_elsewhere_it_is_off_until_it_is_turned_on_and_that_is_remembered(
    tmp_path: Path,
) -> None:
    key = {"OPENAI_API_KEY": "sk-not-a-key"}
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.toml").write_text(
        'endpoint = "openai"\n[endpoints.openai]\nbase_url = "https://openai.invalid/v1"\nlike = "openai"\n'
        'key_env = "OPENAI_API_KEY"\nmodel = "gpt-4o-mini"\n'
    )
    async with open_house(tmp_path, environ=key) as house:
        await house.write("hi")
        await shows(house, r"Next token +off")
        await shows(house, "each look is")
        house.chat.sidebar.cursor = "next token"
        await house.press("f2", "enter")
        await wait_until(lambda: house.chat.world.looks_at("openai"))
        await house.press("enter")
        await wait_until(lambda: not house.chat.world.looks_at("openai"))
        await house.press("enter", "escape")
        house.chat.sidebar.cursor = "temperature"
        await house.press("f2", "right", "escape")
    async with open_house(tmp_path, environ=key) as house:
        assert house.chat.world.looks_at("openai")


async def test_it_says_why_there_is_nothing_to_see(tmp_path: Path) -> None:
    cases = {
        "tells no": Answer(("Hi",)),
        "empty list": Answer(
            ("Hi",), logprobs=[{"token": "Hi", "logprob": -1, "top_logprobs": []}]
        ),
        "refuses": Answer(("Hi",)),
        "no knob": Answer(
            ("Hi",),
            logprobs=[{"prob": 0.5, "top_probs": [{"token": "Hi", "bytes": [72], "prob": 0.5}]}],
        ),
    }
    for words, given in cases.items():
        with FakeServer(given) as server:
            if words == "refuses":
                server.refuses = {"logprobs": {"error": {"message": "No.", "param": "logprobs"}}}
            async with open_house(tmp_path / words.replace(" ", ""), server) as house:
                await house.send("hi")
                await shows(house, words.replace(" ", r"\s+│?│?\s*"))
                assert "logprobs" not in house.notices(), "nobody asked for them"


async def test_five_candidates_are_shown_as_what_they_are(tmp_path: Path) -> None:
    five = answer([("a", {"a": 0.4, "b": 0.2, "c": 0.1, "d": 0.05, "e": 0.05})])
    opening = Opening(params=Params({"temperature": 1.5}))
    with FakeServer(five) as server:
        async with open_house(tmp_path, server, opening=opening) as house:
            await house.send("hi")
            await shows(house, r"a +\S+ +\d+–\d+ %")
            await shows(house, r"others +\S+ +\d+–\d+ %")


async def test_an_unfinished_reply_is_looked_at_where_it_ends(tmp_path: Path) -> None:
    def cut(body: Body) -> Answer:
        return NEXT if body.get("max_tokens") == 1 else Answer(("A capital é",), finish="length")

    with FakeServer() as server:
        server.answers, server.listed = cut, LLAMA
        async with open_house(tmp_path, server) as house:
            server.answers = cut
            await house.send("Capital?")
            await wait_until(lambda: server.looks)
            await house.chat.world.provider(house.chat.setup.endpoint)
            await shows(house, r"Next token +after …A capital é")
            last = server.looks[-1]["messages"][-1]
            assert last == {"role": "assistant", "content": "A capital é"}


async def test_the_built_in_model_tells_all_of_its_tokens(tmp_path: Path) -> None:
    put_model(tmp_path / "cache" / "models")
    async with open_house(tmp_path) as house:
        await house.write("What is the capital of Brazil?")
        await wait_until(lambda: house.chat.next_token.found is not None)

        def whole() -> bool:
            place = house.chat.next_token.look.place
            return place is not None and place.complete

        await wait_until(whole, "all tokens are told once nothing changes")
        found = house.chat.next_token.found
        assert found is not None
        assert found.exact
        await shows(house, r"\d bits · like")


async def test_a_text_of_more_than_a_million_characters_is_not_looked_at(tmp_path: Path) -> None:
    with FakeServer() as server:
        server.answers = answers
        async with open_house(tmp_path, server) as house:
            await house.send("hi")
            await shows(house, r"Next token +of a new answer")
            await wait_until(lambda: server.looks, "a short text is looked at")
            house.chat.prompt.set_draft("word " * (looks.MOST_SENT // 5))
            await shows(house, "A look would send")
            # One that was on its way may still have been asked.
            assert all(len(str(one["messages"])) < looks.MOST_SENT for one in server.looks)
            before = len(server.looks)
            house.chat.prompt.set_draft("and")
            await wait_until(lambda: len(server.looks) > before, "a short one is again")
