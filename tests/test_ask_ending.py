"""How `tui-chat ask` ends: a server that fails, Ctrl+C, a reader that goes away, a full disk."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.asking import SECONDS, Done, ask, environment, run, said
from tests.fake_server import Answer, FakeServer, words
from tests.terminal import TUI_CHAT


def test_a_server_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with FakeServer() as server:
        pass
    refused = ask(tmp_path, server, "--model", "m", "hi")
    listed = ask(tmp_path, server, "hi")

    for done in (refused, listed):
        assert (done.returncode, done.stdout) == (1, b"")
        assert "Nothing answers at" in said(done)


def test_a_parameter_that_is_refused_is_named_and_the_answer_comes(tmp_path: Path) -> None:
    with FakeServer() as server:
        server.refuses["seed"] = {
            "error": {
                "message": "Unsupported parameter: 'seed' \x1b[31m",
                "type": "invalid_request_error",
                "param": "seed",
                "code": "unsupported_parameter",
            }
        }
        done = ask(tmp_path, server, "--seed", "3", "hi")

    assert (done.returncode, done.stdout) == (0, b"Hello, world.\n")
    assert "was refused: Unsupported parameter: 'seed' ␛[31m" in said(done)
    assert "seed" in server.chats[0]
    assert "seed" not in server.chats[1]


def test_a_parameter_that_the_endpoint_does_not_know_is_named_and_not_sent(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    with FakeServer() as server:
        (tmp_path / "config" / "settings.toml").write_text(
            f'[endpoints.lab]\nbase_url = "{server.base_url}"\naccepts = []\n'
        )
        done = run(tmp_path, "ask", "--endpoint", "lab", "--top-k", "5", "--seed", "1", "hi")

    assert (done.returncode, done.stdout) == (0, b"Hello, world.\n")
    assert said(done) == "tui-chat: Top K was not sent: lab does not know it.\n"
    assert server.chats[0].keys() & {"top_k", "seed"} == {"seed"}


@pytest.mark.parametrize("how", ["chunk", "end", "reset"])
def test_a_stream_cut_in_the_middle_prints_what_arrived(tmp_path: Path, how: str) -> None:
    answer = Answer(["Half ", "of ", "it"], cut_after=2, cut=how, delay=0.02)  # type: ignore[arg-type]  # a table
    with FakeServer(answer) as server:
        done = ask(tmp_path, server, "--model", "m", "hi")

    assert (done.returncode, done.stdout) == (1, b"Half of \n")
    assert said(done)


@pytest.mark.parametrize(("finish", "code"), [("length", 0), ("content_filter", 1)])
def test_how_the_server_ended_it_decides_the_exit_code(
    tmp_path: Path, finish: str, code: int
) -> None:
    with FakeServer(Answer(["Some ", "words"], finish=finish)) as server:
        done = ask(tmp_path, server, "--model", "m", "hi")

    assert (done.returncode, done.stdout) == (code, b"Some words\n")
    assert bool(done.stderr) == bool(code)
    if code:
        assert "filter" in said(done)


# What a shell starts in the background ignores Ctrl+C, and so do the tests and all that they start.
HEARING = (
    "import signal, sys\nfrom tui_chat.__main__ import main\n"
    "signal.signal(signal.SIGINT, signal.default_int_handler)\nsys.exit(main())"
)


@contextmanager
def _asking(home: Path, server: FakeServer, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """The program while it answers; gone afterwards."""
    given = ["ask", "--base-url", server.base_url, "--model", "m", *arguments]
    program = subprocess.Popen(
        [sys.executable, "-c", HEARING, *given],
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield program
    finally:
        program.kill()
        # Closes its pipes too.
        program.communicate()


def test_ctrl_c_ends_it_with_what_arrived_kept(tmp_path: Path) -> None:
    with FakeServer(Answer(words("word " * 2000), delay=0.01)) as server:
        with _asking(tmp_path, server, "--save", "go") as program:
            assert program.stdout is not None
            first = program.stdout.read(10)
            program.send_signal(signal.SIGINT)
            rest, errors = program.communicate(timeout=SECONDS)

        deadline = time.monotonic() + 10
        while not server.disconnects:
            assert time.monotonic() < deadline, "the server was not let go"
            time.sleep(0.01)
    assert program.returncode == 130
    printed = (first + rest).decode()
    assert set(printed.split()) == {"word"}
    assert printed.endswith("\n")
    assert errors == b""
    saved = json.loads(run(tmp_path, "export", "--all").stdout)
    reply = saved["messages"][1]
    assert reply["status"] == "stopped"
    assert reply["content"].strip() == printed.strip()


def test_ctrl_c_before_the_first_word_ends_it_too(tmp_path: Path) -> None:
    with FakeServer(Answer(silent=True)) as server, _asking(tmp_path, server, "go") as program:
        deadline = time.monotonic() + SECONDS
        while not server.chats:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        program.send_signal(signal.SIGINT)
        printed, errors = program.communicate(timeout=SECONDS)

    assert (program.returncode, printed, errors) == (130, b"", b"")


def _shell(home: Path, server: FakeServer, *arguments: str, rest: str) -> Done:
    """The program in a shell, with what the shell makes of its streams."""
    command = [*TUI_CHAT, "ask", "--base-url", server.base_url, "--model", "m", *arguments]
    return subprocess.run(
        ["bash", "-c", f"{shlex.join(command)} {rest}"],
        env=environment(home),
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )


def test_a_reader_that_goes_away_stops_the_reply_and_nothing_is_complained_of(
    tmp_path: Path,
) -> None:
    rest = "| head -1; echo ${PIPESTATUS[0]}"
    with FakeServer(Answer(["line\n"] * 3000, delay=0.005)) as server:
        done = _shell(tmp_path, server, "--save", "go", rest=rest)
        slow = len(server.sent)
        # More than a pipe holds.
        server.answer = Answer(["line\n" * 100] * 500)
        fast = _shell(tmp_path, server, "go", rest=rest)

    for one in (done, fast):
        assert (one.stdout, one.stderr) == (b"line\n141\n", b"")
    assert slow < 3000
    reply = json.loads(run(tmp_path, "export", "--all").stdout)["messages"][1]
    assert reply["status"] == "stopped"
    assert "error" not in reply


@pytest.mark.parametrize("arguments", [["hi"], ["--json", "hi"], ["--save", "hi"]])
def test_a_full_disk_is_one_sentence(tmp_path: Path, arguments: Sequence[str]) -> None:
    with FakeServer() as server:
        done = _shell(tmp_path, server, *arguments, rest="> /dev/full")

    assert done.returncode == 1
    assert "standard output cannot be written: No space left on device." in said(done)


def test_a_fault_that_is_not_of_the_output_does_not_blame_it(tmp_path: Path) -> None:
    # No file is opened beside the three streams.
    script = (
        "import resource, sys\nfrom tui_chat.core import doctor, flags, oneshot\n"
        "from tui_chat.__main__ import main\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\nsys.exit(main(['doctor']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(tmp_path),
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, b"")
    assert said(done).endswith(": Too many open files.\n")
    assert b"standard output" not in done.stderr


def test_closed_streams_are_no_reason_for_a_traceback(tmp_path: Path) -> None:
    with FakeServer() as server:
        unheard = _shell(tmp_path, server, "hi", rest=">&-")
        unwarned = _shell(tmp_path, server, "hi", rest="2>&-")
        unasked = _shell(tmp_path, server, "-", rest="<&-")

    assert (unheard.returncode, unheard.stderr) == (0, b"")
    assert (unwarned.returncode, unwarned.stdout) == (0, b"Hello, world.\n")
    assert unasked.returncode == 2
    assert b"nothing to ask" in unasked.stderr
