"""--ephemeral: the installed program writes nothing at all, whatever is done in it and however it ends."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests import preloaded
from tests.fake_server import Answer, FakeServer, words
from tests.forked import LoadedTerminal
from tests.local_model import put_model
from tests.rooms.library import keep, talk
from tests.terminal import TUI_CHAT, Terminal, home_environment
from tests.trees import tree

ENTER, ESCAPE, CTRL_Q, F3, F6 = "\r", "\x1b", "\x11", "\x1bOR", "\x1b[17~"
EPHEMERAL = (*TUI_CHAT, "--ephemeral")


def _home(tmp_path: Path) -> tuple[Path, Path]:
    """A home, and a directory for temporary files."""
    places = tmp_path / "home", tmp_path / "tmp"
    for place in places:
        place.mkdir()
    return places


def _environment(places: tuple[Path, Path], server: FakeServer | None = None) -> dict[str, str]:
    home, scratch = places
    more = {"OPENAI_BASE_URL": server.base_url} if server else {}
    return home_environment(home, **more) | {
        "TMPDIR": str(scratch),
        "TUI_CHAT_CONFIG_DIR": str(home / "config"),
        "TUI_CHAT_CACHE_DIR": str(home / "cache"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _chat(terminal: Terminal) -> None:
    """Send, search, try to keep something, and begin another draft."""
    terminal.wait_for("ready")
    terminal.wait_for("not saved")
    terminal.type("a needle" + ENTER)
    terminal.wait_for("the answer")
    terminal.wait_for("complete")
    terminal.type(F3)
    terminal.wait_for("Saved conversations")
    terminal.forget()
    terminal.type("answer")
    terminal.wait_for("1 hit")
    terminal.type(ESCAPE)
    terminal.wait_for("Regenerate")
    terminal.forget()
    terminal.type("/save Mine" + ENTER)
    terminal.wait_for("writes nothing")
    terminal.type("\x15")
    terminal.go("\x10", "Search for")
    terminal.type("check what")
    terminal.wait_for("Is it sound?")
    terminal.type(ENTER)
    terminal.wait_for("alone")
    terminal.type("/theme nord" + ENTER)
    terminal.type("half a thought")
    terminal.wait_for("half a thought")


def _quit(terminal: Terminal) -> None:
    terminal.type(CTRL_Q)
    assert terminal.wait_end() == 0


def _kill(terminal: Terminal) -> None:
    os.kill(terminal.process.pid, signal.SIGKILL)
    terminal.process.wait()


def _whole(environ: Mapping[str, str]) -> Terminal:
    return Terminal(EPHEMERAL, environ)


def _loaded(environ: Mapping[str, str]) -> Terminal:
    return LoadedTerminal(environ, "--ephemeral")


@pytest.mark.parametrize(("start", "end"), [(_whole, _quit), (_loaded, _kill)])
async def test_a_run_leaves_a_home_as_it_was(
    tmp_path: Path,
    start: Callable[[Mapping[str, str]], Terminal],
    end: Callable[[Terminal], None],
) -> None:
    places = _home(tmp_path)
    if end is _quit:
        await keep(places[0], talk("said before", "an older answer"))
        (places[0] / "config" / "settings.toml").write_text('theme = "textual-light"\n')
        (places[0] / "config" / "presets").mkdir()
        (places[0] / "config" / "presets" / "Kept.toml").write_text("[parameters]\nseed = 7\n")
    with FakeServer(Answer(words("the answer"))) as server:
        before = tree(*places)
        with start(_environment(places, server)) as terminal:
            _chat(terminal)
            end(terminal)
    assert tree(*places) == before
    assert "said before" not in terminal.text


def test_the_built_in_model_answers_and_leaves_nothing(tmp_path: Path) -> None:
    places = _home(tmp_path)
    put_model(places[0] / "cache" / "models")
    before = tree(*places)
    environ = _environment(places)
    with LoadedTerminal(environ, "--ephemeral", "--max-tokens", "5") as terminal:
        terminal.wait_for("ready")
        terminal.type("Hello" + ENTER)
        terminal.wait_for("reply 5")
        _quit(terminal)
    assert tree(*places) == before


def _bound_by_modes() -> None:
    """From now on modes count for this process, also where it is a superuser's."""
    drop, override = 24, 1  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE
    ctypes.CDLL(None).prctl(drop, override, 0, 0, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="only there modes can be made to count for all")
def test_it_works_in_a_home_that_cannot_be_written_to(tmp_path: Path) -> None:
    places = _home(tmp_path)
    for place in places:
        place.chmod(0o500)
    try:
        with FakeServer(Answer(words("the answer"))) as server:
            environ = _environment(places, server)
            with Terminal(EPHEMERAL, environ, before=_bound_by_modes) as terminal:
                _chat(terminal)
                _quit(terminal)
            refused = subprocess.run(
                [sys.executable, "-c", "open('home/x', 'w')"],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
                preexec_fn=_bound_by_modes,
            )
    finally:
        for place in places:
            place.chmod(0o700)
    assert "Permission denied" in refused.stderr, "the home can be written to all the same"


def test_what_contradicts_itself_is_refused_in_words(tmp_path: Path) -> None:
    environ = _environment(_home(tmp_path))
    for arguments in (["--ephemeral", "list"], ["ask", "--ephemeral", "--save", "hello"]):
        done = preloaded.run(arguments, environ)
        assert done.returncode == 2
        assert b"--ephemeral" in done.stderr


def test_the_model_is_not_fetched(tmp_path: Path) -> None:
    places = _home(tmp_path)
    before = tree(*places)
    done = preloaded.run(["ask", "--ephemeral", "hello"], _environment(places))
    assert done.returncode == 1
    assert b"This run writes nothing to disk, so the model was not fetched." in done.stderr
    assert tree(*places) == before
