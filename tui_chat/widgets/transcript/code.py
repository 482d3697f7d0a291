"""Colours code: a piece of source text in, lines of spans out.

Pygments is loaded with the first piece of code, one lexer for each language.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_chat.widgets.transcript.lines import TAB, Span

if TYPE_CHECKING:
    from pygments.lexer import Lexer
    from pygments.token import _TokenType

_LONG_LINE = 1_000
"""A line longer than this was not written by hand; colouring it could take for ever."""
_STYLES = {
    "Keyword": "code-keyword",
    "Keyword.Constant": "code-number",
    "Literal.String": "code-string",
    "Literal.Number": "code-number",
    "Comment": "code-comment",
    "Comment.Preproc": "code-keyword",
    "Name.Function": "code-name",
    "Name.Class": "code-name",
    "Name.Tag": "code-keyword",
    "Name.Attribute": "code-name",
    "Name.Decorator": "code-name",
    "Name.Builtin": "code-builtin",
    "Name.Exception": "code-builtin",
    "Operator.Word": "code-keyword",
    "Generic.Deleted": "code-deleted",
    "Generic.Inserted": "code-string",
    "Generic.Heading": "code-name",
    "Generic.Subheading": "code-name",
}


class Highlighter:
    """Keeps the lexers that were asked for."""

    def __init__(self) -> None:
        self._lexers: dict[str, Lexer | None] = {}
        self._styles: dict[_TokenType, str] = {}

    def lines(self, code: str, language: str) -> list[tuple[Span, ...]]:
        """The lines of the code, each in coloured spans; plain for a language nobody knows."""
        code = code.removesuffix("\n").expandtabs(TAB)
        plain = code.split("\n")
        lexer = self._lexer(language)
        if lexer is None or any(len(line) > _LONG_LINE for line in plain):
            return [(Span(line, "code"),) if line else () for line in plain]
        lines: list[tuple[Span, ...]] = []
        line: list[Span] = []
        # Many lexers know a comment only by the newline that ends it.
        for token, text in lexer.get_tokens(f"{code}\n"):
            style = self._style(token)
            first, *rest = text.split("\n")
            if first:
                line.append(Span(first, style))
            for part in rest:
                lines.append(tuple(line))
                line = [Span(part, style)] if part else []
        return lines

    def _lexer(self, language: str) -> Lexer | None:
        if not language:
            return None
        if language not in self._lexers:
            # Deferred: most conversations are read before the first code is.
            from pygments.lexers import get_lexer_by_name
            from pygments.util import ClassNotFound

            try:
                lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
            except ClassNotFound:
                self._lexers[language] = None
            else:
                self._lexers[language] = lexer
        return self._lexers[language]

    def _style(self, token: _TokenType) -> str:
        style = self._styles.get(token)
        if style is None:
            at: _TokenType | None = token
            while at is not None and (style := _STYLES.get(str(at)[6:])) is None:
                at = at.parent
            style = self._styles[token] = f"code {style}" if style else "code"
        return style
