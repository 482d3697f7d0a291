"""Endpoints: known, named by the environment, a person's own; and their keys."""

from __future__ import annotations

import pickle
import sys
import traceback
from pathlib import Path

import pytest

from tui_chat.core.endpoint_tables import endpoint_from, known_endpoints
from tui_chat.core.endpoints import BUILT_IN, ENVIRONMENT, Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.files import Places
from tui_chat.core.keys import Secret, key_source, read_key
from tui_chat.core.known import Endpoints
from tui_chat.core.params import BY_NAME
from tui_chat.core.settings import Settings
from tui_chat.core.urls import normal_base_url
from tui_chat.core.world import World

CANARY = "sk-canary-0123456789"


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        (" http://127.0.0.1:8080/v1/ ", "http://127.0.0.1:8080/v1"),
        ("https://h/v1/chat/completions", "https://h/v1"),
        ("https://h/v1/models", "https://h/v1"),
        ("https://h", "https://h"),
        ("HTTP://Host:80/V1", "http://host:80/V1"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
        ("http://http://localhost:8801/v1/", "http://localhost:8801/v1"),
        ("http://https://h/v1", "https://h/v1"),
        ("http:// https://h/v1", "https://h/v1"),
    ],
)
def test_a_base_url_is_made_normal(typed: str, url: str) -> None:
    assert normal_base_url(typed) == url


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "h/v1",
        "ftp://h",
        "http://",
        "http://h:port/",
        "file:///x",
        "http://http://",
        "http://file://h",
    ],
)
def test_what_is_no_url_is_said(typed: str) -> None:
    with pytest.raises(ChatError, match="not a URL"):
        normal_base_url(typed)


@pytest.mark.parametrize("typed", [f"https://{CANARY}@h/v1", f"https://h/v1?key={CANARY}"])
def test_a_key_in_a_url_is_refused_and_not_repeated(typed: str) -> None:
    with pytest.raises(ChatError) as caught:
        normal_base_url(typed)
    assert CANARY not in str(caught.value)


def test_the_built_in_model_comes_first_and_openai_is_known() -> None:
    built_in, openai, *others = known_endpoints()
    assert {one.name for one in others} >= {
        "anthropic",
        "gemini",
        "meta",
        "groq",
        "ollama",
        "azure",
    }
    assert built_in.name == BUILT_IN
    assert built_in.local
    assert built_in.takes(BY_NAME["top_k"])
    assert openai.openai
    assert not openai.takes(BY_NAME["top_k"])
    assert openai.takes(BY_NAME["temperature"])
    assert openai.rename == {"max_tokens": "max_completion_tokens"}


def test_the_default_is_as_settings_want_then_the_environment_then_the_model() -> None:
    url, key = {"OPENAI_BASE_URL": "http://h/v1"}, {"OPENAI_API_KEY": "x"}
    own = Endpoint("lab", "http://lab/v1")

    def default(environ: dict[str, str], wanted: str = "", *, ready: bool = True) -> str | None:
        found = Endpoints.gathered([own], environ).default(wanted, environ, ready)
        return found.name if found else None

    assert default(url | key, "lab") == "lab"
    assert default(url | key) == ENVIRONMENT
    assert default(key) == "openai"
    assert default({}) == BUILT_IN
    assert default({}, ready=False) is None
    assert default({}, "nobody") == BUILT_IN


@pytest.mark.parametrize(
    ("environ", "ready", "name"),
    [
        ({"GROQ_API_KEY": "x"}, False, "groq"),
        ({"GROQ_API_KEY": "x"}, True, BUILT_IN),
        ({"GROQ_API_KEY": " "}, False, None),
        ({"GOOGLE_API_KEY": "x", "GROQ_API_KEY": "x"}, False, "gemini"),
        ({"OPENAI_API_KEY": "x", "ANTHROPIC_API_KEY": "x"}, True, "openai"),
        ({"AZURE_OPENAI_API_KEY": "x"}, False, None),
        ({"AZURE_OPENAI_API_KEY": "x", "AZURE_OPENAI_ENDPOINT": "https://a.example"}, False, "azure"),
        ({"OPENAI_API_KEY": "x", "OPENAI_BASE_URL": "no url"}, False, None),
        ({"OPENAI_API_KEY": "x", "OPENAI_BASE_URL": "no url", "XAI_API_KEY": "x"}, False, "xai"),
        ({"LAB_KEY": "x"}, False, "lab"),
    ],
)  # fmt: skip
def test_a_key_in_the_environment_is_used_where_there_is_no_model(
    environ: dict[str, str], ready: bool, name: str | None
) -> None:
    own = Endpoint("lab", "http://lab/v1", "LAB_KEY")
    found = Endpoints.gathered([own], environ).default("", environ, ready)
    assert (found.name if found else None) == name


def test_an_own_endpoint_replaces_a_known_one_of_its_name() -> None:
    endpoints = Endpoints.gathered([Endpoint("openai", "http://mine/v1")], {})
    assert endpoints.find("openai").base_url == "http://mine/v1"


def test_a_url_adds_an_endpoint_named_after_its_host() -> None:
    endpoints, added = Endpoints.gathered([], {}).with_url("http://127.0.0.1:8080/v1", "MY_KEY")
    assert added.name == "127.0.0.1:8080"
    assert added.local
    assert endpoints.find(added.name).key_env == "MY_KEY"
    assert endpoints.typed == (added,)


@pytest.mark.parametrize("url", [f"http://https://{CANARY}@h/v1", f"http://http://h?k={CANARY}"])
def test_a_key_in_a_url_with_two_schemes_is_not_repeated_either(url: str) -> None:
    with pytest.raises(ChatError) as caught:
        normal_base_url(url)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("words", "base_url"),
    [
        ("127.0.0.1:8802", "http://127.0.0.1:8802"),
        ("localhost:8802/v1", "http://localhost:8802/v1"),
        ("localhost", "http://localhost"),
        ("attic.lan:8080/v1", "http://attic.lan:8080/v1"),
        ("http://http://localhost:8802/v1/", "http://localhost:8802/v1"),
        ("https://lab.example/v1", "https://lab.example/v1"),
        ("groq", "https://api.groq.com/openai/v1"),
        ("lab:1", "https://lab.example/v1"),
    ],
)
def test_who_is_named_is_an_endpoint_or_a_server(tmp_path: Path, words: str, base_url: str) -> None:
    own = Endpoint("lab:1", "https://lab.example/v1")
    endpoints = Endpoints.gathered((own,), {})
    world = World(Places(tmp_path, tmp_path), Settings(), endpoints, {})
    assert world.endpoint_for(words).base_url == base_url


@pytest.mark.parametrize("words", ["lab.example", "grok", "[", f"{CANARY}:80", "a b:80", ""])
def test_words_that_may_be_a_mistyped_name_add_no_server(tmp_path: Path, words: str) -> None:
    world = World(Places(tmp_path, tmp_path), Settings(), Endpoints.gathered((), {}), {})
    count = len(list(world.endpoints))
    with pytest.raises(ChatError) as caught:
        world.endpoint_for(words)
    assert CANARY not in str(caught.value)
    assert len(list(world.endpoints)) == count


def test_an_unknown_endpoint_names_those_there_are() -> None:
    with pytest.raises(ChatError, match="built-in, openai"):
        Endpoints.gathered([], {}).find("nobody")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"base_url": "http://h", "accepts": ["warmth"]}, "warmth"),
        ({"base_url": "http://h", "accepts": "top_k"}, "list"),
        ({"base_url": "http://h", "rename": {"warmth": "x"}}, "warmth"),
        ({"base_url": 3}, "text"),
        ({"base_url": "http://h", "key_command": "pass show x"}, "list"),
    ],
)
def test_a_wrong_description_is_said(table: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        endpoint_from("x", table)


def test_a_key_is_read_from_the_variable_that_is_named() -> None:
    lab = Endpoint("lab", "https://lab/v1", "LAB_KEY")
    found = read_key(lab, {"LAB_KEY": f" {CANARY}\n", "OPENAI_API_KEY": "other"})
    assert found is not None
    assert found.reveal() == CANARY


def test_openais_key_goes_to_openai_alone_unless_it_is_named() -> None:
    environ = {"OPENAI_API_KEY": CANARY}
    assert read_key(Endpoint("other", "https://other/v1"), environ) is None
    _, added = Endpoints.gathered([], environ).with_url("https://other/v1")
    assert read_key(added, environ) is None


def test_a_missing_key_names_its_variable() -> None:
    lab = Endpoint("lab", "https://lab/v1", "LAB_KEY")
    with pytest.raises(ChatError, match="LAB_KEY is not set"):
        read_key(lab, {})
    assert read_key(Endpoint("here", "http://127.0.0.1/v1", "LAB_KEY"), {}) is None


@pytest.mark.parametrize(
    "value", [f"{CANARY} two", f"{CANARY}\nline", f"{CANARY}ç", f"{CANARY}\x1b"]
)
def test_what_cannot_be_a_key_is_refused_without_being_shown(value: str) -> None:
    lab = Endpoint("lab", "https://lab/v1", "LAB_KEY")
    try:
        read_key(lab, {"LAB_KEY": value})
    except ChatError as error:
        said = str(error) + repr(error) + "".join(traceback.format_exception(error))
    assert "LAB_KEY" in said
    assert CANARY not in said


def test_a_command_prints_the_key() -> None:
    code = f"print('{CANARY}'); print('more')"
    endpoint = Endpoint("lab", "https://lab/v1", key_command=(sys.executable, "-c", code))
    found = read_key(endpoint, {})
    assert found is not None
    assert found.reveal() == CANARY


@pytest.mark.parametrize("code", ["raise SystemExit(3)", f"import sys; sys.exit('{CANARY}')", ""])
def test_a_command_that_fails_is_said_without_its_output(code: str) -> None:
    endpoint = Endpoint("lab", "https://lab/v1", key_command=(sys.executable, "-c", code))
    with pytest.raises(ChatError) as caught:
        read_key(endpoint, {})
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret(CANARY)
    assert CANARY not in f"{secret} {secret!r} {secret!s} {secret:>40} {[secret]}"
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_the_source_of_a_key_is_said_without_the_key() -> None:
    environ = {"LAB_KEY": CANARY}
    assert key_source(Endpoint("a", "http://h", "LAB_KEY"), environ) == "LAB_KEY (set)"
    assert key_source(Endpoint("a", "http://h", "OTHER"), environ) == "OTHER (not set)"
    assert key_source(Endpoint("a", "http://h"), environ) == "none needed"
    assert "pass" in key_source(Endpoint("a", "http://h", key_command=("pass", "x")), environ)
