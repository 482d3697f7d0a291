"""What a terminal answers, and what the mouse and the window do, is never typed, however it arrives."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual import events

from tests.nightly import times
from tui_chat.widgets import key_parser
from tui_chat.widgets.key_parser import KeyParser

ANSWERS = {
    "what it is": "\x1b[?62;4;22c",
    "which version": "\x1b[>41;354;0c",
    "that it is well": "\x1b[0n",
    "where its cursor is": "\x1b[12;40R",
    "its colours": "\x1b]10;rgb:ffff/ffff/ffff\x1b\\",
    "its colours, in another way": "\x1b]11;rgb:0000/0000/0000\x07",
    "one of its colours": "\x1b]4;1;rgb:cdcd/0000/0000\x1b\\",
    "its clipboard": "\x1b]52;c;cm0gLXJmIH4=\x1b\\",
    "its name": "\x1bP>|XTerm(390)\x1b\\",
    "a setting": "\x1bP1$r0m\x1b\\",
    "a capability": "\x1bP1+r544e=787465726d\x1b\\",
    "which keys it tells": "\x1b[?1u",
    "which modes it knows": "\x1b[?2026;2$y",
    "another mode": "\x1b[?2048;0$y",
    "a mode of ANSI's": "\x1b[4;2$y",
    "its parameters": "\x1b[2;1;1;128;128;1;0x",
    "its title": "\x1b]lrm -rf ~\x1b\\",
    "its icon": "\x1b]Lrm -rf ~\x1b\\",
    "its title, in another way": "\x1b]lrm -rf ~\x07",
    "that a picture is drawn": "\x1b_Gi=1;OK\x1b\\",
    "which one it is": "\x1bP!|7E565445\x1b\\",
    "a checksum": "\x1bP1!~FF00\x1b\\",
    "a picture": "\x1bP1;1;0q~~\x1b\\",
    "whether it is an icon": "\x1b[1t",
    "what it is, in eight bits": "\x9b?62;4c",
    "its colours, in eight bits": "\x9d11;rgb:0000/0000/0000\x9c",
    "its name, in eight bits": "\x90>|XTerm(390)\x9c",
    "its size": "\x1b[4;600;800t",
    "its new size": "\x1b[48;24;80;480;640t",
    "that it is looked at": "\x1b[I",
    "that it is not": "\x1b[O",
    "a click": "\x1b[<0;10;12M",
    "the end of it": "\x1b[<0;10;12m",
    "a wheel that turns": "\x1b[<64;119;39M",
    "the mouse that moves": "\x1b[<35;5;6M",
}
LATE_TOO = [
    name
    for name in ANSWERS
    if name not in ("that it is well", "that it is looked at", "that it is not")
]

END = "\x1b[201~"


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _typed(parser: KeyParser, data: str) -> str:
    """The characters that what was read would type."""
    keys = [event for event in parser.feed(data) if isinstance(event, events.Key)]
    return "".join(event.character or f"<{event.key}>" for event in keys)


@settings(max_examples=times(150, 5000))
@given(
    sent=st.lists(st.sampled_from([*ANSWERS.values(), "a", "é", "7"]), min_size=1, max_size=8),
    cuts=st.lists(st.integers(0, 200), max_size=12),
)
def test_no_answer_is_typed_wherever_the_reads_cut_it(sent: list[str], cuts: list[int]) -> None:
    whole = "".join(sent)
    places = sorted({0, len(whole), *(cut % (len(whole) + 1) for cut in cuts)})
    parser = KeyParser()
    typed = "".join(_typed(parser, whole[start:end]) for start, end in pairwise(places))
    assert typed == "".join(one for one in sent if one in "aé7")


@pytest.mark.parametrize("name", LATE_TOO)
def test_the_rest_of_an_answer_is_not_typed_when_it_comes_late(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(key_parser, "get_time", clock)
    monkeypatch.setattr("textual._parser.get_time", clock)
    answer = ANSWERS[name]
    for cut in range(1, len(answer)):
        parser = KeyParser()
        _typed(parser, answer[:cut])
        clock.now += 0.5
        early = [event for event in parser.tick() if isinstance(event, events.Key)]
        rest = _typed(parser, answer[cut:] + "b")
        assert rest == "b", (answer[:cut], answer[cut:])
        # A lone escape may be a key that was pressed; nothing else is.
        assert len(early) == (answer[:cut] == "\x1b")


def test_escape_is_a_key_after_its_delay_and_not_later(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(key_parser, "get_time", clock)
    monkeypatch.setattr("textual._parser.get_time", clock)
    parser = KeyParser()
    assert _typed(parser, "\x1b") == ""
    assert list(parser.tick()) == []
    clock.now += 0.11
    assert [event.key for event in parser.tick() if isinstance(event, events.Key)] == ["escape"]
    assert _typed(parser, "[? is typed") == "[? is typed"


@pytest.mark.parametrize(
    ("keys", "typed"),
    [
        ("\x1b]ls", "ls"),
        ("\x1bP12 eggs", "12 eggs"),
        ("\x1b_Go on", "Go on"),
        ("\x1b]10;rgb:ff", ""),
        ("\x1b[?62;", ""),
    ],
)
def test_words_that_begin_as_an_answer_are_typed_and_what_was_cut_off_keeps_nothing_back(
    keys: str, typed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(key_parser, "get_time", clock)
    monkeypatch.setattr("textual._parser.get_time", clock)
    parser = KeyParser()
    for key in (keys[:-1], keys[-1]):
        assert _typed(parser, key) == ""
        clock.now += 1.1
    late = [event.character for event in parser.tick() if isinstance(event, events.Key)]
    assert "".join(map(str, late)) == typed
    assert _typed(parser, "b") == "b"


@settings(max_examples=times(100, 2000))
@given(
    pieces=st.lists(
        st.sampled_from(["a", "rm -rf ~\r", END, "\n", "\x03", "\x00", "é", "\x1b["]), max_size=12
    ),
    cuts=st.lists(st.integers(0, 60)),
)
def test_nothing_of_a_paste_is_ever_a_key_even_when_it_holds_the_paste_s_end(
    pieces: list[str], cuts: list[int]
) -> None:
    inside = "".join(pieces)
    whole = f"\x1b[200~{inside}{END}"
    places = sorted({0, len(whole), *(cut % (len(whole) + 1) for cut in cuts)})
    parser = KeyParser()
    found = [event for start, end in pairwise(places) for event in parser.feed(whole[start:end])]
    pasted = "".join(event.text for event in found if isinstance(event, events.Paste))
    assert pasted == inside.replace(END, "").replace("\x00", "")
    assert not [event for event in found if isinstance(event, events.Key)]


def test_what_is_typed_after_a_paste_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(key_parser, "get_time", clock)
    parser = KeyParser()
    assert _typed(parser, f"\x1b[200~pasted{END}ab") == ""
    clock.now += 0.06
    assert (
        "".join(str(event.character) for event in parser.tick() if isinstance(event, events.Key))
        == "ab"
    )
    assert _typed(parser, "c") == "c"
