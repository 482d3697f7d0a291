"""What bars cannot show is said: never more than one sentence, and only where it matters."""

from __future__ import annotations

import pytest

from tui_chat.core.caveats import caveat
from tui_chat.core.engines import ENGINES, UNKNOWN, Engine
from tui_chat.core.parameter import Value
from tui_chat.core.params import Params

LLAMA, OLLAMA, OPENAI = ENGINES["llamacpp"], ENGINES["ollama"], ENGINES["openai"]
BOTH: dict[str, Value] = {"temperature": 0.7, "top_p": 0.9}


@pytest.mark.parametrize(
    ("params", "engine", "neutral", "words"),
    [
        ({}, LLAMA, True, ""),
        ({"repeat_penalty": 1.1}, LLAMA, True, "Repeat penalty is not in these bars"),
        ({"repeat_penalty": 1.0}, LLAMA, True, ""),
        ({"presence_penalty": 1.0}, LLAMA, True, ""),
        (BOTH | {"presence_penalty": 1.0}, OLLAMA, False, "Penalties are not in these bars"),
        (BOTH, OPENAI, True, "before or after temperature is not told"),
        (BOTH, UNKNOWN, False, "before or after temperature is not told"),
        ({"temperature": 0.7}, OPENAI, True, ""),
        (BOTH, LLAMA, False, ""),
        ({"temperature": 0.7}, LLAMA, False, "may have a default there"),
    ],
)
def test_what_the_bars_leave_open_is_said(
    params: dict[str, Value], engine: Engine, neutral: bool, words: str
) -> None:
    said = caveat(Params(params), engine, neutral=neutral)
    assert words in said
    assert bool(words) == bool(said)
