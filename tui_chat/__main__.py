"""The door: argv → the app on a terminal, or one answer on stdout."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tui_chat.core import crash
from tui_chat.core.errors import ChatError
from tui_chat.core.opening import Opening
from tui_chat.core.output import Unwritten, tell
from tui_chat.core.text import one_line
from tui_chat.core.world import World

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from tui_chat.core.oneshot import Wanted

BAD_ARGUMENTS = 2
TERMINAL_GONE = 129
_OUTPUT = "standard output cannot be written"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program. The exit code is 0, 1 after an error, 2 for bad arguments, 130 after Ctrl+C."""
    # Whatever is written belongs to this user alone, exports included.
    os.umask(0o077)
    _mend_streams()
    crash.guard()
    arguments = sys.argv[1:] if argv is None else argv
    try:
        code = _run(arguments) if arguments else _open_app(World.standard(os.environ), Opening())
    except ChatError as error:
        tell(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        return _ended(error, one_line(str(error.filename or "")))
    try:
        # At exit Python could only complain that it cannot.
        sys.stdout.flush()
    except OSError as error:
        return _ended(error, _OUTPUT)
    return code


def _mend_streams() -> None:
    """Streams that are closed become empty ones, and no text is a reason to fail.

    What is not shown but kept, in a file or by another program, is UTF-8 and loses nothing.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115  # for as long as we run
        elif hasattr(stream, "reconfigure"):
            kept = name == "stdout" and not stream.isatty()
            stream.reconfigure(encoding="utf-8" if kept else None, errors="replace")


def _ended(error: OSError, what: str) -> int:
    """Say what the system refused; a reader that went away needs no words."""
    if what == _OUTPUT or isinstance(error, BrokenPipeError):
        # Python's own flush at exit must not complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return 141
    reason = error.strerror or one_line(str(error))
    tell(f"{what}{': ' if what else ''}{reason}.")
    return 1


def _run(arguments: Sequence[str]) -> int:
    # Deferred: most starts have no arguments, and the first paint need not wait for this.
    from tui_chat.core.flags import command_line, opening_of

    parser = command_line()
    flags = parser.parse_args(arguments)
    world = World.standard(os.environ, ephemeral=_ephemeral(flags, parser))
    asks = flags.command in ("ask", "complete")
    if asks or (flags.command == "doctor" and flags.test is not None):
        for problem in world.settings.problems:
            tell(problem)
    try:
        opening = opening_of(world, flags)
    except (ChatError, ValueError) as error:
        parser.error(str(error))
    if flags.command is None:
        return _open_app(world, opening)
    if asks:
        _check_told(world, opening, parser)
    try:
        return _done(world, opening, flags, parser)
    except Unwritten as error:
        return _ended(error.reason, _OUTPUT)


def _check_told(world: World, opening: Opening, parser: ArgumentParser) -> None:
    """Nothing is sent to another server, or with other parameters, than a person has set in a file that is
    broken. ChatError for settings, the end of the program for a preset."""
    if opening.preset is not None:
        if opening.preset.broken:
            parser.error(f"{opening.preset.problem} Mend that file, or leave --preset out.")
        for problem in opening.preset.problems:
            tell(f"{problem} The rest of the preset is used.")
    if world.in_doubt:
        name = one_line(world.places.settings.name)
        raise ChatError(
            f"Nothing was sent: {name} may mean another server than the one that would be asked.",
            "Mend it, or name a server: --endpoint or --base-url.",
        )


def _ephemeral(flags: Namespace, parser: ArgumentParser) -> bool:
    """Whether nothing is to be written; where that cannot be, the program ends."""
    if "ephemeral" not in flags:
        return False
    if flags.command not in (None, "ask", "complete"):
        parser.error("--ephemeral goes with the screen, ask and complete.")
    if flags.command is not None and flags.save:
        parser.error("--save keeps the conversation, --ephemeral keeps nothing: give one of them.")
    return True


def _done(world: World, opening: Opening, flags: Namespace, parser: ArgumentParser) -> int:
    """What is done without a screen; its exit code."""
    command = flags.command
    if command in ("ask", "complete"):
        from tui_chat.core.oneshot import ask_once

        return asyncio.run(ask_once(world, opening, _wanted(flags, parser)))
    if command == "export":
        from tui_chat.core.export_command import export

        return asyncio.run(export(world, flags))
    if command in ("search", "list", "show"):
        from tui_chat.core import listing

        return asyncio.run(listing.answer(world, flags))
    if command == "import":
        from tui_chat.core.import_command import import_files

        return asyncio.run(import_files(world, flags.files, skip_unreadable=flags.skip_unreadable))
    if command == "doctor" and (flags.test is not None or flags.tokens):
        return _test_endpoints(world, flags, parser)
    if command == "doctor" and flags.repair is not None:
        from tui_chat.core.repair_command import repair_saved

        return repair_saved(world, flags.repair)
    from tui_chat.core.doctor import doctor, paths

    return asyncio.run(doctor(world)) if command == "doctor" else paths(world)


def _test_endpoints(world: World, flags: Namespace, parser: ArgumentParser) -> int:
    from tui_chat.core.trials import trials

    if flags.repair is not None:
        parser.error("--repair and --test are two things: give one of them.")
    if flags.test is None:
        parser.error("--tokens goes with --test.")
    for name in flags.test:
        try:
            world.endpoint(name)
        except ChatError as error:
            parser.error(str(error))
    return asyncio.run(trials(world, flags.test, tokens=flags.tokens))


def _wanted(flags: Namespace, parser: ArgumentParser) -> Wanted:
    """What `ask` or `complete` is to do; wrong flags end the program."""
    from tui_chat.core.oneshot import Wanted

    completes = flags.command == "complete"
    if completes and "system" in flags:
        parser.error("--system goes with ask: a text that is continued has no system prompt.")
    if flags.logprobs and not flags.json:
        parser.error("--logprobs goes with --json.")
    text = sys.stdin.read() if flags.text == ["-"] else " ".join(flags.text)
    if not completes:
        text = text.strip()
    if not text:
        what = "continue" if completes else "ask"
        parser.error(f"there is nothing to {what}: give TEXT, or - for standard input.")
    return Wanted(text, completes, flags.json, flags.save, flags.logprobs)


def _open_app(world: World, opening: Opening) -> int:
    trouble = _no_screen()
    if trouble:
        tell(f"{trouble} For one answer without a screen: tui-chat ask TEXT")
        return BAD_ARGUMENTS
    _end_by_the_door()
    # A collection in the middle of all that is loaded costs 40 ms of the first paint; the app enables it.
    gc.disable()
    # A thread that searches would else keep each step of drawing waiting for 5 ms.
    sys.setswitchinterval(0.001)
    from tui_chat.widgets.keys import prepare_terminal

    prepare_terminal(os.environ)
    from tui_chat.app import TuiChat

    app = TuiChat(world, opening)
    app.take_signals()
    try:
        app.run()
    finally:
        world.kill()
    app.let_signals_pass()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        os._exit(app.return_code or TERMINAL_GONE)
    if app.return_code == TERMINAL_GONE:
        # Python's own flush at exit would fail on a terminal that is gone, and hide the code.
        os._exit(TERMINAL_GONE)
    if app.last_words:
        sys.stderr.write(app.last_words)
    return app.return_code or 0


def _end_by_the_door() -> None:
    """Until the app takes them, signals end the program at once: there is nothing to undo yet.

    An error that a handler raises is nobody's where it comes in the middle of a finalizer, and the signal lost.
    """

    def leave(number: int, frame: object) -> None:
        os._exit(128 + number)

    for name in ("SIGTERM", "SIGHUP", "SIGINT"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), leave)


def _no_screen() -> str:
    """Why there can be no screen, in words; empty when there can."""
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        return "This needs a terminal on both standard input and standard output."
    if os.environ.get("TERM", "") in ("", "dumb") and os.name != "nt":
        return "This terminal (TERM=dumb) cannot show a screen."
    return ""


if __name__ == "__main__":
    sys.exit(main())
