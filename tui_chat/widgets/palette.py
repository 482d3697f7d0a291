"""The command palette: Textual's own, made safe for keys that come faster than its list; what it offers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from textual import on
from textual.command import CommandPalette
from textual.screen import Screen
from textual.widgets import Input, OptionList
from textual.worker import WorkerError

from tui_chat.core.errors import ChatError
from tui_chat.core.parameter import Parameter
from tui_chat.core.params import PARAMETERS, Params
from tui_chat.widgets.dialogs import AnswersOnce, LineDialog

if TYPE_CHECKING:
    from tui_chat.widgets.setup_screen import SetupScreen
    from tui_chat.widgets.transcript import Transcript

Command = tuple[str, str, Callable[[], object]]
"""A command: its name, words about it, what does it."""


class Palette(CommandPalette, AnswersOnce[None]):
    """Does one command, once: the one that fits what was typed before Enter."""

    DEFAULT_CSS = "Palette SearchIcon { display: none; }"

    @on(Input.Submitted)
    async def _wait_for_list(self, event: Input.Submitted) -> None:
        # Until the search is done, the list still shows what fitted the text before.
        for search in [one for one in self.workers if one.node is self and not one.is_finished]:
            with suppress(WorkerError):
                await search.wait()
        self._take_once(event)

    @on(OptionList.OptionSelected)
    def _take_once(self, event: Input.Submitted | OptionList.OptionSelected) -> None:
        if self.answered:
            # Textual would do the command again.
            event.prevent_default()
            event.stop()

    def _action_command_list(self, action: str) -> None:
        # Textual looks up lines that it has not laid out yet.
        with suppress(LookupError):
            super()._action_command_list(action)


def setup_commands(screen: SetupScreen) -> list[Command]:
    """What can be done to the setup: its parts, each parameter, presets."""

    def unset_all() -> None:
        screen.use(replace(screen.setup, params=Params()))

    def save() -> None:
        screen.run_worker(_save_preset(screen))

    return [
        ("Parameters", "Go to the sidebar", screen.action_toggle_sidebar),
        ("All parameters: not set", "Send none of them", unset_all),
        ("Hide or show the sidebar", "", screen.action_hide_sidebar),
        ("Presets", "Apply, save, rename, delete", screen.action_choose_preset),
        ("Save as a preset", "The present setup, under a name", save),
        ("Endpoint", "Where requests go", screen.action_choose_endpoint),
        ("Model", "Which model answers", screen.action_choose_model),
        ("System prompt", "What the model is told first", screen.action_edit_system),
        _strictness(screen),
        *((one.label, one.explanation, partial(_go_to, screen, one)) for one in PARAMETERS),
    ]


def _strictness(screen: SetupScreen) -> Command:
    """The switch between requests that are repeated without what is refused, and strict ones."""
    lessons = screen.world.lessons

    def turn() -> None:
        lessons.strict = not lessons.strict
        screen.show_heeds()
        screen.setup_used()
        how = (
            "all that is set is sent, and a refusal is final"
            if lessons.strict
            else "what a model refuses is left out, and said"
        )
        screen.notify(f"From now on {how}.", markup=False)

    if lessons.strict:
        return ("Strict requests: off", "Leave out what a model refuses, and say so", turn)
    return ("Strict requests: on", "Send all that is set; a refusal is final", turn)


def _go_to(screen: SetupScreen, parameter: Parameter) -> None:
    sidebar = screen.sidebar
    sidebar.unfolded = sidebar.unfolded or parameter.more
    sidebar.cursor = parameter.name
    if screen.focused is not sidebar:
        screen.action_toggle_sidebar()


async def _save_preset(screen: SetupScreen) -> None:
    title, note = "Save the present setup", "Under which name?"
    name, wrong = screen.preset.name if screen.preset else "", ""
    while True:
        dialog = LineDialog(title, note, name, wrong)
        answer: str | None = await screen.app.push_screen_wait(dialog)
        if not answer:
            return
        name = answer
        try:
            await screen.save_preset(name)
        except (ChatError, ValueError) as error:
            wrong = str(error)
        else:
            screen.notify(f"Saved the preset “{name}”.", markup=False)
            return


def message_commands(screen: Screen[Any], transcript: Transcript) -> list[Command]:
    """What can be done with the message under the transcript's cursor; nothing without one."""
    undo = ("Undo delete", "Bring back the branch deleted last", "undo_delete")
    fold = ("Unfold or fold", "Reasoning, or a long message", transcript.action_toggle_fold)
    actions = (
        ("Copy the message", "To the clipboard", "copy_message"),
        ("Copy code", "A piece of code of the message", "copy_code"),
        ("Copy the conversation", "The branch being read, as Markdown", "copy_conversation"),
        ("Edit the message", "As a new branch", "edit_message"),
        ("Regenerate this reply", "Beside it, as a sibling", "regenerate_message"),
        ("Continue this reply", "Where it was broken off, as a sibling", "continue_message"),
        ("Lens", "The probabilities of its tokens, and other roads", "open_lens"),
        ("Older sibling", "The one before", "turn(-1)"),
        ("Newer sibling", "The one after", "turn(1)"),
        ("Tree of the conversation", "All its branches; read another", "show_tree"),
        ("Info on the message", "How it was made; what differs now", "show_info"),
        ("View code of this reply", "The request that made it", "show_code_of_reply"),
        ("Mark or compare the reply", "Two replies beside each other", "mark_message"),
        ("Use the parameters of the reply", "Its whole setup", "use_parameters"),
        ("Delete the message", "And all below it", "delete_branch"),
    )
    return [
        *(
            (title, words, partial(screen.run_action, action))
            for title, words, action in (*actions, undo)
            if screen.check_action(action.partition("(")[0], ())
        ),
        *([fold] if transcript.message_at_cursor() is not None else []),
    ]
