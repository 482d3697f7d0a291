"""What the program is doing when it is hit: each scene leads it there, the moment within is drawn by lot."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.crashes.old import old_database
from tests.crashes.tty import Tty
from tests.fake_server import Answer, Body, FakeServer, is_look
from tests.local_model import put_model
from tests.terminal import home_environment

ENTER, CTRL_J, CTRL_Q, F5, F8 = "\r", "\n", "\x11", "\x1b[15~", "\x1b[19~"
SECONDS = 40
"""How long a scene may take until it is there, on a machine that does much else."""

# Stands in for pip: its file grows where pip's would, and never is whole.
_FAKE_PIP = """
import os, sys, tempfile, time

with open(os.path.join(tempfile.gettempdir(), "wheel"), "wb") as file:
    for _ in range(6000):
        file.write(bytes(65536))
        file.flush()
        time.sleep(0.01)
"""


@dataclass
class Stage:
    """One run: where it takes place, what was done to the program, and when."""

    home: Path
    random: Random
    server: FakeServer
    answer: Answer = field(default_factory=Answer)
    """What the server answers, with its tokens named after the request."""
    typed: list[tuple[float, str]] = field(default_factory=list)
    """Each character of a draft that is not sent, and when it was typed."""
    environ: dict[str, str] = field(default_factory=dict)
    ready: str = "ready"
    """The words that a start has on the screen when it is done."""

    def __post_init__(self) -> None:
        self.server.answers = self._answered
        self.environ = home_environment(
            self.home,
            OPENAI_BASE_URL=self.server.base_url,
            TUI_CHAT_CONFIG_DIR=str(self.home / "config"),
            TUI_CHAT_CACHE_DIR=str(self.home / "cache"),
        )

    def _answered(self, body: Body) -> Answer:
        if is_look(body):
            return Answer(("x",))
        number = len(self.asked)
        tokens = [f"r{number}w{place} " for place in range(len(self.answer.tokens))]
        return Answer(tokens, delay=self.answer.delay)

    @property
    def asked(self) -> list[Body]:
        """The bodies of the requests for replies so far."""
        posted = [one for one in self.server.requests if one.path.endswith("/completions")]
        return [one.body for one in posted if not is_look(one.body)]

    def start(self, *, whole: bool = False, controls: bool = True) -> Tty:
        return Tty(self.environ, whole=whole, controls=controls)

    def wait(self, terminal: Tty, condition: Callable[[], object]) -> None:
        """Wait for a condition, or for the end of the program."""
        deadline = time.monotonic() + SECONDS
        while not condition() and terminal.process.poll() is None:
            assert time.monotonic() < deadline, terminal.text[-2000:]
            terminal.read(0.01)

    def pause(self, terminal: Tty, most: float) -> None:
        """Let a random time pass, reading on."""
        until = time.monotonic() + self.random.uniform(0, most)
        while (left := until - time.monotonic()) > 0:
            terminal.read(left)

    def write(self, terminal: Tty, text: str, *, draft: bool = False) -> None:
        """Type a text as a hand does."""
        for character in text:
            if draft:
                self.typed.append((time.monotonic(), character))
            terminal.type(character)
            until = time.monotonic() + self.random.uniform(0.02, 0.1)
            while (left := until - time.monotonic()) > 0:
                terminal.read(left)


Lead = Callable[[Stage, Tty], None]


def _long(stage: Stage) -> None:
    stage.answer = Answer(["w"] * 4000, delay=stage.random.choice((0.002, 0.01, 0.04)))


def _ask(stage: Stage, terminal: Tty, most: float = 1.5) -> None:
    before = len(stage.asked)
    terminal.type("What is said\u00e3o paulo?" + ENTER)
    if stage.random.random() < 0.8:
        stage.wait(terminal, lambda: len(stage.asked) > before)
        stage.pause(terminal, most)
    else:
        stage.pause(terminal, 0.15)


def _starting(stage: Stage, terminal: Tty) -> None:
    stage.pause(terminal, 1.2)


def _typing(stage: Stage, terminal: Tty) -> None:
    terminal.wait_for(stage.ready, SECONDS)
    stage.write(terminal, "An unsent thought, ", draft=True)
    stage.write(terminal, "abc " * stage.random.randrange(1, 16), draft=True)
    stage.pause(terminal, 0.8)


def _streaming(stage: Stage, terminal: Tty) -> None:
    _long(stage)
    terminal.wait_for(stage.ready, SECONDS)
    _ask(stage, terminal)


def _saving(stage: Stage, terminal: Tty) -> None:
    stage.answer = Answer(["w"] * 3)
    terminal.wait_for(stage.ready, SECONDS)
    until = time.monotonic() + stage.random.uniform(0.05, 2)
    while time.monotonic() < until and terminal.process.poll() is None:
        before = len(stage.asked)
        terminal.type(f"question {before}" + ENTER)
        while len(stage.asked) == before and time.monotonic() < until:
            terminal.read(0.01)
        terminal.type(f"/title name {before}" + ENTER)
        stage.pause(terminal, 0.05)


def _regenerating(stage: Stage, terminal: Tty) -> None:
    stage.answer = Answer(["w"] * 3)
    terminal.wait_for(stage.ready, SECONDS)
    _ask(stage, terminal, 0)
    terminal.wait_for("complete", SECONDS)
    _long(stage)
    for _ in range(stage.random.randrange(1, 3)):
        terminal.type(F5)
        stage.pause(terminal, 0.9)


def _text(stage: Stage, terminal: Tty) -> None:
    terminal.wait_for(stage.ready, SECONDS)
    terminal.type(F8)
    terminal.wait_for("^J", SECONDS)
    stage.write(terminal, "Once upon a time", draft=True)


def _text_typing(stage: Stage, terminal: Tty) -> None:
    _text(stage, terminal)
    stage.write(terminal, "abc " * stage.random.randrange(1, 14), draft=True)
    stage.pause(terminal, 0.8)


def _text_continuing(stage: Stage, terminal: Tty) -> None:
    _long(stage)
    _text(stage, terminal)
    terminal.type(CTRL_J)
    stage.wait(terminal, lambda: stage.asked)
    stage.typed.clear()
    stage.pause(terminal, 1.5)


def _quitting(stage: Stage, terminal: Tty) -> None:
    _long(stage)
    terminal.wait_for(stage.ready, SECONDS)
    if stage.random.random() < 0.7:
        _ask(stage, terminal, 0.6)
    terminal.type(CTRL_Q)
    stage.pause(terminal, 0.4)


def _downloading(stage: Stage, terminal: Tty) -> None:
    terminal.wait_for(stage.ready, SECONDS)
    terminal.type(ENTER)
    terminal.wait_for("Fetching", SECONDS)
    stage.pause(terminal, 0.8)


def _local(stage: Stage, terminal: Tty) -> None:
    terminal.wait_for(stage.ready, SECONDS)
    terminal.type("Tell me a long story." + ENTER)
    stage.pause(terminal, 2)


# What there is before the program starts.


def _nothing(stage: Stage) -> None:
    """An empty home."""


def _old_database(stage: Stage) -> None:
    (stage.home / "config").mkdir(mode=0o700)
    shutil.copy(old_database(), stage.home / "config" / "conversations.db")


def _slow_installer(stage: Stage) -> None:
    package = stage.home / "installer" / "pip"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(_FAKE_PIP)
    del stage.environ["OPENAI_BASE_URL"]
    # Before ours: its pip is found first.
    stage.environ["PYTHONPATH"] = f"{package.parent}:{Path(__file__).parents[2]}"
    stage.environ["PATH"] = "/usr/bin:/bin"
    stage.ready = "Use the built-in model"


def _own_model(stage: Stage) -> None:
    put_model(stage.home / "cache" / "models")
    del stage.environ["OPENAI_BASE_URL"]


@dataclass(frozen=True)
class Scene:
    """One thing that the program does."""

    name: str
    lead: Lead
    prepare: Callable[[Stage], None] = _nothing
    weight: int = 3
    room: str = "chat"
    starting: bool = False
    """Whether it may be hit before it has begun."""


SCENES = (
    Scene("download", _downloading, _slow_installer, 2),
    Scene("start", _starting, starting=True),
    Scene("typing", _typing),
    Scene("streaming", _streaming, weight=6),
    Scene("saving", _saving),
    Scene("migrating", _starting, _old_database, starting=True),
    Scene("regenerating", _regenerating, weight=3),
    Scene("text, typing", _text_typing, weight=2, room="text"),
    Scene("text, continuing", _text_continuing, weight=3, room="text"),
    Scene("quitting", _quitting),
    Scene("built-in model", _local, _own_model, 1),
)
