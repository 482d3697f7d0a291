"""A conversation as a Markdown document that reads well: front matter, then the thread being read.

Among several in one document, the facts stand in a block of YAML under the title instead: front matter is
only what a file begins with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import ascii_lowercase

from tui_chat.core.conversation import Conversation, Message
from tui_chat.core.formats.jsonl import dumped, iso
from tui_chat.core.text import clean, one_line

BETWEEN = "\n---\n\n"
"""What stands between two conversations of one document."""
LONGEST = 200_000
"""Characters of a message of which it is told for certain what it leaves open; of a longer one it is guessed."""
_ROLES = {"user": "You", "assistant": "Assistant", "system": "System"}
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})([^\n]*)")
# Blocks of HTML that no empty line ends (CommonMark 4.6, kinds 1 to 5); any of these tags ends any other.
_HTML = re.compile(
    r" {0,3}<(!--|\?|!\[CDATA\[|![A-Z]|(?:pre|script|style|textarea)(?=[\s>]|$))", re.IGNORECASE
)
_ENDS = {"!--": ("-->",), "?": ("?>",), "![cdata[": ("]]>",)} | {
    f"!{letter}": (">",) for letter in ascii_lowercase
}
_TAG = re.compile(r"^ {0,3}</?[A-Za-z]", re.MULTILINE)
_TAGS_END = ("</pre>", "</script>", "</style>", "</textarea>")


def document(conversation: Conversation) -> str:
    """The title, the setup of the last reply as YAML front matter, and each message of the thread."""
    return "".join(pieces(conversation))


def pieces(conversation: Conversation, *, alone: bool = True) -> Iterator[str]:
    """The document in pieces, one for each message; `alone` is false among several in one."""
    title = one_line(conversation.title, 400).replace("<", r"\<") or "Untitled"
    rows = "\n".join(_facts(conversation))
    if alone:
        yield clean(f"---\n{rows}\n---\n\n# {title}\n")
    else:
        yield clean(f"# {title}\n\n```yaml\n{rows}\n```\n")
    if conversation.is_text:
        text = clean("".join(message.content for message in conversation.thread()))
        yield f"\n{text}{_unclosed(text)}\n"
        return
    for message in conversation.thread():
        yield clean(_section(message))


def _facts(conversation: Conversation) -> list[str]:
    facts: dict[str, object] = {"title": conversation.title, "id": conversation.id}
    facts["created"] = iso(conversation.created)
    if conversation.tags:
        facts["tags"] = list(conversation.tags)
    setup = conversation.latest_setup()
    if setup is not None:
        facts |= {"endpoint": setup.endpoint, "model": setup.model}
        if setup.system:
            facts["system"] = setup.system
        facts["parameters"] = dict(setup.params)
    # JSON values are YAML values, and need no other quoting rules.
    return [f"{name}: {dumped(value)}" for name, value in facts.items()]


def _section(message: Message) -> str:
    heading = f"## {_ROLES[message.role]}"
    if message.setup is not None:
        parts = (message.setup.model, message.setup.params.summary)
        made = " · ".join(one_line(part, 400) for part in parts if part)
        heading += f" ({made})" if made else ""
    text = clean(message.content)
    lines = ["", heading, "", text + _unclosed(text), ""]
    if message.status != "complete":
        words = one_line(message.error, 600)
        lines += [f"*{message.status}{': ' + words if words else ''}*", ""]
    return "\n".join(lines)


def _unclosed(text: str) -> str:
    """What ends a block of code or of HTML that was left open, so that it does not swallow what follows."""
    if not any(mark in text for mark in ("```", "~~~", "<")):
        return ""
    fence = ""
    ends: tuple[str, ...] = ()
    for line in text.split("\n"):
        found = _FENCE.match(line)
        if ends:
            ends = () if any(end in line.lower() for end in ends) else ends
        elif found is not None:
            marks, rest = found.groups()
            if not fence:
                fence = "" if marks[0] == "`" and "`" in rest else marks
            elif marks.startswith(fence) and not rest.strip():
                fence = ""
        elif not fence and (opened := _HTML.match(line)) is not None:
            ends = _ENDS.get(opened[1].lower(), _TAGS_END)
            ends = () if any(end in line.lower() for end in ends) else ends
    guess = f"\n{fence or ends[0]}" if fence or ends else ""
    if len(text) > LONGEST or _TAG.search(text) is None:
        return guess
    # In a block of HTML that an empty line ends a fence opens nothing, and what begins one is intricate.
    fences = {found[1] for line in text.split("\n") if (found := _FENCE.match(line))}
    marks = (*sorted(fences), *_TAGS_END, "-->", "?>", "]]>", ">")
    others = ("", *(f"\n{mark}" for mark in marks))
    return next((end for end in (guess, *others) if _is_closed(text + end)), guess)


def _is_closed(text: str) -> bool:
    """Whether a heading after this text is one."""
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").parse(f"{text}\n\n## end")
    return len(tokens) > 2 and tokens[-1].type == "heading_close" and tokens[-1].level == 0
