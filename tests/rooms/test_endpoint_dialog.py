"""The endpoint dialog: who can be talked to, and what is missing for the others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.core.test_probing import listing
from tests.fake_server import Answer, FakeServer
from tests.rooms.endpoints import CANARY, line_of, lines, open_list, place, port_of
from tests.rooms.house import open_house, wait_until

KEYS = {"GROQ_API_KEY": CANARY}


async def test_those_that_are_ready_come_first_and_the_others_say_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeServer() as present, FakeServer(models=["a", "b", "c"]) as ollama:
        place(monkeypatch, ollama=ollama)
        async with open_house(tmp_path, present, environ=KEYS) as house:
            await house.write("hi")
            await house.press("ctrl+u")
            assert not ollama.requests, "nothing is probed before the list is opened"
            await open_list(house)
            first = [line.split("  ")[0] for line in lines(house)]
            assert first[:5] == ["● environment", "Groq", "Ollama", "The built-in model", "OpenAI"]
            assert first[-1] == "Add a server by its URL…"
            assert re.search(r"api\.groq\.com +key in GROQ_API_KEY$", line_of(house, "Groq"))
            at = f"127.0.0.1:{port_of(ollama)}"
            assert re.search(rf"{at} +3 models$", line_of(house, "Ollama"))
            assert line_of(house, "Anthropic").endswith("no key: Enter takes one")
            assert line_of(house, "vLLM").endswith("nothing answers")
            assert line_of(house, "Azure").endswith("set AZURE_OPENAI_ENDPOINT")
            assert "Its key is in GROQ_API_KEY. Temperature 0 counts as" in house.screen_text()
            assert "(As of 2026-11-23.)" in house.screen_text()
            await house.write("vllm")
            await wait_until(lambda: "Is it running?" in house.screen_text())
            assert "Nothing answers at 127.0.0.1:" in house.screen_text()
        (asked,) = ollama.requests
        assert asked.path == "/v1/models"
        assert "authorization" not in asked.headers
        assert CANARY not in str(asked)


async def test_one_with_a_key_in_its_variable_is_two_keys_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(monkeypatch)
    with FakeServer() as present:
        async with open_house(tmp_path, present, environ=KEYS) as house:
            house.chat.sidebar.cursor = "endpoint"
            await house.press("f2")
            await house.press("enter", "enter")
            await wait_until(lambda: house.chat.setup.endpoint == "groq")
            await wait_until(lambda: house.app.screen is house.chat)


async def test_a_server_of_this_machine_is_used_as_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeServer() as present, FakeServer(Answer(["from llama.cpp"])) as server:
        server.listed = listing("llamacpp", 1)
        place(monkeypatch, vllm=server)
        async with open_house(tmp_path, present) as house:
            await open_list(house)
            assert line_of(house, "vLLM").endswith("llama.cpp: 1 model")
            await house.write("vllm")
            await house.press("enter")
            await wait_until(lambda: house.chat.setup.endpoint == "vllm")
            assert house.app._world.endpoint("vllm").engine == "llamacpp"
            assert (await house.send("hi")).content == "from llama.cpp"


async def test_the_cursor_stays_on_its_line_while_answers_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeServer() as present, FakeServer() as slow:
        slow.listed = Answer(silent=True)
        place(monkeypatch, ollama=slow)
        async with open_house(tmp_path, present) as house:
            await house.command("/endpoint")
            await wait_until(lambda: "Add a server by its URL…" in house.screen_text())
            before = lines(house)
            ollama = next(n for n, line in enumerate(before) if line.startswith("Ollama"))
            assert before[ollama].endswith("…"), "it is still being asked"
            await house.press(*["down"] * ollama)
            await wait_until(lambda: line_of(house, "Ollama").endswith("nothing answers"))
            assert lines(house).index(line_of(house, "Ollama")) > ollama, (
                "it is with the others now"
            )
            assert house.app.screen.highlighted.key == "ollama"  # type: ignore[attr-defined]


async def test_who_cannot_be_asked_says_how_and_the_list_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(monkeypatch)
    with FakeServer() as present:
        async with open_house(tmp_path, present) as house:
            await open_list(house)
            await house.write("azure")
            await house.press("enter")
            await wait_until(lambda: "Set AZURE_OPENAI_ENDPOINT to its address" in house.notices())
            assert house.app.screen is not house.chat
            await house.press("escape")
            await wait_until(lambda: house.app.screen is house.chat)
            assert house.chat.setup.endpoint == "environment"


async def test_one_under_the_cursor_is_tested_at_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(monkeypatch)
    with FakeServer(models=["a"]) as present:
        async with open_house(tmp_path, present) as house:
            await open_list(house)
            await house.write("environ")
            await house.press("f5")
            await wait_until(lambda: "It answers: 1 model, " in house.screen_text())
            present.listed = Answer(status=500, error=b"oh")
            await house.press("f5")
            await wait_until(lambda: "has a fault of its own (500)" in house.screen_text())


async def test_words_that_are_no_server_are_not_offered_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(monkeypatch)
    with FakeServer() as present:
        async with open_house(tmp_path, present) as house:
            await open_list(house)
            await house.write("nobody")
            await wait_until(lambda: not lines(house))
            assert "Nothing matches." in house.screen_text()
            await house.press("enter")
            await house.press("ctrl+u")
            # The beginning of an address of IPv6.
            await house.write("[")
            await wait_until(lambda: "Nothing matches." in house.screen_text())
            await house.write("::1]:8080")
            await wait_until(lambda: "Add the server “[::1]:8080”" in house.screen_text())
            await house.press("ctrl+u")
            await house.write("lmstudio")
            await wait_until(lambda: "LM Studio" in house.screen_text())
            assert len(lines(house)) == 1


@pytest.mark.parametrize("size", [(60, 16), (80, 24)])
async def test_the_state_is_seen_in_a_small_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    place(monkeypatch)
    with FakeServer() as present:
        async with open_house(tmp_path, present, size=size, environ=KEYS) as house:
            await house.command("/endpoint")
            await wait_until(lambda: "key in GROQ_API_KEY" in house.screen_text())
            assert "enter Choose  esc Back" in house.screen_text()
            await house.write("anthr")
            await wait_until(lambda: "no key: Enter takes one" in house.screen_text())
            await house.press("enter")
            await wait_until(
                lambda: "and to nobody else." in re.sub(r"[\s│]+", " ", house.screen_text())
            )
            assert "Where it is kept  enter OK  esc Back" in house.screen_text()
