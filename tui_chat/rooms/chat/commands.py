"""Typed commands: `/temperature 0.3`, `/model …`; what they are called, read and completed; pure.

A line that starts with `//` is no command: it is sent with one slash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tui_chat.core.parameter import Value
from tui_chat.core.params import BY_NAME, PARAMETERS
from tui_chat.core.urls import begins_as_key, holds_key, pasted_key

UNSET_WORDS = ("off", "unset", "not set")


@dataclass(frozen=True)
class Command:
    """One typed command; `argument` names what may follow, empty when nothing does."""

    name: str
    argument: str
    explanation: str
    parameter: str = ""


COMMANDS: tuple[Command, ...] = (
    *(
        Command(parameter.flag[2:], parameter.range, parameter.explanation, parameter.name)
        for parameter in PARAMETERS
    ),
    Command("model", "name", "Choose the model; without a name, from a list."),
    Command(
        "endpoint", "name, URL or file", "Choose where requests go: a server, or a .gguf model."
    ),
    Command("system", "text", "Set the system prompt; without a text, edit it."),
    Command("preset", "name", "Apply a preset; without a name, choose one."),
    Command("save", "name", "Save the present setup as a preset."),
    Command("new", "", "Begin a new conversation."),
    Command(
        "open", "words", "Find what was said in saved conversations, and open one; filters too."
    ),
    Command("title", "text", "Rename this conversation."),
    Command("regenerate", "", "Answer the last question again."),
    Command("continue", "", "Go on with the last reply, where it was stopped or cut off."),
    Command("tree", "", "Show all branches of this conversation."),
    Command("info", "", "Show how the last reply was made."),
    Command("undo", "", "Bring back the branch that was deleted last."),
    Command("copy", "", "Copy this conversation to the clipboard, as Markdown."),
    Command(
        "export",
        "file.md, .jsonl, .finetuning.jsonl or .html",
        "Write this conversation to a file; without one, choose how.",
    ),
    Command(
        "import", "files", "Bring conversations along from other programs; without a file, ask."
    ),
    Command("code", "", "Show the next request as Python and as curl."),
    Command("theme", "name", "Choose the colours."),
    Command("help", "", "Show keys and commands."),
    Command("quit", "", "Leave the program."),
)
_BY_NAME = {command.name: command for command in COMMANDS}
_NAMED = ("endpoint", "preset", "save", "theme")
"""The commands besides /model that take a name, which no key is."""


class KeyTyped(ValueError):
    """A key stands where a command takes none; its words do not repeat it, nor may anybody."""


@dataclass(frozen=True)
class Typed:
    """A line read as a command with its argument."""

    command: Command
    argument: str


def read(text: str) -> Typed | str:
    """The command that this text is, or the text that is to be sent.

    ValueError, in a person's words, for a slash followed by no command of ours; KeyTyped for a key.
    """
    if text.startswith("//") and "\n" not in text:
        return text[1:]
    if not text.startswith("/") or "\n" in text:
        return text
    name, _, argument = text[1:].partition(" ")
    command = _BY_NAME.get(name.lower().replace("_", "-"))
    if has_key(text):
        raise KeyTyped(str(pasted_key()))
    if command is None:
        raise ValueError(
            f"There is no command /{name[:30]}. To send a line that begins with a slash, type //."
        )
    return Typed(command, argument.strip())


def has_key(text: str) -> bool:
    """Whether this is a command of ours, or of none, with a key where it takes none: not to be kept."""
    if not text.startswith("/") or text.startswith("//") or "\n" in text:
        return False
    name, _, argument = text[1:].partition(" ")
    command = _BY_NAME.get(name.lower().replace("_", "-"))
    if command is None:
        return holds_key(text[1:])
    if command.name == "model":
        return holds_key(argument, begins_as_key)
    return command.name in _NAMED and holds_key(argument)


def written(text: str) -> str:
    """A sent text as it is typed to send it again: the inverse of read()."""
    return f"/{text}" if text.startswith("/") and "\n" not in text else text


def completions(
    typed: str, arguments: Mapping[str, Iterable[str]] | None = None
) -> list[tuple[str, str]]:
    """What the typed line could become, as (line, explanation). `arguments`: command → what may follow."""
    name, space, argument = typed[1:].partition(" ")
    if not space:
        found = [command for command in COMMANDS if command.name.startswith(name.lower())]
        return [
            (f"/{command.name}" + (" " if command.argument else ""), _described(command))
            for command in found
        ]
    names = (arguments or {}).get(name, ())
    wanted = argument.lower()
    return [(f"/{name} {one}", "") for one in names if wanted in one.lower() and one != argument][
        :50
    ]


def _described(command: Command) -> str:
    return (
        f"{command.argument} · {command.explanation}" if command.argument else command.explanation
    )


def parameter_value(command: Command, argument: str) -> Value | None:
    """The value an argument sets a parameter to, None for *not set*; ValueError in words."""
    if argument.lower() in UNSET_WORDS:
        return None
    return BY_NAME[command.parameter].parse(argument)
