"""What terminals send, from bytes to keys; and the prompt driven through a real pseudo-terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.message import Message

from tui_chat.core.errors import ChatError
from tui_chat.widgets.external_editor import edited
from tui_chat.widgets.key_parser import AFTER_PASTE_SECONDS, KeyParser
from tui_chat.widgets.keys import MODIFIED_KEYS_OFF, MODIFIED_KEYS_ON, HeldKeys, renamed
from tui_chat.widgets.prompt import Prompt


def keys(*pieces: str) -> list[tuple[str, str | None]]:
    """What the parser makes of these reads; a paste is ("paste", its text)."""
    parser = KeyParser()
    found: list[tuple[str, str | None]] = []

    def read() -> Iterator[Message]:
        for piece in pieces:
            yield from parser.feed(piece)
        if parser._after:
            # What comes in the very moment after a paste is looked at once that is over.
            time.sleep(AFTER_PASTE_SECONDS)
            yield from parser.tick()

    for event in read():
        if isinstance(event, events.Key):
            event = renamed(event)
        if isinstance(event, events.Key):
            found.append((event.key, event.character))
        elif isinstance(event, events.Paste):
            found.append(("paste", event.text))
        else:
            found.append((type(event).__name__, None))
    return found


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ("\n", "ctrl+j"),
        ("\r", "enter"),
        ("\x1b\r", "alt+enter"),
        ("\x1b[13;2u", "shift+enter"),
        ("\x1b[13;5u", "ctrl+enter"),
        ("\x1b[13;3u", "alt+enter"),
        ("\x1b[27;2;13~", "shift+enter"),
        ("\x1b[27;5;13~", "ctrl+enter"),
        ("\x1b[27;3;13~", "alt+enter"),
        ("\x1b[27;4;13~", "shift+enter"),
    ],
)
def test_every_way_to_send_an_enter_key_has_its_name(sent: str, key: str) -> None:
    assert [name for name, _ in keys(sent)] == [key]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("\x1b[27;5;97~", ("ctrl+a", None)),
        ("\x1b[27;5;47~", ("ctrl+slash", None)),
        ("\x01", ("ctrl+a", "\x01")),
        ("\x1b[27;2;65~", ("A", "A")),
        ("\x1b[0;;231u", ("ç", "ç")),
        ("ç", ("ç", "ç")),
        ("+", ("plus", "+")),
    ],
)
def test_a_control_key_brings_no_text_and_a_letter_does(
    sent: str, expected: tuple[str, str | None]
) -> None:
    assert keys(sent) == [expected]


@pytest.mark.parametrize(
    ("key", "character", "expected"),
    [
        ("shift+\r", "\r", "shift+enter"),
        ("ctrl+\r", "\r", "ctrl+enter"),
        ("alt+\r", "\r", "alt+enter"),
        ("\r", "\r", "alt+enter"),
        ("enter", "\r", "enter"),
        ("shift+tab", None, "shift+tab"),
    ],
)
def test_textuals_names_for_modified_enters_are_made_plain(
    key: str, character: str | None, expected: str
) -> None:
    event = renamed(events.Key(key, character))
    assert isinstance(event, events.Key)
    assert event.key == expected


REPLIES = [
    "\x1b[?62;22c",
    "\x1b[>41;354;0c",
    "\x1b[?1u",
    "\x1b[0n",
    "\x1b[4;600;800t",
    "\x1b]10;rgb:ffff/ffff/ffff\x1b\\",
    "\x1b]11;rgb:0000/0000/0000\x07",
    "\x1b]52;c;aGVsbG8=\x1b\\",
    "\x1bP1$r0m\x1b\\",
]


@pytest.mark.parametrize("reply", REPLIES)
def test_what_the_terminal_replies_is_not_typed(reply: str) -> None:
    assert keys(f"a{reply}b") == [("a", "a"), ("b", "b")]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("\x1b[?2026;2$y", "TerminalSupportsSynchronizedOutput"),
        ("\x1b[48;24;80;480;640t", "Resize"),
        ("\x1b[20~", "f9"),
        ("\x1b[2~", "insert"),
        ("\x1b[5;1R", "CursorPosition"),
        ("\x1b[<0;1;1M", "MouseDown"),
    ],
)
def test_what_textual_understands_still_reaches_it(sent: str, expected: str) -> None:
    assert [name for name, _ in keys(sent)] == [expected]
    # The parser waits for the rest when a read ends in the middle.
    assert [name for name, _ in keys(sent[:-1], sent[-1])] == [expected]


def test_a_paste_is_one_event_wherever_the_reads_cut_it() -> None:
    text = "one\rtwo\n\x1b[31mred\x1b[0m \x1b[20 ç日 \x1b"
    sent = f"\x1b[200~{text}\x1b[201~"
    for cut in range(1, len(sent)):
        assert keys(sent[:cut], sent[cut:]) == [("paste", text)]


def test_a_paste_of_ten_megabytes_is_one_event() -> None:
    text = "0123456789abcde\n" * 640_000
    sent = f"\x1b[200~{text}\x1b[201~"
    reads = [sent[at : at + 4_096] for at in range(0, len(sent), 4_096)]
    assert keys(*reads) == [("paste", text)]


class Early(App[None]):
    """An app in which keys arrive before there is anything to take them."""

    def __init__(self) -> None:
        super().__init__()
        self.held: HeldKeys | None = HeldKeys()

    def compose(self) -> ComposeResult:
        yield Prompt()

    def on_load(self) -> None:
        for event in [*map(key, "ab"), events.Paste("c d"), key("enter"), key("e")]:
            self.post_message(event)

    def on_mount(self) -> None:
        self.query_one(Prompt).focus()
        self.call_after_refresh(self.release)

    async def on_event(self, event: events.Event) -> None:
        if self.held is not None and self.held.take(event):
            return
        await super().on_event(renamed(event))

    async def release(self) -> None:
        held, self.held = self.held, None
        for event in held.events if held else ():
            await self.on_event(event)

    def on_prompt_submitted(self, event: Prompt.Submitted) -> None:
        self.title = event.text
        event.prompt.clear_draft()


def key(name: str) -> events.Key:
    return events.Key(name, name if len(name) == 1 else None)


async def test_keys_typed_before_the_first_paint_reach_the_prompt_in_order() -> None:
    app = Early()
    async with app.run_test() as pilot:
        deadline = time.monotonic() + 10
        while app.query_one(Prompt).text_to_send != "e" and time.monotonic() < deadline:
            await pilot.pause()
        assert app.title == "abc d"
        assert app.query_one(Prompt).text_to_send == "e"


def prepared(**environ: str) -> str:
    """What a process prints that prepares the terminal and then loads Textual."""
    code = (
        "import os; from tui_chat.widgets.keys import prepare_terminal; prepare_terminal(os.environ);"
        "from textual import constants; print(constants.DISABLE_KITTY_KEY)"
    )
    inherited = {name: value for name, value in os.environ.items() if name != "TMUX"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**inherited, **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_input_methods_work_in_iterm() -> None:
    assert prepared(TERM_PROGRAM="iTerm.app") == "True\n"


def test_elsewhere_and_against_the_persons_wish_kittys_protocol_stays() -> None:
    assert prepared(TERM_PROGRAM="iTerm.app", TEXTUAL_DISABLE_KITTY_KEY="0") == "False\n"


def test_tmux_is_asked_for_modified_keys_until_the_end() -> None:
    assert prepared(TMUX="/tmp/tmux") == f"{MODIFIED_KEYS_ON}False\n{MODIFIED_KEYS_OFF}"


# A real terminal

HOST = """
import json, os, sys
from tui_chat.widgets.keys import HeldKeys, prepare_terminal, renamed
prepare_terminal(os.environ)
from textual import events
from textual.app import App
from tui_chat.widgets.prompt import Prompt

class Host(App):
    def __init__(self):
        super().__init__()
        self.held = HeldKeys()
        self.out = open(sys.argv[1], "a", buffering=1)
    def compose(self):
        yield Prompt()
    def on_mount(self):
        self.query_one(Prompt).focus()
        self.call_after_refresh(self.release)
    async def on_event(self, event):
        if self.held is not None and self.held.take(event):
            return
        await super().on_event(renamed(event))
    async def release(self):
        held, self.held = self.held, None
        for event in held.events:
            await self.on_event(event)
        print(json.dumps("ready"), file=self.out)
    def on_prompt_submitted(self, event):
        print(json.dumps(event.text), file=self.out)
        event.prompt.clear_draft()
    def notify(self, message, **how):
        print(json.dumps(["notice", message, how["markup"]]), file=self.out)
    def key_f9(self):
        self.query_one(Prompt).action_edit_in_editor()
        print(json.dumps("edited"), file=self.out)

Host().run()
"""


@contextmanager
def terminal(tmp_path: Path, **environ: str) -> Iterator[tuple[int, Callable[[int], list[object]]]]:
    """The host in a pseudo-terminal: where to write keys, and a wait for its first lines."""
    out = tmp_path / "out"
    out.touch()
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    inherited = {name: value for name, value in os.environ.items() if name != "TMUX"}
    process = subprocess.Popen(
        [sys.executable, "-c", HOST, str(out)],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**inherited, "TERM": "xterm-256color", "TMPDIR": str(tmp_path), **environ},
        start_new_session=True,
    )
    os.close(slave)
    drain = threading.Thread(target=_drain, args=(master,))
    drain.start()

    def lines(count: int) -> list[object]:
        deadline = time.monotonic() + 20
        while len(found := out.read_text().splitlines()) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        return [json.loads(line) for line in found]

    try:
        yield master, lines
    finally:
        process.terminate()
        process.wait()
        drain.join()
        os.close(master)


def _drain(master: int) -> None:
    """Read what is drawn, so that the host never waits for the terminal."""
    try:
        while os.read(master, 65_536):
            pass
    except OSError:
        return  # Linux says so when the other end is closed.


def test_a_real_terminals_newlines_pastes_compositions_and_replies(tmp_path: Path) -> None:
    composed = "日本語を入力しています"
    committed = "\x1b[0;;" + ":".join(str(ord(character)) for character in composed) + "u"
    with terminal(tmp_path) as (keyboard, lines):
        os.write(keyboard, b"early ")
        assert lines(1) == ["ready"]
        os.write(keyboard, b"a\x1b\rb\x1b[27;2;13~c\x1b[13;5ud\ne\x1b[?62;22c\\\rf")
        os.write(keyboard, committed.encode())
        os.write(keyboard, b"\x1b[200~p\rq\x1b[31m\r\x1b[201~g\r")
        assert lines(2)[1:] == [f"early a\nb\nc\nd\ne\nf{composed}p\nq\u241b[31m\ng"]


def test_the_draft_can_be_edited_in_the_persons_editor(tmp_path: Path) -> None:
    script = tmp_path / "editor.py"
    script.write_text("import sys; open(sys.argv[1], 'a').write(' and more ç\\n')", "utf-8")
    with terminal(tmp_path, VISUAL=f"{sys.executable} {script}") as (keyboard, lines):
        lines(1)
        os.write(keyboard, b"draft\x1b[20~")
        assert lines(2)[1:] == ["edited"]
        os.write(keyboard, b"!\r")
        assert lines(3)[2:] == ["draft and more ç!"]


def test_a_failing_editor_leaves_the_draft_as_it_was(tmp_path: Path) -> None:
    with terminal(tmp_path, VISUAL="false") as (keyboard, lines):
        lines(1)
        os.write(keyboard, b"draft\x1b[20~")
        assert lines(3)[1:] == [
            ["notice", "The editor false ended with status 1. The prompt is as it was.", False],
            "edited",
        ]
        os.write(keyboard, b"!\r")
        assert lines(4)[3:] == ["draft!"]


# The editor's file


def script(tmp_path: Path, code: str) -> dict[str, str]:
    file = tmp_path / "editor.py"
    file.write_text(code, "utf-8")
    return {"EDITOR": f"{sys.executable} {file}", "TMPDIR": str(tmp_path)}


def test_the_editors_file_is_private_and_gone_afterwards(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    code = f"import os, sys; p = sys.argv[1]; open({str(seen)!r}, 'w').write(f'{{os.stat(p).st_mode & 0o777:o}} {{p}}')"
    assert edited("text\n", script(tmp_path, code)) == "text\n"
    mode, path = seen.read_text().split()
    assert mode == "600"
    assert path.startswith(str(tmp_path))
    assert not Path(path).parent.exists()


def test_what_the_editor_leaves_is_cleaned_whatever_it_is(tmp_path: Path) -> None:
    code = "import sys; open(sys.argv[1], 'wb').write(b'a\\x1b\\xff\\r\\nb\\n')"
    assert edited("text", script(tmp_path, code)) == "a\u241b\ufffd\nb"


@pytest.mark.parametrize(
    ("editor", "words"),
    [
        ("", "No editor is set."),
        ("/nowhere/vi", "The editor /nowhere/vi could not be used: No such file or directory."),
        ("vi 'unclosed", "The editor vi 'unclosed cannot be read: No closing quotation."),
        ("rm -f", "The editor rm could not be used: No such file or directory."),
    ],
)
def test_an_editor_that_cannot_be_used_is_named(tmp_path: Path, editor: str, words: str) -> None:
    with pytest.raises(ChatError) as caught:
        edited("text", {"VISUAL": editor, "TMPDIR": str(tmp_path)})
    assert caught.value.message == words
    assert caught.value.hint
