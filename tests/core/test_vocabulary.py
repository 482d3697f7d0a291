"""The shipped vocabularies are OpenAI's published ones, token for token, and stay readable."""

from __future__ import annotations

import hashlib
import importlib.util
import zlib
from pathlib import Path
from typing import Any

import pytest

from tests.make_vocabularies import DATA, main, packed, published_form, tokens_of
from tui_chat.core.errors import ChatError
from tui_chat.core.vocabulary import VOCABULARIES, read_ranks

BOTH = pytest.mark.parametrize("name", VOCABULARIES)


def shipped_tokens(name: str) -> list[bytes]:
    ranks = read_ranks(name)
    return sorted(ranks, key=ranks.__getitem__)


def tiktokens_own(name: str) -> dict[str, Any]:
    """What tiktoken itself declares about an encoding, with the file's SHA-256 in place of its tokens."""
    spec = importlib.util.find_spec("tiktoken_ext.openai_public")
    assert spec is not None
    assert spec.origin is not None
    source = Path(spec.origin).read_text(encoding="utf-8")
    importing = "from tiktoken.load import data_gym_to_mergeable_bpe_ranks, load_tiktoken_bpe\n"
    assert importing in source  # it is these that would download
    names: dict[str, Any] = {"load_tiktoken_bpe": lambda address, expected_hash: expected_hash}
    exec(compile(source.replace(importing, ""), spec.origin, "exec"), names)
    declared = names[name]()
    assert isinstance(declared, dict)
    return declared


@BOTH
def test_the_published_file_can_be_rebuilt_to_the_byte(name: str) -> None:
    rebuilt = published_form(shipped_tokens(name))
    assert hashlib.sha256(rebuilt).hexdigest() == VOCABULARIES[name].sha256


@BOTH
def test_pattern_special_tokens_and_hash_are_tiktokens_own(name: str) -> None:
    ours, theirs = VOCABULARIES[name], tiktokens_own(name)
    assert ours.pattern == theirs["pat_str"]
    assert ours.special == theirs["special_tokens"]
    assert ours.sha256 == theirs["mergeable_ranks"]


def test_published_files_under_any_name_become_the_shipped_ones(tmp_path: Path) -> None:
    published, written = tmp_path / "published", tmp_path / "written"
    published.mkdir()
    written.mkdir()
    for number, name in enumerate(VOCABULARIES):
        (published / f"file{number}").write_bytes(published_form(shipped_tokens(name)))
    main(published, to=written)
    for name in VOCABULARIES:
        ours, again = DATA / f"{name}.zlib", written / f"{name}.zlib"
        assert zlib.decompress(again.read_bytes()) == zlib.decompress(ours.read_bytes())


def test_a_directory_without_the_published_files_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "other.tiktoken").write_bytes(b"YQ== 0\n")
    with pytest.raises(SystemExit, match="cl100k_base"):
        main(tmp_path, to=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["other.tiktoken"]


def test_a_published_file_with_a_gap_is_refused() -> None:
    with pytest.raises(ValueError, match="line 2"):
        tokens_of(b"YQ== 0\nYg== 2\n")


def test_a_token_that_holds_the_separator_is_refused() -> None:
    assert packed([b"a", b"\xff"])
    with pytest.raises(ValueError, match="separator"):
        packed([b"a", b"a\xff"])


def test_a_missing_vocabulary_is_said_in_words() -> None:
    with pytest.raises(ChatError, match=r"no_such_base.*Install tui-chat again"):
        read_ranks("no_such_base")
