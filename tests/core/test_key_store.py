"""Keys that a person gave: bound to an origin, kept where they said, found in order, shown to nobody."""

from __future__ import annotations

import os
import sys
import tomllib
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.key_store import KeyStore, Where
from tui_chat.core.keys import Secret, key_source, read_key
from tui_chat.core.secrets import typed_key

CANARY = "sk-canary-0123456789"
LAB = Endpoint("lab", "https://lab.example/v1", "LAB_KEY")


class Rings(ModuleType):
    """Stands in for the package keyring, which need not be installed."""

    def __init__(self, priority: float = 5) -> None:
        super().__init__("keyring")
        self.kept: dict[tuple[str, str], str] = {}
        self.priority = priority
        self.broken = False

    def get_keyring(self) -> Any:
        return self

    def get_password(self, service: str, name: str) -> str | None:
        if self.broken:
            raise RuntimeError(f"locked, {CANARY}")
        return self.kept.get((service, name))

    def set_password(self, service: str, name: str, value: str) -> None:
        if self.broken:
            raise RuntimeError(f"no place for {value}")
        self.kept[service, name] = value

    def delete_password(self, service: str, name: str) -> None:
        del self.kept[service, name]


@pytest.fixture
def rings(monkeypatch: pytest.MonkeyPatch) -> Rings:
    made = Rings()
    monkeypatch.setitem(sys.modules, "keyring", made)
    return made


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyStore:
    monkeypatch.setitem(sys.modules, "keyring", None)
    return KeyStore(tmp_path / "config" / "keys.toml")


def test_a_key_in_the_file_is_found_for_its_origin_alone(kept: KeyStore, tmp_path: Path) -> None:
    kept.keep("https://lab.example/v1", Secret(CANARY), "file")
    file = tmp_path / "config" / "keys.toml"
    assert tomllib.loads(file.read_text()) == {"https://lab.example:443": CANARY}
    assert file.read_text().startswith("# Keys that tui-chat keeps")
    if os.name == "posix":
        assert file.stat().st_mode & 0o777 == 0o600
        assert file.parent.stat().st_mode & 0o777 == 0o700
    again = KeyStore(file)
    for same in ("https://lab.example", "https://lab.example:443/other/v2"):
        found = again.find(same)
        assert found is not None
        assert found.key.reveal() == CANARY
    for other in ("http://lab.example/v1", "https://lab.example:8443/v1", "https://other.example/v1", ""):  # fmt: skip
        assert again.find(other) is None


def test_a_file_that_others_can_read_is_refused_in_words(kept: KeyStore, tmp_path: Path) -> None:
    kept.keep(LAB.base_url, Secret(CANARY), "file")
    file = tmp_path / "config" / "keys.toml"
    for mode in (0o644, 0o640, 0o602):
        file.chmod(mode)
        with pytest.raises(ChatError, match="Others can read") as caught:
            kept.find(LAB.base_url)
        assert caught.value.hint == f"chmod 600 {file}"
        assert CANARY not in "".join(traceback.format_exception(caught.value))
        with pytest.raises(ChatError, match="Others can read"):
            kept.keep("https://two.example", Secret("k"), "file")
    file.chmod(0o600)
    assert kept.find(LAB.base_url) is not None


@pytest.mark.parametrize("text", [f'"a" = "{CANARY}', f"{CANARY}", "\xff" + CANARY])
def test_a_broken_file_is_said_without_what_is_in_it(
    kept: KeyStore, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "config" / "keys.toml"
    file.parent.mkdir()
    file.write_bytes(text.encode("latin-1"))
    file.chmod(0o600)
    with pytest.raises(ChatError) as caught:
        kept.find(LAB.base_url)
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert "keys.toml cannot be read" in str(caught.value)


def test_comments_and_other_keys_in_the_file_stay(kept: KeyStore, tmp_path: Path) -> None:
    kept.keep("https://one.example", Secret("one"), "file")
    file = tmp_path / "config" / "keys.toml"
    file.write_text(file.read_text() + "# the second\n")
    file.chmod(0o600)
    kept.keep("https://two.example", Secret("two"), "file")
    kept.forget("https://one.example")
    assert "# the second" in file.read_text()
    assert tomllib.loads(file.read_text()) == {"https://two.example:443": "two"}
    assert file.stat().st_mode & 0o077 == 0 or os.name != "posix"


def test_a_key_for_this_run_is_on_no_disk(kept: KeyStore, tmp_path: Path) -> None:
    kept.keep(LAB.base_url, Secret(CANARY), "run")
    found = kept.find(LAB.base_url)
    assert found is not None
    assert (found.where, found.key.reveal()) == ("run", CANARY)
    assert list(tmp_path.rglob("*")) == []
    assert KeyStore(tmp_path / "config" / "keys.toml").find(LAB.base_url) is None


def test_the_keyring_is_offered_where_it_is_of_use(tmp_path: Path, rings: Rings) -> None:
    kept = KeyStore(tmp_path / "keys.toml")
    assert kept.places() == ("run", "keyring", "file")
    kept.keep(LAB.base_url, Secret(CANARY), "keyring")
    assert rings.kept == {("tui-chat", "https://lab.example:443"): CANARY}
    assert kept.find("https://lab.example:8443/v1") is None
    assert kept.forget(LAB.base_url) == ("keyring",)
    assert not rings.kept
    rings.priority = 0
    assert KeyStore(tmp_path / "keys.toml").places() == ("run", "file")


def test_a_keyring_that_fails_is_said_without_its_words(tmp_path: Path, rings: Rings) -> None:
    kept = KeyStore(tmp_path / "keys.toml")
    rings.broken = True
    assert kept.find(LAB.base_url) is None
    with pytest.raises(ChatError, match="did not take the key") as caught:
        kept.keep(LAB.base_url, Secret(CANARY), "keyring")
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_a_key_is_kept_in_one_place_and_forgotten_everywhere(tmp_path: Path, rings: Rings) -> None:
    kept = KeyStore(tmp_path / "keys.toml")
    places: tuple[Where, ...] = ("file", "keyring", "run", "file")
    for where in places:
        kept.keep(LAB.base_url, Secret(f"key-{where}"), where)
        found = kept.find(LAB.base_url)
        assert found is not None
        assert (found.where, found.key.reveal()) == (where, f"key-{where}")
    assert kept.forget(LAB.base_url) == ("file",)
    assert kept.find(LAB.base_url) is None


def test_a_command_comes_first_then_variables_then_the_run_the_keyring_and_the_file(
    tmp_path: Path, rings: Rings
) -> None:
    kept = KeyStore(tmp_path / "keys.toml")
    kept.keep(LAB.base_url, Secret("of-the-file"), "file")
    rings.kept["tui-chat", "https://lab.example:443"] = "of-the-keyring"
    command = (sys.executable, "-c", "print('of-the-command')")
    endpoint = Endpoint("lab", LAB.base_url, "LAB_KEY", ("OTHER_KEY",), command)
    environ = {"LAB_KEY": "of-the-first", "OTHER_KEY": "of-the-second"}
    kept._run["https://lab.example:443"] = Secret("of-the-run")

    def now() -> tuple[str, str]:
        found = read_key(endpoint, environ, kept)
        assert found is not None
        return found.reveal(), key_source(endpoint, environ, kept)

    assert now() == ("of-the-command", f"printed by {sys.executable[:60]}")
    endpoint = Endpoint("lab", LAB.base_url, "LAB_KEY", ("OTHER_KEY",))
    assert now() == ("of-the-first", "LAB_KEY (set)")
    environ["LAB_KEY"] = " "
    assert now() == ("of-the-second", "OTHER_KEY (set)")
    environ.clear()
    assert now() == ("of-the-run", "the key dialog")
    kept._run.clear()
    assert now() == ("of-the-keyring", "the keyring")
    rings.kept.clear()
    assert now() == ("of-the-file", "keys.toml")
    kept.forget(LAB.base_url)
    with pytest.raises(ChatError, match="LAB_KEY or OTHER_KEY is not set"):
        read_key(endpoint, environ, kept)


@pytest.mark.parametrize("typed", [f" {CANARY}\n", f"\r\n{CANARY}", f"\t{CANARY} "])
def test_white_space_around_a_typed_key_is_dropped(typed: str) -> None:
    assert typed_key(typed).reveal() == CANARY


@pytest.mark.parametrize("typed", ["dGVzdA==", "a.b-c_d/e+f=", "ya29.a0Af_x"])
def test_keys_of_any_form_are_taken(typed: str) -> None:
    assert typed_key(typed).reveal() == typed


@pytest.mark.parametrize(
    "typed",
    ["", "  \n", f"{CANARY} {CANARY}", f"{CANARY}\n{CANARY}", f"'{CANARY}'", f"{CANARY}é",
     f"OPENAI_API_KEY={CANARY}", f"export OPENAI_API_KEY={CANARY}", f"Bearer {CANARY}", f"{CANARY}\x07", "x" * 9000],
)  # fmt: skip
def test_what_cannot_be_a_key_is_refused_in_words_and_not_shown(typed: str) -> None:
    with pytest.raises(ChatError) as caught:
        typed_key(typed)
    assert CANARY not in "".join(traceback.format_exception(caught.value))


@pytest.fixture(params=["broken", "directory", "pipe", "huge", "latin"])
def spoilt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> KeyStore:
    monkeypatch.setitem(sys.modules, "keyring", None)
    file = tmp_path / "keys.toml"
    match request.param:
        case "broken":
            file.write_text("x = [")
        case "directory":
            file.mkdir()
        case "pipe" if hasattr(os, "mkfifo"):
            os.mkfifo(file)
        case "huge":
            file.write_text("# " + "x" * 2_000_000)
        case _:
            file.write_bytes(b"\xff")
    return KeyStore(file)


def test_a_spoilt_file_keeps_no_one_from_whom_needs_no_key(spoilt: KeyStore) -> None:
    for endpoint in (
        Endpoint("ollama", "http://127.0.0.1:11434/v1"),
        Endpoint("vllm", "http://localhost:8000/v1", "VLLM_API_KEY"),
        Endpoint("attic", "http://attic.lan:8080/v1"),
    ):
        assert read_key(endpoint, {}, spoilt) is None
        assert "cannot be read" not in key_source(endpoint, {}, spoilt)


def test_whose_key_could_only_be_in_a_spoilt_file_is_told_so(spoilt: KeyStore) -> None:
    with pytest.raises(ChatError, match=r"keys\.toml cannot be read"):
        read_key(LAB, {}, spoilt)
    given = read_key(LAB, {"LAB_KEY": "of-the-variable"}, spoilt)
    assert given is not None


def test_a_key_for_this_run_is_taken_and_forgotten_whatever_the_file_is(spoilt: KeyStore) -> None:
    spoilt.keep(LAB.base_url, Secret(CANARY), "run")
    found = spoilt.find(LAB.base_url)
    assert found is not None
    assert (found.where, found.key.reveal()) == ("run", CANARY)
    assert spoilt.forget(LAB.base_url) == ("run",)
    with pytest.raises(ChatError, match=r"keys\.toml"):
        spoilt.forget(LAB.base_url)


def test_a_key_for_this_run_is_taken_beside_a_file_that_others_can_read(
    kept: KeyStore, tmp_path: Path
) -> None:
    kept.keep(LAB.base_url, Secret("old-key"), "file")
    (tmp_path / "config" / "keys.toml").chmod(0o644)
    kept.keep(LAB.base_url, Secret(CANARY), "run")
    found = kept.find(LAB.base_url)
    assert found is not None
    assert found.where == "run"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_user_is_not_trusted(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text('"https://lab.example:443" = "key-of-theirs"\n')
    file.chmod(0o600)
    try:
        os.chown(file, 12345, 12345)
    except OSError as error:
        pytest.skip(f"there is no other user here: {error.strerror}")
    with pytest.raises(ChatError, match="belongs to another user"):
        KeyStore(file).find("https://lab.example/v1")
