"""The pieces of code in a message, to be taken out of it; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class CodeBlock:
    """One piece of code as it is meant: without its fence, and without the indent of its place."""

    text: str
    language: str = ""


def code_blocks(markdown: str) -> list[CodeBlock]:
    """The code in a markdown text in its order, in lists and quotes too, an open last one included."""
    # Deferred: the parser is there once a reply was drawn.
    from markdown_it import MarkdownIt

    blocks: list[CodeBlock] = []
    for token in MarkdownIt("commonmark", {"html": False}).disable("inline").parse(markdown):
        if token.type in ("fence", "code_block") and token.content.strip():
            language = re.search(r"[\w+#.-]+", token.info)
            blocks.append(
                CodeBlock(token.content.removesuffix("\n"), language[0].lower() if language else "")
            )
    return blocks
