"""Conversations as one HTML file: nothing in it is fetched or run, and it prints well.

head(), for several conversations an entry() of the contents for each between CONTENTS and CONTENTS_END, then
pieces() of each, then FOOT. All foreign text is escaped; Markdown is drawn without HTML, links go only to
http, https and mailto, and images are told, not shown.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tui_chat.core.conversation import Conversation, Headline, Message
from tui_chat.core.formats.jsonl import iso
from tui_chat.core.text import clean, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

LONGEST = 200_000
"""Characters of a message that are drawn as Markdown; a longer one stands as it was written."""
_SLICE = 1_000_000
_ROLES = {"user": "You", "assistant": "Assistant", "system": "System"}
_ALLOWED = re.compile(r"(?:https?://|mailto:)", re.I)

_STYLE = """
:root { color-scheme: light dark; --text: #1c1d21; --quiet: #62656e; --back: #ffffff;
  --box: #f3f4f6; --line: #d9dbe0; --you: #2257b8; --trouble: #a8261c; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e5e9; --quiet: #9a9da6; --back: #16171a;
  --box: #202226; --line: #3a3d44; --you: #86b1ff; --trouble: #ff9188; } }
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; background: var(--back);
  color: var(--text); font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
h1, h2, h3, h4, h5, h6 { line-height: 1.25; }
h3.who { margin: 0; font-size: 1rem; }
article.user h3.who { color: var(--you); }
.facts, time { color: var(--quiet); font-size: .85rem; font-weight: normal; }
.facts { margin: .2rem 0; }
.conversation { margin-top: 3rem; border-top: 2px solid var(--line); }
article { margin: 1.5rem 0; }
article.user { padding: .6rem .9rem; border-radius: .5rem; background: var(--box); }
.as-written { white-space: pre-wrap; margin: .4rem 0; font: inherit; padding: 0; background: none; }
pre { padding: .7rem .9rem; border-radius: .4rem; background: var(--box); overflow-x: auto; }
article.user pre { padding: 0; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
article pre.as-written { font: inherit; }
blockquote { margin: .5rem 0; padding-left: .9rem; border-left: 3px solid var(--line); }
table { border-collapse: collapse; }
th, td { padding: .2rem .6rem; border: 1px solid var(--line); text-align: left; }
th.center, td.center { text-align: center; }
th.right, td.right { text-align: right; }
a { color: var(--you); }
.status { color: var(--trouble); font-size: .9rem; }
.image { color: var(--quiet); font-style: italic; }
nav li { margin: .15rem 0; }
@media print {
  :root { --text: #000; --quiet: #444; --back: #fff; --box: #f4f4f4; --line: #bbb; --you: #1a4590;
    --trouble: #8c1a12; }
  body { max-width: none; margin: 0; padding: 0; font-size: 10.5pt; }
  pre { white-space: pre-wrap; }
  h1, h2, h3, h4, h5, h6, .facts { break-after: avoid; }
  tr, blockquote { break-inside: avoid; }
  .conversation + .conversation, nav + .conversation { break-before: page; margin-top: 0; border: none; }
  .text a[href^="http"]::after { content: " (" attr(href) ")"; font-size: .85em; }
}
@page { margin: 2cm; }
"""
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'"

CONTENTS = "<h1>Conversations</h1>\n<nav>\n<ol>\n"
CONTENTS_END = "</ol>\n</nav>\n"
FOOT = "</body>\n</html>\n"


def head(title: str) -> str:
    """What the file begins with; `title` is what a browser calls it."""
    return (
        '<!DOCTYPE html>\n<html>\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_line(title) or 'Untitled'}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
    )


def entry(line: Headline) -> str:
    """A conversation's line of the contents."""
    place = escape(quote(f"c-{clean(line.id)}"))
    return (
        f'<li><a href="#{place}">{_line(line.title) or "Untitled"}</a>'
        f' <span class="facts">{_day(line.updated)}</span></li>\n'
    )


def pieces(conversation: Conversation) -> Iterator[str]:
    """The conversation in pieces, one or more for each message of the thread being read."""
    thread = conversation.thread()
    count = f"{len(thread)} message{'' if len(thread) == 1 else 's'}"
    facts = [_day(conversation.created), count, *(f"#{_line(tag)}" for tag in conversation.tags)]
    yield (
        f'<section class="conversation" id="{escape(f"c-{clean(conversation.id)}")}">\n<header>\n'
        f'<h2 dir="auto">{_line(conversation.title) or "Untitled"}</h2>\n'
        f'<p class="facts">{" · ".join(facts)}</p>\n</header>\n'
    )
    system = ""
    for message, told in zip(thread, _prompts(thread), strict=True):
        if told and told != system:
            yield '<article class="system">\n<h3 class="who">System prompt</h3>\n'
            yield from _as_written(told)
            yield "</article>\n"
        system = told
        yield from _message(message)
    yield "</section>\n"


def _prompts(thread: Sequence[Message]) -> list[str]:
    """The system prompt in force at each message: that of the reply to come, else of the last one."""
    latest = next((one.setup for one in reversed(thread) if one.setup is not None), None)
    found: list[str] = []
    for message in reversed(thread):
        latest = message.setup or latest
        found.append(latest.system if latest is not None else "")
    return found[::-1]


def _message(message: Message) -> Iterator[str]:
    yield f'<article class="{message.role}">\n<h3 class="who">{_ROLES[message.role]} '
    yield f'<time datetime="{iso(message.created)}">{_moment(message.created)}</time></h3>\n'
    setup = message.setup
    if setup is not None:
        made = [_line(one) for one in (setup.endpoint, setup.model, setup.params.summary) if one]
        yield f'<p class="facts">{" · ".join(made)}</p>\n' if made else ""
    if message.reasoning:
        yield '<details>\n<summary class="facts">Reasoning</summary>\n'
        yield from _as_written(message.reasoning)
        yield "</details>\n"
    if message.role == "assistant" and len(message.content) <= LONGEST:
        yield f'<div class="text" dir="auto">\n{rendered(message.content)}</div>\n'
    elif message.content:
        yield from _as_written(message.content)
    if message.status != "complete":
        words = f": {_line(message.error, 600)}" if message.error else ""
        yield f'<p class="status">{message.status}{words}</p>\n'
    yield "</article>\n"


def _as_written(text: str) -> Iterator[str]:
    # A newline right behind the tag is none of the text's.
    yield '<pre class="as-written" dir="auto">\n'
    text = clean(text)
    for start in range(0, len(text), _SLICE):
        yield escape(text[start : start + _SLICE], quote=False)
    yield "</pre>\n"


def rendered(text: str) -> str:
    """Markdown as HTML that holds no HTML of its own; what cannot be drawn stands as it was written."""
    parser = _parser()
    try:
        tokens = parser.parse(clean(text))
        _mend(tokens)
        # Entities in the text have become characters by now.
        return clean(str(parser.renderer.render(tokens, parser.options, {})))
    except RecursionError:
        return "".join(_as_written(text))


@cache
def _parser() -> MarkdownIt:
    # Deferred: most exports are no HTML.
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    # Definitions of links would vanish from the text.
    parser.disable("reference")
    parser.validateLink = lambda url: _ALLOWED.match(url) is not None  # type: ignore[method-assign]
    parser.add_render_rule("image", _image)
    return parser


def _image(self: Any, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    token = tokens[at]
    words = self.renderInlineAsText(token.children or [], options, env)
    return f'<span class="image">{escape(words)} ({escape(str(token.attrs["src"]))})</span>'


def _mend(tokens: Sequence[Token]) -> None:
    """Headings below those of the page, columns aligned by a class, links that tell nothing."""
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1:]) + 3)}"
        elif token.type in ("th_open", "td_open"):
            style = str(token.attrs.pop("style", ""))
            if style:
                token.attrSet("class", style.partition(":")[2])
        for inner in token.children or ():
            if inner.type == "link_open":
                inner.attrSet("rel", "noopener noreferrer")


def _line(text: str, limit: int = 400) -> str:
    return escape(one_line(text, limit))


def _moment(milliseconds: int) -> str:
    return f"{iso(milliseconds)[:16].replace('T', ' ')} UTC"


def _day(milliseconds: int) -> str:
    return iso(milliseconds)[:10]
