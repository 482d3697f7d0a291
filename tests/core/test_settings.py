"""settings.toml: what is wrong is named with its place, what is right counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui_chat.core.endpoint_tables import known_endpoints
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.known import Endpoints
from tui_chat.core.settings import Settings, load_settings, remember_endpoint, remember_setting

GOOD = """# mine
endpoint = "lab"
theme = "nord"

[keys]
"chat.new" = "ctrl+g"

[endpoints.lab]
base_url = "https://lab.example/v1/"
key_env = "LAB_KEY"
model = "m"
accepts = ["top_k"]
"""


def loaded(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    settings = load_settings(path)
    assert path.read_text() == text
    return settings


def test_a_missing_file_says_nothing(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "settings.toml") == Settings()


def test_everything_that_can_be_set_is_read(tmp_path: Path) -> None:
    settings = loaded(tmp_path, GOOD)
    assert (settings.endpoint, settings.theme) == ("lab", "nord")
    assert dict(settings.keys) == {"chat.new": "ctrl+g"}
    (lab,) = settings.endpoints
    assert (lab.base_url, lab.key_env, lab.model) == ("https://lab.example/v1", "LAB_KEY", "m")
    assert lab.accepts == frozenset(["top_k"])
    assert not settings.problems


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ('theme = "open\n', "settings.toml:1:", ""),
        ('theme = "nord"\ntheme = "other"\n', "settings.toml:2:", ""),
        ("theme = 5\n", "settings.toml:1:", "theme takes a text"),
        ('\n\nthme = "nord"\n', "settings.toml:3:", "no setting"),
        ("keys = 1\n", "settings.toml:1:", "[keys] takes lines"),
        ('[keys]\n"chat.new" = 3\n', "settings.toml:2:", "must be a text"),
        ('[endpoints.x]\nbase_url = "nonsense"\n', "settings.toml:1:", "not a URL"),
        ('[endpoints.x]\nmodel = "m"\n', "settings.toml:1:", "base_url is missing"),
        ('[endpoints.x]\nbase_url = "http://h/v1"\ncolour = 1\n', "settings.toml:1:", "colour"),
        ("endpoints = 3\n", "settings.toml:1:", "tables"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    tmp_path: Path, text: str, place: str, words: str
) -> None:
    (problem,) = loaded(tmp_path, text).problems
    assert problem.startswith(place)
    assert words in problem


def test_what_is_right_counts_beside_what_is_wrong(tmp_path: Path) -> None:
    settings = loaded(tmp_path, GOOD + '\n[endpoints.bad]\nbase_url = "ftp://x"\n')
    assert settings.theme == "nord"
    assert [endpoint.name for endpoint in settings.endpoints] == ["lab"]
    assert len(settings.problems) == 1


def test_a_key_pasted_where_its_name_belongs_is_not_repeated(tmp_path: Path) -> None:
    settings = loaded(tmp_path, '[endpoints.x]\nbase_url="http://h/v1"\nkey_env="sk-canary-123"\n')
    assert "name of an environment variable" in settings.problems[0]
    assert "canary" not in "".join(settings.problems)


def test_remembering_keeps_comments_and_all_else(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(GOOD)
    remember_setting(path, "theme", "gruvbox")
    assert path.read_text() == GOOD.replace("nord", "gruvbox")


def test_remembering_a_new_setting_puts_it_before_the_tables(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('[keys]\n"chat.new" = "ctrl+g"\n')
    remember_setting(path, "theme", "nord")
    settings = load_settings(path)
    assert (settings.theme, dict(settings.keys)) == ("nord", {"chat.new": "ctrl+g"})


def test_remembering_makes_the_file_where_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "config" / "settings.toml"
    remember_setting(path, "theme", "nord")
    assert load_settings(path).theme == "nord"


def test_a_broken_file_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("theme = \n")
    with pytest.raises(ChatError, match="not remembered"):
        remember_setting(path, "theme", "nord")
    assert path.read_text() == "theme = \n"


@pytest.mark.parametrize("name", ["new", "127.0.0.1:8080", "a b", 'say "hi"', "ç", "-"])
@pytest.mark.parametrize("before", ["", GOOD, GOOD.rstrip(), "# only words\n"])
def test_an_endpoint_is_added_below_all_else(tmp_path: Path, name: str, before: str) -> None:
    path = tmp_path / "settings.toml"
    if before:
        path.write_text(before)
    remember_endpoint(path, Endpoint(name, "http://127.0.0.1:8080/v1", "NEW_KEY"))
    assert path.read_text().startswith(before.rstrip())
    settings = load_settings(path)
    assert settings.problems == ()
    added = settings.endpoints[-1]
    assert (added.name, added.base_url, added.key_env) == (
        name,
        "http://127.0.0.1:8080/v1",
        "NEW_KEY",
    )
    with pytest.raises(ChatError, match="already"):
        remember_endpoint(path, Endpoint(name, "http://other/v1"))


@pytest.mark.parametrize(
    "before", ["endpoints = {lab = {base_url = 'http://h'}}\n", "endpoints = 3\n"]
)
def test_an_endpoint_that_cannot_be_added_leaves_the_file_as_it_is(
    tmp_path: Path, before: str
) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(before)
    with pytest.raises(ChatError, match="by hand"):
        remember_endpoint(path, Endpoint("new", "http://127.0.0.1:8080/v1"))
    assert path.read_text() == before


def test_a_table_without_an_address_changes_only_what_stands_in_it(tmp_path: Path) -> None:
    text = """
[endpoints.groq]
key_command = ["pass", "show", "groq"]
model = "llama-3.3-70b-versatile"
most_logprobs = 5

[[endpoints.openai.rules]]
ignores = ["seed"]
why = "it draws anew each time"

[endpoints.vllm]
base_url = "http://10.0.0.7:8000/v1"
"""
    known = {one.name: one for one in known_endpoints()}
    groq, openai, vllm = loaded(tmp_path, text).endpoints
    assert groq.key_command == ("pass", "show", "groq")
    assert (groq.model, groq.most_logprobs) == ("llama-3.3-70b-versatile", 5)
    assert (groq.base_url, groq.key_env, groq.rules) == (
        known["groq"].base_url,
        "GROQ_API_KEY",
        known["groq"].rules,
    )
    assert [rule.why for rule in openai.rules] == ["it draws anew each time"]
    assert openai.base_url == known["openai"].base_url
    assert vllm.rename == {}
    assert vllm.ports == ()


@pytest.mark.parametrize(
    "value", ["1979-05-27", "12:00:00", "nan", "-inf", "[nan]", "{ a = { b = 1979-05-27 } }"]
)
def test_what_no_request_can_carry_is_said_where_it_is_set(tmp_path: Path, value: str) -> None:
    lab = '[endpoints.lab]\nbase_url = "https://lab.example/v1"\n'
    row = f'writes = {{ temperature = {{ "0.5" = {{ x = {value} }} }} }}\n'
    settings = loaded(tmp_path, lab + row)
    assert not settings.endpoints
    assert "writes takes what a request can carry for temperature" in settings.problems[0]
    good = row.replace(value, '{ a = [1, 0.5, "b", true] }')
    assert loaded(tmp_path, lab + good).endpoints[0].writes["temperature"] == {
        "0.5": {"x": {"a": [1, 0.5, "b", True]}}
    }


@pytest.mark.parametrize(
    "row",
    [
        'key_command = ["{}"]',
        'key_command = ["{} --print"]',
        'key_env = "{}"',
        'key_envs = ["{}"]',
    ],
)
@pytest.mark.parametrize(
    "key",
    [
        "sk-proj-canary0123456789",
        "fw_abc123def456ghi789jkl012",
        "tgp_v1_abc123def456ghi789jkl012",
        "AKIAABCDEFGH12345678",
        "ASIAABCDEFGHIJKLMNOP",
    ],
)
def test_a_key_in_place_of_what_names_it_is_refused_and_not_repeated(
    tmp_path: Path, row: str, key: str
) -> None:
    lab = '[endpoints.lab]\nbase_url = "https://lab.example/v1"\n'
    settings = loaded(tmp_path, f"{lab}{row.format(key)}\n")
    assert not settings.endpoints
    assert "not a key" in settings.problems[0]
    assert key not in settings.problems[0]


@pytest.mark.parametrize("command", ['"pass", "lab"', '"/opt/bin/get-key", "sk-x"', '"op"'])
def test_a_command_that_prints_the_key_is_taken(tmp_path: Path, command: str) -> None:
    lab = '[endpoints.lab]\nbase_url = "https://lab.example/v1"\n'
    assert loaded(tmp_path, f"{lab}key_command = [{command}]\n").endpoints[0].key_command


@pytest.mark.parametrize(
    "name", ["", " ", "\\n", "built-in", "built-in ", "environment", " environment"]
)
def test_an_endpoint_whose_name_comes_out_as_another_is_refused(tmp_path: Path, name: str) -> None:
    settings = loaded(tmp_path, f'[endpoints."{name}"]\nbase_url = "https://evil.example/v1"\n')
    assert settings.problems
    endpoints = Endpoints.gathered(settings.endpoints, {})
    assert endpoints.find("built-in").base_url == ""
    first = endpoints.default(settings.endpoint, {}, model_ready=True)
    assert first == endpoints.find("built-in")


def test_of_two_endpoints_whose_names_come_out_alike_the_first_counts(tmp_path: Path) -> None:
    rows = [f'[endpoints."{name}"]\nbase_url = "https://{name.strip()}.example/v1"\n' for name in ("lab", "lab ")]  # fmt: skip
    rows[1] = rows[1].replace("https://lab", "https://evil")
    settings = loaded(tmp_path, "".join(rows))
    assert [one.base_url for one in settings.endpoints] == ["https://lab.example/v1"]
    assert "already" in settings.problems[0]


@pytest.mark.parametrize("like", ['"opanai"', "5", '["openai"]', "true"])
def test_who_is_like_nobody_that_is_known_is_told_so(tmp_path: Path, like: str) -> None:
    lab = f'[endpoints.lab]\nbase_url = "https://lab.example/v1"\nlike = {like}\n'
    settings = loaded(tmp_path, lab)
    assert not settings.endpoints
    assert "like takes" in settings.problems[0]


def test_a_mistake_in_a_price_is_said_without_control_characters(tmp_path: Path) -> None:
    (problem,) = loaded(tmp_path, '[prices.m]\n"a\\u001b[31mb\\u202e" = 1\n').problems
    assert "in a price" in problem
    assert "\x1b" not in problem
    assert "\u202e" not in problem
