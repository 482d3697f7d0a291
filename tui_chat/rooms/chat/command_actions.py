"""What typed commands do to the conversation and its setup."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tui_chat.core.escapes import unescape
from tui_chat.core.params import BY_NAME
from tui_chat.core.text import one_line
from tui_chat.core.urls import server_of
from tui_chat.rooms.chat.commands import UNSET_WORDS, Typed, parameter_value
from tui_chat.rooms.chat.drafting import DraftingScreen
from tui_chat.widgets.message_screen import fits


async def done(room: DraftingScreen, typed: Typed) -> bool:
    """Do what a command says about the conversation or its setup; False for one that leads elsewhere.

    ChatError or ValueError, in a person's words, when it cannot be done.
    """
    if typed.command.parameter:
        _set_parameter(room, typed)
        return True
    match typed.command.name, typed.argument:
        case "model" | "endpoint" | "preset" | "system" as part, "":
            await room.open_dialog(part)
        case "model", name:
            _check_model(room, name)
            room.use(replace(room.setup, model=name))
        case "system", text:
            system = "" if text.lower() in UNSET_WORDS else unescape(text)
            room.use(replace(room.setup, system=system))
        case "endpoint", words:
            room.take_endpoint(words)
            if server_of(words):
                from tui_chat.widgets.trying import try_out

                room.run_worker(try_out(room), group="try", exclusive=True)
        case "preset", name:
            await room.use_preset(name)
        case "save", name:
            await room.save_preset(name)
            room.notify(f"Saved the preset “{name}”.", markup=False)
        case "title", title:
            await room.rename(title)
        case "regenerate", _:
            room.action_regenerate()
        case "continue" | "tree" | "info" | "undo" as name, _:
            await _on_branches(room, name)
        case "copy", _:
            if room.conversation.leaf is None:
                raise ValueError("Nothing was said yet.")
            room.action_copy_conversation()
        case "export", path:
            await room.export(path)
        case "import", files:
            await room.bring_along(files)
        case "code", _:
            room.action_show_code()
        case _:
            return False
    return True


def _check_model(room: DraftingScreen, name: str) -> None:
    """ValueError for a name that the model which we serve ourselves does not have."""
    endpoint = room.endpoint
    if endpoint is None or not endpoint.served_here:
        return
    own = endpoint.model or Path(endpoint.gguf).stem
    if name != own:
        where = one_line(endpoint.name, 40)
        raise ValueError(f"{where} has one model, {one_line(own, 60)}; /endpoint leads to others.")


async def _on_branches(room: DraftingScreen, name: str) -> None:
    """Do something with the last message, or with the tree."""
    last = room.conversation.thread()[-1:]
    if name == "undo":
        if room.talk.deleted is None:
            raise ValueError("Nothing of this conversation was deleted.")
        room.action_undo_delete()
    elif not last:
        raise ValueError("Nothing was said yet.")
    elif name == "tree":
        await room.action_show_tree()
    elif name == "info":
        await room.show_info(last[0])
    elif not room.busy():
        if not fits("continue_message", last[0], room.conversation):
            raise ValueError("The last reply was not broken off; F5 answers again.")
        room.go_on(last[0].id)


def _set_parameter(room: DraftingScreen, typed: Typed) -> None:
    """Set a parameter; without a value, go to its row."""
    name = typed.command.parameter
    if BY_NAME[name].more:
        room.sidebar.unfolded = True
    room.sidebar.cursor = name
    if typed.argument:
        value = parameter_value(typed.command, typed.argument)
        room.use(replace(room.setup, params=room.setup.params.changed(name, value)))
    elif room.focused is not room.sidebar:
        room.action_toggle_sidebar()
