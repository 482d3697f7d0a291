"""The command line's flags: one for each part of a setup and each parameter, and what they ask for.

Apart from the door, which opens the screen without flags without loading this.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tui_chat import __version__
from tui_chat.core.escapes import unescape
from tui_chat.core.opening import Opening
from tui_chat.core.parameter import Parameter
from tui_chat.core.params import PARAMETERS, Params
from tui_chat.core.text import clean
from tui_chat.core.urls import begins_as_key, holds_key, pasted_key
from tui_chat.core.world import World

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

FORMATS = ("markdown", "jsonl", "finetuning", "html")
"""The names of exporting.FORMATS, which need not be loaded for them."""
WAYS = ("backup", "salvage", "empty")
"""As repairing.WAYS."""


def opening_of(world: World, flags: argparse.Namespace) -> Opening:
    """What the flags ask for; ChatError or ValueError for what there is not."""
    given = vars(flags)
    if "key_env" in given and "base_url" not in given:
        raise ValueError("--key-env goes with --base-url.")
    endpoint = None
    if "base_url" in given:
        endpoint = world.add_endpoint(given["base_url"], given.get("key_env", ""))
    elif "endpoint" in given:
        endpoint = world.endpoint_for(given["endpoint"])
    if endpoint is not None:
        world.in_doubt = False
    if given.get("strict"):
        world.lessons.strict = True
    preset = world.preset_named(given["preset"]) if "preset" in given else None
    params = {one.name: given[one.name] for one in PARAMETERS if given.get(one.name) is not None}
    model, system = (
        None if given.get(name) is None else clean(given[name]) for name in ("model", "system")
    )
    if model is not None and holds_key(model, begins_as_key):
        raise pasted_key()
    return Opening(endpoint, model, system, preset, Params(params))


class _Parser(argparse.ArgumentParser):
    """One whose refusals quote what was typed so that it does nothing to a terminal."""

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        super()._print_message(clean(message), file)


def command_line() -> argparse.ArgumentParser:
    """All commands and flags; wrong ones end the program with 2."""
    parser: argparse.ArgumentParser = _Parser(
        prog="tui-chat",
        description="The playground for language models in a terminal.",
        epilog="Without a command it opens the screen. Keys: F1 inside.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"tui-chat {__version__}")
    _add_setup_flags(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=False)
    _add_asking(commands)
    _add_export(commands)
    _add_reading(commands)
    _add_import(commands)
    commands.add_parser("paths", help="say where things are kept")
    _add_doctor(commands)
    return parser


def _add_doctor(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    doctor = commands.add_parser(
        "doctor",
        help="say what this installation is and finds; --test asks the endpoints, --repair is for saved"
        " conversations that cannot be used",
        description="Say what this installation is and finds, and, with --repair, mend saved conversations that"
        " cannot be used. It asks nothing of any network, unless --test"
        " is given: then every endpoint with a key, with a server that runs, or of yours is asked for its"
        " models, and a table tells what came. It ends with 1 when one of them failed.",
        epilog="It ends with 0 when the saved conversations are sound, or repaired; with 1 when they are not.",
        allow_abbrev=False,
    )
    doctor.add_argument(
        "--repair",
        nargs="?",
        const="",
        metavar="WAY",
        type=_way,
        help="where the saved conversations cannot be used, say which ways out there are, and on a terminal"
        " ask for one; WAY takes it at once: backup (the newest that is sound), salvage (read what can still be"
        " read), empty (begin with none), or the name of a backup. Where nothing is wrong, a backup can be"
        " brought back too. What was there is renamed, never deleted",
    )
    doctor.add_argument(
        "--test", nargs="*", metavar="NAME", help="ask these endpoints, or all that are set up"
    )
    doctor.add_argument(
        "--tokens",
        action="store_true",
        help="with --test: ask each for one token too, which may cost a little",
    )


def _way(words: str) -> str:
    if words in ("", *WAYS) or words.endswith(".db"):
        return words
    raise argparse.ArgumentTypeError(
        f"there is no way “{words}”: give {', '.join(WAYS)}, or the name of a backup"
    )


def _add_asking(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    ask = commands.add_parser(
        "ask", help="stream one answer to standard output", allow_abbrev=False
    )
    complete = commands.add_parser(
        "complete",
        help="continue a text, on standard output",
        description="Continue a text as a base model does: no chat, no system prompt. Only what follows the"
        " text is printed.",
        allow_abbrev=False,
    )
    dash = "- reads standard input"
    for parser, text in (
        (ask, f"the question; {dash}"),
        (
            complete,
            f"the text, continued as it stands, with any space at its end; {dash}, newlines and all",
        ),
    ):
        _add_setup_flags(parser, chat=parser is ask)
        parser.add_argument("--save", action="store_true", help="keep the conversation")
        parser.add_argument(
            "--json", action="store_true", help="print the message as one JSON object"
        )
        parser.add_argument(
            "--logprobs",
            type=_count,
            default=0,
            metavar="N",
            help="with --json: each token's logprob, and the N likeliest at its place (1 or more; most"
            " servers give up to 20, the built-in model all)",
        )
        parser.add_argument("text", nargs="+", metavar="TEXT", help=text)


def _add_export(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    export = commands.add_parser(
        "export", help="write saved conversations to standard output or a file"
    )
    export.add_argument(
        "--format",
        choices=FORMATS,
        help="jsonl, unless the suffix of --to says otherwise",
    )
    which = export.add_mutually_exclusive_group()
    which.add_argument("--id", action="append", metavar="ID", help="one; several by several --id")
    which.add_argument(
        "--all",
        action="store_true",
        help="every conversation that is not in the trash, oldest first (the default)",
    )
    which.add_argument(
        "--search", type=_not_empty, metavar="QUERY", help="those that a search finds"
    )
    export.add_argument("--to", type=_not_empty, metavar="FILE", help="a new file, written whole")
    export.add_argument("--overwrite", action="store_true", help="replace the file of --to")


def _add_reading(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    query = 'words, "a phrase", -not, role:user, model:gpt*, tag:x, after:7d, temperature>1; -- before a minus'
    search = commands.add_parser(
        "search",
        help="find messages in the saved conversations",
        epilog="It ends with 0 when something is found, 1 when nothing is, 2 for bad arguments.",
    )
    search.add_argument("query", nargs="+", metavar="QUERY", help=query)
    search.add_argument(
        "--best",
        action="store_true",
        help="the best matches first, not the newest; of the newest 2,000, which alone are ranked",
    )
    lines = commands.add_parser("list", help="list saved conversations, newest first")
    lines.add_argument("query", nargs="*", metavar="QUERY", help="as for search; all without")
    for parser, limit in ((search, 20), (lines, 50)):
        parser.add_argument("--json", action="store_true", help="one JSON object a line")
        parser.add_argument(
            "--limit", type=_count, default=limit, metavar="N", help=f"at most so many ({limit})"
        )
    show = commands.add_parser("show", help="write one saved conversation to standard output")
    show.add_argument("id", metavar="ID", help="its id, or the beginning of it")
    show.add_argument("--format", choices=FORMATS, default="markdown")


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text[:9]) > 0 and len(text) < 10):
        raise argparse.ArgumentTypeError("takes a whole number from 1 on.")
    return int(text)


def _add_import(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    bring = commands.add_parser(
        "import",
        help="bring conversations along from other programs",
        description="Bring conversations along. It reads ChatGPT's data export (the zip as it is, or a"
        " conversations.json; all branches), logs.db of llm, OpenAI's fine-tuning JSONL, ShareGPT, and"
        " tui-chat's own JSONL. What a file is, is told by its content. What is there already is not"
        " added twice.",
        allow_abbrev=False,
    )
    bring.add_argument("files", nargs="+", metavar="FILE", type=_file, help="a file to read")
    bring.add_argument(
        "--skip-unreadable",
        action="store_true",
        help="import the rest of a file in which something cannot be read; else none of it is",
    )


def _add_setup_flags(parser: argparse.ArgumentParser, *, chat: bool = True) -> None:
    # Defaults are left out, so that a command's own flags do not undo those before it.
    def add(
        flag: str,
        help: str,
        metavar: str = "NAME",
        kind: Callable[[str], str] = _not_empty,
        to: argparse._ActionsContainer = parser,
    ) -> None:
        to.add_argument(flag, help=help, metavar=metavar, type=kind, default=argparse.SUPPRESS)

    where = parser.add_mutually_exclusive_group()
    add("--endpoint", "a known endpoint, or the path of a .gguf model", to=where)
    add("--base-url", "a server's API, with /v1", "URL", to=where)
    add("--key-env", "the environment variable with the key for --base-url")
    add("--model", "the model")
    # Where there is no chat it is read all the same, so that it can be refused in words.
    add("--system", "the system prompt" if chat else argparse.SUPPRESS, "TEXT", str)
    add("--preset", "a saved or shipped preset")
    parser.add_argument(
        "--strict",
        action="store_true",
        default=argparse.SUPPRESS,
        help="send all that is set, once: nothing known to be refused is left out, nothing is repeated",
    )
    parser.add_argument(
        "--ephemeral",
        action="store_true",
        default=argparse.SUPPRESS,
        help="write nothing to disk: the conversation ends with the program, and saved ones are not shown",
    )
    for parameter in PARAMETERS:
        parser.add_argument(
            parameter.flag,
            dest=parameter.name,
            metavar=_METAVARS.get(parameter.kind, "N"),
            action="append" if parameter.kind == "texts" else "store",
            type=_reader(parameter),
            default=argparse.SUPPRESS,
            help=f"{parameter.explanation.replace('%', '%%')} ({parameter.range})",
        )


_METAVARS = {"texts": "TEXT", "choice": "WORD"}


def _reader(parameter: Parameter) -> Callable[[str], object]:
    def read(text: str) -> object:
        try:
            return _text(text) if parameter.kind == "texts" else parameter.parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


def _not_empty(text: str) -> str:
    """The text; refused without one: an unset variable of a shell must not pick another server."""
    if not clean(text).strip():
        raise argparse.ArgumentTypeError("this is empty.")
    return text


def _file(text: str) -> Path:
    return Path(_not_empty(text))


def _text(typed: str) -> str:
    """The text that its escapes stand for; ValueError where no request could carry it."""
    text = unescape(typed)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("this is not UTF-8 text.") from None
    return text
