"""Cutting: what arrives in pieces is cut like the whole, and no piece is too long."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_chat.widgets.transcript.blocks import LIMIT, START, Block, cut, cut_plain


def grown(pieces: list[str]) -> list[Block]:
    """The blocks of a text that arrives in these pieces."""
    text, blocks = "", list[Block]()
    for final, piece in [*((False, piece) for piece in pieces), (True, "")]:
        text += piece
        blocks = [block for block in blocks if block.settled]
        at, state = (blocks[-1].end, blocks[-1].after) if blocks else (0, START)
        blocks += cut(text, at, state, final=final)
    return blocks


def source(text: str) -> list[tuple[str, str]]:
    """What each block of a finished text is, and the text it holds."""
    return [
        (b.kind, text[slice(*b.body)] if b.fence else text[b.start : b.end])
        for b in cut(text, final=True)
    ]


LONG_CODE = (
    "```python\n" + "".join(f"value_{n} = '```'  # ```\n" for n in range(400)) + "```\nafter\n"
)
DOCUMENTS = {
    "prose": "# Title\n\nOne\ntwo\n\n  indented\n\nthree\n",
    "fence": "before\n```py\nx = 1\n\n\ny\n```\nafter\n\n~~~~\n```\n~~~\n~~~~\nend",
    "inline fence": "before\n```not a `fence```\nafter",
    "unclosed": "text\n\n```rust\nfn main() {}\n",
    "fence in list": "1. do\n   ```sh\n   ls\n\n   pwd\n   ```\n2. then\n\n- a\n  - b\n    ```\n    x\n    ```\n",
    "long code": LONG_CODE,
    "long prose": "word " * 3_000 + "\n" + "line\n" * 1_500,
    "long line": "a" * 20_000 + "\nnext\n\nlast",
    "long code line": "```\n" + "b" * 20_000 + "\n```\nafter",
    "long list code": "- item\n  ```py\n" + "  code = 1\n" * 900 + "  ```\n- next\n",
    "long list": "- item **b**\n" * 600 + "1. one\n2. two\n\n3. three\n" * 60,
    "spaced code": "```\n" + "def f():\n    pass\n\n\n" * 400 + "```\n",
    "blank": "\n" * 7_000 + "text" + "\n" * 7_000 + "  more",
    "spaces": "text\n\n" + " " * 9_000 + "\n" + " " * 200 + "x",
}


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("size", [97, 1_000])
def test_a_text_that_arrives_in_pieces_is_cut_like_the_whole(name: str, size: int) -> None:
    text = DOCUMENTS[name]

    pieces = [text[at : at + size] for at in range(0, len(text), size)]

    assert grown(pieces) == cut(text, final=True)


@pytest.mark.parametrize("name", ["prose", "fence", "inline fence", "unclosed", "fence in list"])
def test_a_text_that_arrives_in_characters_is_cut_like_the_whole(name: str) -> None:
    text = DOCUMENTS[name]

    assert grown(list(text)) == cut(text, final=True)


@pytest.mark.parametrize("name", ["long code", "long code line", "long list code"])
def test_a_flush_that_ends_anywhere_on_a_fence_line_changes_nothing(name: str) -> None:
    text = DOCUMENTS[name]
    whole = cut(text, final=True)
    fences = [at for at, character in enumerate(text) if character == "`"]

    for at in {*fences[:8], *fences[-8:]}:
        for split in range(max(0, at - 2), at + 3):
            assert grown([text[:split], text[split:]]) == whole


@given(
    lines=st.lists(
        st.sampled_from(
            [
                "",
                "",
                "text",
                "  in",
                "```",
                "```py",
                "``",
                "```a`b",
                "~~~",
                "   ```",
                "- a",
                "  ```",
                "1. b",
                "x" * 2_500,
                "y " * 1_400,
                " " * 3_000,
                "````",
                "    ```",
                "   ",
            ]
        ),
        max_size=14,
    ),
    cuts=st.lists(st.floats(0, 1), max_size=8),
)
def test_any_text_that_arrives_in_any_pieces_is_cut_like_the_whole(
    lines: list[str], cuts: list[float]
) -> None:
    text = "\n".join(lines)
    edges = sorted({0, len(text), *(int(cut * len(text)) for cut in cuts)})

    pieces = [text[a:b] for a, b in pairwise(edges)]

    assert grown(pieces) == cut(text, final=True)


@given(text=st.text("ab `~\n-1.", max_size=60), at=st.integers(0, 60))
def test_any_short_text_is_cut_alike_wherever_it_was_split(text: str, at: int) -> None:
    assert grown([text[:at], text[at:]]) == cut(text, final=True)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_blocks_are_bounded_and_lose_nothing_but_blank_lines(name: str) -> None:
    text = DOCUMENTS[name]
    blocks = cut(text, final=True)

    at = 0
    for block in blocks:
        assert not text[at : block.start].strip()
        stop = (
            block.body[1] - block.body[0]
            if block.fence
            else len(text[block.start : block.end].rstrip())
        )
        assert stop <= LIMIT
        at = block.end
    assert not text[at:].strip()


def test_a_fence_ends_only_at_a_line_of_its_own_character_and_length() -> None:
    text = "````\n```\n~~~~\n ````` \nafter"

    assert source(text) == [("code", "```\n~~~~\n"), ("markdown", "after")]


def test_every_piece_of_a_long_fence_is_code_of_the_same_language() -> None:
    blocks = cut(LONG_CODE, final=True)

    assert [block.kind for block in blocks] == ["code"] * (len(blocks) - 1) + ["markdown"]
    assert {block.fence.language for block in blocks if block.fence} == {"python"}
    assert "".join(LONG_CODE[slice(*b.body)] for b in blocks if b.fence) == LONG_CODE[10:-10]


def test_code_inside_of_a_list_item_stays_in_the_list() -> None:
    text = "1. do\n   ```sh\n   ls\n\n   pwd\n   ```\n2. then\n"

    assert source(text) == [("markdown", text)]


def test_code_at_the_margin_ends_a_list() -> None:
    text = "1. do\n```sh\nls\n```\n2. then\n"

    assert [kind for kind, _ in source(text)] == ["markdown", "code", "markdown"]


def test_typed_text_is_cut_at_lines_and_kept_whole() -> None:
    text = "line\n\n" * 3_000

    blocks = cut_plain(text)

    assert "".join(text[b.start : b.end] for b in blocks) == text
    assert all(b.end - b.start <= LIMIT and text[b.end - 1] == "\n" for b in blocks)
