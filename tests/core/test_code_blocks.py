"""The code that is taken out of a message."""

from __future__ import annotations

import pytest

from tui_chat.core.code_blocks import CodeBlock, code_blocks


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("no code, only `inline`", []),
        ("```py\na = 1\n\nb\n```", [CodeBlock("a = 1\n\nb", "py")]),
        ("~~~\nx\n~~~\ntext\n```Rust,ignore\ny\n```", [CodeBlock("x"), CodeBlock("y", "rust")]),
        ("1. one\n   ```sh\n   ls\n     indented\n   ```\n", [CodeBlock("ls\n  indented", "sh")]),
        ("> ```\n> quoted\n> ```", [CodeBlock("quoted")]),
        ("```c++ title=x\nstill arriving", [CodeBlock("still arriving", "c++")]),
        ("text\n\n    by indent\n    more\n", [CodeBlock("by indent\nmore")]),
        ("````\n```\ninner\n```\n````", [CodeBlock("```\ninner\n```")]),
        ("```\n\n```", []),
        ("", []),
    ],
)
def test_code_is_taken_without_its_fence_and_its_place(
    markdown: str, expected: list[CodeBlock]
) -> None:
    assert code_blocks(markdown) == expected
