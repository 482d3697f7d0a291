"""Turns one block of markdown into styled lines; HTML, and all that is not markdown, is literal.

No text is lost: what the parser would hide (link definitions, tags, images) stays to be read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from tui_chat.core.text import clean
from tui_chat.widgets.transcript.code import Highlighter
from tui_chat.widgets.transcript.lines import BLANK, TAB, Line, Span, cells
from tui_chat.widgets.transcript.table import Align, Table

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_BULLETS = "•◦▪"
_BARE_URL = re.compile(r"https?://[^\s<>\"'`]*[^\s<>\"'`.,;:!?)\]}*_]", re.I)
_ALLOWED = re.compile(r"(?:https?://|mailto:)", re.I)
_INLINE = {"strong": "strong", "em": "em", "s": "strike"}


class MarkdownRenderer:
    """Holds the parser, which is loaded with the first text."""

    def __init__(self, highlighter: Highlighter) -> None:
        self._highlighter = highlighter
        self._parser: MarkdownIt | None = None

    def lines(self, text: str, width: int) -> list[Line]:
        """The lines of one block, for a screen that is `width` cells wide."""
        if self._parser is None:
            # Deferred: the first screen is painted before any reply is drawn.
            from markdown_it import MarkdownIt

            parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
            # Definitions of links would vanish, and could not reach the other blocks anyway.
            self._parser = parser.disable("reference")
        return _Walk(self._highlighter, width).lines(self._parser.parse(text))


@dataclass
class _Container:
    """A quote or a list item around what is being read: what stands before its rows."""

    first: tuple[Span, ...]
    rest: tuple[Span, ...]
    used: bool = False


@dataclass
class _List:
    number: int | None
    tight: bool
    depth: int

    def marker(self) -> str:
        if self.number is None:
            return f"{_BULLETS[min(self.depth, len(_BULLETS) - 1)]} "
        self.number += 1
        return f"{self.number - 1}. "


class _Walk:
    """One pass over the tokens of a block."""

    def __init__(self, highlighter: Highlighter, width: int) -> None:
        self._highlighter = highlighter
        self._width = width
        self._lines: list[Line] = []
        self._containers: list[_Container] = []
        self._lists: list[_List] = []
        self._table: Table | None = None
        self._heading = ""
        self._fresh = True
        """True where no blank line may come: at the start of a block or of a container."""

    def lines(self, tokens: Sequence[Token]) -> list[Line]:
        loose = _loose_lists(tokens)
        for index, token in enumerate(tokens):
            kind = token.type
            if kind in ("bullet_list_open", "ordered_list_open"):
                self._open_list(token, tight=index not in loose)
            elif kind in ("bullet_list_close", "ordered_list_close"):
                self._lists.pop()
            elif kind == "list_item_open":
                self._open_item()
            elif kind == "blockquote_open":
                self._gap()
                bar = (Span("▎ ", "marker quote-bar"),)
                self._containers.append(_Container(bar, bar))
                self._fresh = True
            elif kind in ("list_item_close", "blockquote_close"):
                self._close_container()
            elif kind == "heading_open":
                self._heading = token.tag
            elif kind == "inline":
                self._inline(token)
            elif kind in ("fence", "code_block"):
                self._code(token)
            elif kind == "hr":
                self._gap()
                self._rule()
            elif kind.startswith(("table", "th_", "td_", "tr_")):
                self._table_token(token)
        return self._lines

    def _open_list(self, token: Token, *, tight: bool) -> None:
        if not self._lists or not self._lists[-1].tight:
            self._gap()
        number = int(token.attrGet("start") or 1) if token.type.startswith("ordered") else None
        if token.type.startswith("ordered") and token.attrGet("start") == 0:
            number = 0
        self._lists.append(_List(number, tight, len(self._lists)))
        self._fresh = True

    def _open_item(self) -> None:
        if not self._lists[-1].tight:
            self._gap()
        marker = self._lists[-1].marker()
        self._containers.append(_Container((Span(marker, "marker"),), (Span(" " * len(marker)),)))
        self._fresh = True

    def _close_container(self) -> None:
        if not self._containers[-1].used:
            self._add(())
        self._containers.pop()
        self._fresh = False

    def _gap(self) -> None:
        """A blank line before what comes next, unless it comes first."""
        if not self._fresh:
            bars = self._rest(blank=True)
            self._lines.append(Line(lead=bars) if bars else BLANK)
        self._fresh = False

    def _rest(self, *, blank: bool = False) -> tuple[Span, ...]:
        spans = tuple(span for container in self._containers for span in container.rest)
        return spans if not blank or any(span.text.strip() for span in spans) else ()

    def _add(self, spans: Sequence[Span]) -> None:
        """One line of text, behind the marks of the containers that have not shown theirs."""
        marks: list[Span] = []
        for container in self._containers:
            quote = container.first is container.rest
            shown = container.first if quote or not container.used else container.rest
            marks.extend(shown)
            container.used = True
        hang = self._rest()
        plain = all(not span.style for span in marks)
        if plain:
            self._lines.append(Line(tuple(spans), lead=tuple(marks), hang=hang))
        else:
            self._lines.append(Line((*marks, *spans), hang=hang))
        self._fresh = False

    def _inline(self, token: Token) -> None:
        style = self._heading
        paragraphs = _inline_lines(token.children or (), style)
        if self._table is not None:
            self._table.rows[-1].append(tuple(s for line in paragraphs for s in line))
            return
        if not (self._lists and self._lists[-1].tight and self._in_item()):
            self._gap()
        for spans in paragraphs:
            self._add(spans)
        self._heading = ""

    def _in_item(self) -> bool:
        return (
            bool(self._containers) and self._containers[-1].first is not self._containers[-1].rest
        )

    def _code(self, token: Token) -> None:
        if not (self._lists and self._lists[-1].tight and self._in_item()):
            self._gap()
        if self._containers and not self._containers[-1].used:
            self._add(())
        language = re.search(r"[\w+#.-]+", token.info)
        text = clean(token.content)
        self._lines.extend(
            code_lines(
                self._highlighter, text, language[0].lower() if language else "", self._rest()
            )
        )
        self._fresh = False

    def _rule(self) -> None:
        self._add((Span("─" * max(1, self._width - cells(self._rest())), "rule"),))

    def _table_token(self, token: Token) -> None:
        if token.type == "table_open":
            self._gap()
            self._table = Table()
        elif self._table is None:
            return
        elif token.type == "tr_open":
            self._table.rows.append([])
        elif token.type == "th_open":
            self._table.aligns.append(_align(token))
        elif token.type == "table_close":
            table, self._table = self._table, None
            for line in table.lines(max(1, self._width - cells(self._rest()))):
                self._add(line.spans)


def code_lines(
    highlighter: Highlighter, code: str, language: str, lead: tuple[Span, ...] = ()
) -> list[Line]:
    """The lines of a piece of code on its own background."""
    return [
        Line(spans, lead=lead, hang=lead, fill="code")
        for spans in highlighter.lines(code, language)
    ]


def _loose_lists(tokens: Sequence[Token]) -> set[int]:
    """The places of the lists in which blank lines part the items."""
    loose: set[int] = set()
    lists: list[int] = []
    for index, token in enumerate(tokens):
        if token.type.endswith("_list_open"):
            lists.append(index)
        elif token.type.endswith("_list_close"):
            lists.pop()
        elif token.type == "paragraph_open" and lists and not token.hidden:
            is_item = token.level == tokens[lists[-1]].level + 2
            loose.update(lists[-1:] if is_item else ())
    return loose


def _align(token: Token) -> Align:
    side = str(token.attrGet("style") or "").removeprefix("text-align:")
    return cast(Literal["left", "center", "right"], side) if side in ("center", "right") else "left"


def _inline_lines(tokens: Sequence[Token], style: str) -> list[list[Span]]:
    """The words between the marks, in one list of spans for each line of the source."""
    lines: list[list[Span]] = [[]]
    styles = [style] if style else []
    links: list[str] = []
    for token in tokens:
        if token.type in ("softbreak", "hardbreak"):
            lines.append([])
        elif token.type == "link_open":
            links.append(str(token.attrGet("href") or ""))
            styles.append("link")
        elif token.type == "link_close":
            styles.remove("link")
            if not safe_url(url := links.pop()):
                lines[-1].extend(_text(f" ({url})", " ".join(styles), ""))
        elif token.type == "image":
            lines[-1].extend(_image(token, styles))
        elif name := _INLINE.get(token.tag):
            if token.nesting > 0:
                styles.append(name)
            else:
                styles.remove(name)
        else:
            inner = [*styles, "inline-code"] if token.type == "code_inline" else styles
            link = safe_url(links[-1]) if links else None
            lines[-1].extend(_text(token.content, " ".join(inner), link))
    return lines


def _text(content: str, style: str, link: str | None) -> list[Span]:
    text = clean(content).replace("\n", " ").expandtabs(TAB)
    if not text:
        return []
    if link is not None:
        return [Span(text, style, link)]
    spans: list[Span] = []
    at = 0
    for url in _BARE_URL.finditer(text):
        spans.append(Span(text[at : url.start()], style))
        spans.append(Span(url[0], f"{style} link".strip(), safe_url(url[0])))
        at = url.end()
    spans.append(Span(text[at:], style))
    return [span for span in spans if span.text]


def _image(token: Token, styles: Sequence[str]) -> list[Span]:
    """An image is named, never fetched."""
    url = clean(str(token.attrGet("src") or "")).replace("\n", " ")
    alt = clean(token.content).replace("\n", " ") or "image"
    link = safe_url(url)
    return [
        Span(f"{alt} ", " ".join([*styles, "em"])),
        Span(f"({url})", " ".join([*styles, "link"]), link),
    ]


def safe_url(url: str) -> str:
    """The address if a browser or a mail program may be asked to open it, else nothing."""
    url = clean(url)
    return url if _ALLOWED.match(url) and not re.search(r"\s", url) else ""
