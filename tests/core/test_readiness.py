"""How near an endpoint is: what is there of it, what is missing, and the order that follows from it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tui_chat.core.endpoint_tables import known_endpoints
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.files import Places
from tui_chat.core.keys import Secret
from tui_chat.core.known import Endpoints
from tui_chat.core.probing import Answered
from tui_chat.core.readiness import Found, Readiness, in_order, keys_kept, placed, readiness
from tui_chat.core.settings import Settings
from tui_chat.core.world import World

HERE = "http://127.0.0.1:18080/v1"
LAB = Endpoint("lab", "https://lab.example/v1", "LAB_KEY", ("OTHER_KEY",))
LOCAL = Endpoint("local", HERE, "LAB_KEY", engine="llamacpp")


def world(directory: Path, environ: Mapping[str, str], *own: Endpoint) -> World:
    places = Places(directory / "config", directory / "cache")
    return World(places, Settings(), Endpoints.gathered(own, environ), environ)


def ready(
    directory: Path, endpoint: Endpoint, environ: Mapping[str, str], found: Found | None = None
) -> Readiness:
    return readiness(endpoint, world(directory, environ, endpoint), found or Found())


@pytest.mark.parametrize(
    ("endpoint", "environ", "rank", "words"),
    [
        (LAB, {}, "missing", "no key: Enter takes one"),
        (LAB, {"LAB_KEY": "  "}, "missing", "no key: Enter takes one"),
        (LAB, {"LAB_KEY": "k"}, "keyed", "key in LAB_KEY"),
        (LAB, {"OTHER_KEY": "k"}, "keyed", "key in OTHER_KEY"),
        (Endpoint("c", LAB.base_url, key_command=("pass", "x")), {}, "keyed", "key in command pass"),
        (Endpoint("o", LAB.base_url), {}, "own", "no key"),
        (Endpoint("g", gguf="/nowhere/a.gguf"), {}, "missing", "no such file"),
        (Endpoint("built-in"), {}, "here", "not fetched yet"),
        (Endpoint("azure", url_env="AZURE_OPENAI_ENDPOINT"), {}, "missing", "set AZURE_OPENAI_ENDPOINT"),
        (LOCAL, {}, "asking", "…"),
    ],
)  # fmt: skip
def test_what_is_there_is_said_in_a_few_words(
    tmp_path: Path, endpoint: Endpoint, environ: dict[str, str], rank: str, words: str
) -> None:
    found = ready(tmp_path, endpoint, environ)
    assert (found.rank, found.words) == (rank, words)
    assert found.takes_key == (words == "no key: Enter takes one")


@pytest.mark.parametrize(
    ("answered", "environ", "rank", "words", "takes_key"),
    [
        (None, {}, "missing", "nothing answers", False),
        (Answered(HERE, 1, "llamacpp"), {}, "answers", "1 model", False),
        (Answered(HERE, 1200), {}, "answers", "1,200 models", False),
        (Answered(HERE, 2, "vllm"), {}, "answers", "vLLM: 2 models", False),
        (Answered(HERE), {}, "answers", "wants a key", True),
        (Answered(HERE), {"LAB_KEY": "k"}, "answers", "key in LAB_KEY", False),
    ],
)
def test_a_server_of_this_machine_is_as_near_as_it_answers(
    tmp_path: Path,
    answered: Answered | None,
    environ: dict[str, str],
    rank: str,
    words: str,
    takes_key: bool,
) -> None:
    found = ready(tmp_path, LOCAL, environ, Found(answers={"local": answered}))
    assert (found.rank, found.words, found.takes_key) == (rank, words, takes_key)


def test_the_present_one_comes_first_then_the_nearest(tmp_path: Path) -> None:
    here = world(tmp_path, {"XAI_API_KEY": "k", "GROQ_API_KEY": "k"}, LOCAL)
    found = Found(answers={"local": Answered(HERE, 1), "ollama": None})
    states = {one.name: readiness(one, here, found) for one in here.endpoints}
    names = [one.name for one in in_order(here.endpoints, states, "openai")]
    assert names[:5] == ["openai", "groq", "xai", "local", "built-in"]
    assert names.index("vllm") < names.index("anthropic"), "what is being asked may be ready"
    assert sorted(names) == sorted(one.name for one in here.endpoints)


async def test_a_kept_key_is_found_and_one_in_a_variable_needs_no_look(tmp_path: Path) -> None:
    here = world(tmp_path, {"GROQ_API_KEY": "k"}, LAB)
    for url in (LAB.base_url, "https://api.groq.com/openai/v1"):
        here.keys.keep(url, _secret(), "file")
    found = await keys_kept(here)
    assert found.kept == {"lab": "file"}
    state = readiness(LAB, here, found)
    assert (state.rank, state.words, state.kept) == ("keyed", "key in keys.toml", "file")


def _secret() -> Secret:
    return Secret("sk-canary-0123456789")


async def test_a_spoilt_file_of_keys_is_said_only_of_those_whose_key_may_be_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    keys = tmp_path / "config" / "keys.toml"
    keys.parent.mkdir()
    keys.write_text("x = [")
    found = await keys_kept(world(tmp_path, {}, LAB, LOCAL))
    assert "keys.toml cannot be read" in found.problems["lab"]
    assert "local" not in found.problems
    assert "ollama" not in found.problems


def test_what_a_person_said_of_their_server_counts_whatever_answers_there() -> None:
    mine = Endpoint(
        "mine",
        "http://127.0.0.1:8000/v1",
        key_command=("pass", "lab"),
        model="m",
        rename={"max_tokens": "max_completion_tokens"},
        headers={"X-Team": "lab"},
        accepts=frozenset(["top_k"]),
    )
    used = placed(mine, Answered(mine.base_url, 1, "vllm"))
    known = next(one for one in known_endpoints() if one.name == "vllm")
    kept = ("name", "base_url", "key_command", "model", "rename", "headers", "accepts", "key_envs")
    assert {name: getattr(used, name) for name in kept} == {
        name: getattr(mine, name) for name in kept
    }
    assert (used.engine, used.rules, used.apis) == ("vllm", known.rules, known.apis)


def test_a_known_server_is_another_kind_with_what_a_person_changed_of_it() -> None:
    known = {one.name: one for one in known_endpoints()}
    answered = Answered("http://127.0.0.1:8000/v1", 1, "llamacpp")
    used = placed(known["vllm"], answered)
    assert (used.name, used.title) == ("vllm", known["vllm"].title)
    assert (used.engine, used.accepts) == ("llamacpp", known["llamacpp"].accepts)
    own = replace(known["vllm"], model="m", key_command=("pass", "lab"))
    used = placed(own, answered)
    assert (used.model, used.key_command) == ("m", ("pass", "lab"))
    assert (used.engine, used.accepts) == ("llamacpp", known["llamacpp"].accepts)
    assert placed(own, None) == own
    anew = placed(Endpoint("vllm", answered.base_url), answered)
    assert (anew.accepts, anew.rules) == (known["llamacpp"].accepts, known["llamacpp"].rules)
