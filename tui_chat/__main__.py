"""The door: argv → the app on a terminal, or one answer on stdout."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tui_chat import __version__
from tui_chat.core.errors import ChatError
from tui_chat.core.escapes import unescape
from tui_chat.core.opening import Opening
from tui_chat.core.params import PARAMETERS, Parameter, Params
from tui_chat.core.text import clean
from tui_chat.core.world import World

BAD_ARGUMENTS = 2
TERMINAL_GONE = 129


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program. The exit code is 0, 1 after an error, 2 for bad arguments, 130 after Ctrl+C."""
    # Whatever is written belongs to this user alone, exports included.
    os.umask(0o077)
    _mend_streams()
    parser = _parser()
    flags = parser.parse_args(argv)
    try:
        code = _run(parser, flags)
        # At exit Python could only complain that it cannot.
        sys.stdout.flush()
    except ChatError as error:
        sys.stderr.write(f"tui-chat: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        return _unwritten(error)
    return code


def _mend_streams() -> None:
    """Streams that are closed become empty ones, and no text is a reason to fail."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115  # for as long as we run
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _unwritten(error: OSError) -> int:
    """Say why output could not be written; a reader that went away needs no words."""
    # Python's own flush at exit must not complain again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return 141
    place = error.filename or "standard output"
    sys.stderr.write(f"tui-chat: {place} cannot be written: {error.strerror}.\n")
    return 1


def _run(parser: argparse.ArgumentParser, flags: argparse.Namespace) -> int:
    world = World.standard(os.environ)
    try:
        opening = _opening(world, flags)
    except (ChatError, ValueError) as error:
        parser.error(str(error))
    command = getattr(flags, "command", None)
    if command is None:
        return _open_app(world, opening)
    from tui_chat.core import oneshot

    if command == "ask":
        text = _question(parser, flags.text)
        return asyncio.run(
            oneshot.ask_once(world, opening, text, as_json=flags.json, save=flags.save)
        )
    if command == "export":
        ids = None if flags.id is None else [flags.id]
        return asyncio.run(oneshot.export(world, flags.format, ids))
    if command == "doctor":
        return asyncio.run(oneshot.doctor(world))
    return oneshot.paths(world)


def _open_app(world: World, opening: Opening) -> int:
    trouble = _no_screen()
    if trouble:
        sys.stderr.write(
            f"tui-chat: {trouble} For one answer without a screen: tui-chat ask TEXT\n"
        )
        return BAD_ARGUMENTS
    # A collection in the middle of all that is loaded costs 40 ms of the first paint; the app enables it.
    gc.disable()
    from tui_chat.widgets.keys import prepare_terminal

    prepare_terminal(os.environ)
    from tui_chat.app import TuiChat

    app = TuiChat(world, opening)
    try:
        app.run()
    finally:
        world.kill()
    if app.return_code == TERMINAL_GONE:
        # Python's own flush at exit would fail on a terminal that is gone, and hide the code.
        os._exit(TERMINAL_GONE)
    return app.return_code or 0


def _no_screen() -> str:
    """Why there can be no screen, in words; empty when there can."""
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        return "This needs a terminal on both standard input and standard output."
    if os.environ.get("TERM", "") in ("", "dumb") and os.name != "nt":
        return "This terminal (TERM=dumb) cannot show a screen."
    return ""


def _question(parser: argparse.ArgumentParser, words: Sequence[str]) -> str:
    text = sys.stdin.read() if list(words) == ["-"] else " ".join(words)
    if not text.strip():
        parser.error("there is nothing to ask: give TEXT, or - for standard input.")
    return text.strip()


def _opening(world: World, flags: argparse.Namespace) -> Opening:
    """What the flags ask for; ChatError or ValueError for what there is not."""
    given = vars(flags)
    if given.get("key_env") and not given.get("base_url"):
        raise ValueError("--key-env goes with --base-url.")
    endpoint = None
    if given.get("base_url"):
        endpoint = world.add_endpoint(given["base_url"], given.get("key_env") or "")
    elif given.get("endpoint"):
        endpoint = world.endpoint(given["endpoint"])
    preset = world.preset_named(given["preset"]) if given.get("preset") else None
    params = {one.name: given[one.name] for one in PARAMETERS if given.get(one.name) is not None}
    model, system = (
        None if given.get(name) is None else clean(given[name]) for name in ("model", "system")
    )
    return Opening(endpoint, model, system, preset, Params(params))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tui-chat",
        description="The playground for language models in a terminal.",
        epilog="Without a command it opens the screen. Keys: F1 inside.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"tui-chat {__version__}")
    _add_setup_flags(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=False)
    ask = commands.add_parser(
        "ask", help="stream one answer to standard output", allow_abbrev=False
    )
    _add_setup_flags(ask)
    ask.add_argument("--save", action="store_true", help="keep the conversation")
    ask.add_argument("--json", action="store_true", help="print the message as one JSON object")
    ask.add_argument("text", nargs="+", metavar="TEXT", help="the question; - reads standard input")
    export = commands.add_parser("export", help="write saved conversations to standard output")
    export.add_argument("--format", choices=("jsonl", "markdown"), default="jsonl")
    which = export.add_mutually_exclusive_group()
    which.add_argument("--id", help="one conversation")
    which.add_argument(
        "--all", action="store_true", help="every conversation, oldest first (the default)"
    )
    commands.add_parser("paths", help="say where things are kept")
    commands.add_parser("doctor", help="say what this installation is and finds")
    return parser


def _add_setup_flags(parser: argparse.ArgumentParser) -> None:
    # Defaults are left out, so that a command's own flags do not undo those before it.
    def add(flag: str, help: str, **more: str) -> None:
        parser.add_argument(flag, help=help, default=argparse.SUPPRESS, **more)  # type: ignore[arg-type]  # argparse's overloads

    setup = parser
    where = setup.add_mutually_exclusive_group()
    where.add_argument(
        "--endpoint", metavar="NAME", default=argparse.SUPPRESS, help="a known endpoint"
    )
    where.add_argument(
        "--base-url", metavar="URL", default=argparse.SUPPRESS, help="a server's API, with /v1"
    )
    add("--key-env", "the environment variable with the key for --base-url", metavar="NAME")
    add("--model", "the model", metavar="NAME")
    add("--system", "the system prompt", metavar="TEXT")
    add("--preset", "a saved or shipped preset", metavar="NAME")
    for parameter in PARAMETERS:
        setup.add_argument(
            parameter.flag,
            dest=parameter.name,
            metavar="TEXT" if parameter.kind == "texts" else "N",
            action="append" if parameter.kind == "texts" else "store",
            type=_reader(parameter),
            default=argparse.SUPPRESS,
            help=f"{parameter.explanation.replace('%', '%%')} ({parameter.range})",
        )


def _reader(parameter: Parameter) -> Callable[[str], object]:
    def read(text: str) -> object:
        try:
            return _text(text) if parameter.kind == "texts" else parameter.parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


def _text(typed: str) -> str:
    """The text that its escapes stand for; ValueError where no request could carry it."""
    text = unescape(typed)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("this is not UTF-8 text.") from None
    return text


if __name__ == "__main__":
    sys.exit(main())
