"""The last gate: whatever text is to be drawn, and however it is cut into segments, none of it is a control."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.segment import ControlType, Segment
from textual.color import Color

from tests.hostile import HOSTILE, TEXTS
from tests.nightly import times
from tui_chat.widgets.safety import DropControls

GATE = DropControls()
BLACK = Color(0, 0, 0)


@settings(max_examples=times(200, 5000))
@given(texts=st.lists(TEXTS, max_size=6))
def test_no_segment_of_text_holds_a_control(texts: list[str]) -> None:
    passed = GATE.apply([Segment(text) for text in texts], BLACK)
    assert len(passed) == len(texts)
    for before, after in zip(texts, passed, strict=True):
        assert after.text == "".join(one for one in before if one not in HOSTILE)


def test_the_apps_own_sequences_pass() -> None:
    own = [Segment("\x1b[H", None, [(ControlType.HOME,)]), Segment("words 👩‍👩‍👧 é")]
    assert GATE.apply(own, BLACK) == own
