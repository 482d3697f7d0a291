"""The transcript with the keys that act on the message under its cursor, each with a stable id."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from tui_chat.widgets.transcript import Transcript


def _key(
    key: str,
    action: str,
    words: tuple[str, str],
    name: str,
    *,
    show: bool = True,
    display: str = "",
) -> Binding:
    return Binding(
        key,
        f"screen.{action}",
        words[0],
        show=show,
        key_display=display or None,
        tooltip=words[1],
        id=f"message.{name}",
    )


class MessageTranscript(Transcript):
    """The transcript with the keys that act on the message under its cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        _key("y", "copy_message", ("Copy", "Copy the message"), "copy"),
        _key(
            "Y",
            "copy_code",
            ("Copy code", "Copy a piece of code of the message"),
            "copy_code",
            show=False,
        ),
        _key(
            "e", "edit_message", ("Edit", "Edit the message, or the reply, as a new branch"), "edit"
        ),
        _key(
            "r",
            "regenerate_message",
            ("Regenerate", "Answer again what this reply answers"),
            "regenerate",
        ),
        _key(
            "c",
            "continue_message",
            ("Continue", "Go on with a reply that was stopped or cut off, beside it"),
            "continue",
        ),
        _key(
            "l",
            "open_lens",
            ("Lens", "The probabilities of the reply's tokens"),
            "lens",
        ),
        _key(
            "left_square_bracket",
            "turn(-1)",
            ("Siblings", "The sibling before, after"),
            "older",
            display="[ ]",
        ),
        _key("right_square_bracket", "turn(1)", ("Newer", ""), "newer", show=False),
        _key(
            "t", "show_tree", ("Tree", "All branches of the conversation; Enter reads one"), "tree"
        ),
        _key(
            "i",
            "show_info",
            ("Info", "How the message was made: setup, tokens, times; and what differs now"),
            "info",
        ),
        _key(
            "v",
            "show_code_of_reply",
            ("Code", "The request that made the reply, as Python and as curl"),
            "code",
            show=False,
        ),
        _key(
            "m",
            "mark_message",
            ("Compare", "Mark a reply; on another one, compare the two"),
            "mark",
            show=False,
        ),
        _key(
            "p",
            "use_parameters",
            ("Use parameters", "Take the setup of this reply over"),
            "use_parameters",
            show=False,
        ),
        _key(
            "delete,d",
            "delete_branch",
            ("Delete", "Delete the message and all below it"),
            "delete",
            display="del",
        ),
        _key(
            "ctrl+z",
            "undo_delete",
            ("Undo delete", "Bring back what was deleted last"),
            "undo",
        ),
    ]
