"""What hits the program: signals, keys, the loss of its terminal; and what each of them may end in."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from random import Random

from tests.crashes.tty import Tty

CTRL_C = "\x03"
STOP_SECONDS = 3


class Fault(AssertionError):
    """What must hold did not; the words say what."""


@dataclass(frozen=True)
class Blow:
    """One way to be hit."""

    name: str
    strike: Callable[[Tty, Random], None]
    ends: bool
    """Whether the program must end by it; else it is left by its own key afterwards."""
    codes: frozenset[int]
    """The exit codes that say so."""
    orderly: bool
    """Whether the program can give its terminal back."""
    weight: int = 3
    told: bool = True
    """Whether the system tells the program of the end of its terminal: it does where that controls it."""


def send(terminal: Tty, number: int) -> None:
    """A signal to the process, where it is still there."""
    if terminal.process.poll() is None:
        with suppress(ProcessLookupError):
            os.kill(terminal.process.pid, number)


def _signal(number: int) -> Callable[[Tty, Random], None]:
    return lambda terminal, random: send(terminal, number)


def _key(times: int) -> Callable[[Tty, Random], None]:
    def strike(terminal: Tty, random: Random) -> None:
        for _ in range(times):
            if terminal.process.poll() is None:
                terminal.type(CTRL_C)
                _read_for(terminal, random.uniform(0, 0.4))

    return strike


def _gone(terminal: Tty, random: Random) -> None:
    terminal.close()


def _two(first: int, second: int) -> Callable[[Tty, Random], None]:
    def strike(terminal: Tty, random: Random) -> None:
        send(terminal, first)
        time.sleep(random.choice((0, random.uniform(0, 0.12))))
        send(terminal, second)

    return strike


def _signal_and_gone(terminal: Tty, random: Random) -> None:
    send(terminal, signal.SIGTERM)
    time.sleep(random.uniform(0, 0.05))
    terminal.close()


def _read_for(terminal: Tty, seconds: float) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        terminal.read(left)


def _suspend(terminal: Tty, random: Random) -> None:
    if _has_stopped(terminal):
        _read_for(terminal, 0.05)
        if wrong := terminal.disorder():
            raise Fault(f"while it is stopped, {', '.join(wrong)}")
        _read_for(terminal, random.uniform(0, 0.6))
    _go_on(terminal)


def _pause(terminal: Tty, random: Random) -> None:
    """Stopped by a signal that no program sees, and on again: as a debugger does."""
    send(terminal, signal.SIGSTOP)
    _read_for(terminal, random.uniform(0, 0.4))
    _go_on(terminal)


def _suspend_and_end(terminal: Tty, random: Random) -> None:
    if _has_stopped(terminal):
        _read_for(terminal, random.uniform(0, 0.2))
    send(terminal, signal.SIGTERM)
    send(terminal, signal.SIGCONT)


def _has_stopped(terminal: Tty) -> bool:
    """Whether it stops when it is told to; it may be too young to, or end meanwhile."""
    taken = terminal.taken
    send(terminal, signal.SIGTSTP)
    deadline = time.monotonic() + STOP_SECONDS
    while not terminal.stopped and terminal.process.poll() is None:
        if time.monotonic() > deadline or not taken:
            if taken:
                raise Fault("it does not stop when it is asked to")
            return False
        terminal.read(0.01)
    return terminal.stopped


def _go_on(terminal: Tty) -> None:
    taken = terminal.raw.count(b"\x1b[?1049h")
    was = terminal.disorder() == [] and taken > 0
    send(terminal, signal.SIGCONT)
    deadline = time.monotonic() + 20
    while was and terminal.process.poll() is None and terminal.raw.count(b"\x1b[?1049h") == taken:
        if time.monotonic() > deadline:
            raise Fault("it does not draw again when it goes on")
        terminal.read(0.01)


def _both(*numbers: int) -> frozenset[int]:
    return frozenset(128 + number for number in numbers)


KILL, TERM, HUP, INT = signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT
KILLED = frozenset({-KILL})
LEFT = frozenset({0})
# Typed once more while the program leaves, it is no key any more.
OFTEN = LEFT | _both(INT) | {-INT}

BLOWS = (
    Blow("SIGKILL", _signal(KILL), True, KILLED, False, 10),
    Blow("SIGTERM", _signal(TERM), True, _both(TERM), True),
    Blow("SIGHUP", _signal(HUP), True, _both(HUP), True),
    Blow("SIGINT", _signal(INT), True, _both(INT), True),
    Blow("ctrl+c", _key(1), False, LEFT, True, 2),
    Blow("ctrl+c, often", _key(40), True, OFTEN, True, 2),
    Blow("SIGTSTP, SIGCONT", _suspend, False, LEFT, True),
    Blow("SIGSTOP, SIGCONT", _pause, False, LEFT, True, 1),
    Blow("terminal gone", _gone, True, _both(HUP), False),
    Blow("terminal gone, untold", _gone, True, _both(HUP), False, 2, told=False),
    Blow("SIGTERM twice", _two(TERM, TERM), True, _both(TERM), True, 1),
    Blow("SIGINT twice", _two(INT, INT), True, _both(INT), True, 1),
    Blow("SIGTERM, SIGHUP", _two(TERM, HUP), True, _both(TERM, HUP), True, 1),
    Blow("SIGINT, SIGKILL", _two(INT, KILL), True, KILLED | _both(INT), False, 1),
    Blow("SIGTERM, terminal gone", _signal_and_gone, True, _both(TERM, HUP), False, 1),
    Blow("SIGTSTP, SIGTERM, SIGCONT", _suspend_and_end, True, _both(TERM), True, 1),
)
