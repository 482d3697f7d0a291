"""The parameters that shape what is drawn from, as numbers: each neutral where it is not set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tui_chat.core.params import Params

COLDEST = 1e-5
"""Below this temperature the likeliest token is taken (vLLM's bound; llama.cpp's is 0)."""


@dataclass(frozen=True, slots=True)
class Knobs:
    """The parameters that shape the distribution, each with the value that changes nothing where it is not set."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0

    @classmethod
    def of(cls, params: Params) -> Knobs:
        """As these parameters are set."""
        given: dict[str, Any] = {name: params[name] for name in cls.__slots__ if name in params}
        return cls(**given)

    @property
    def greedy(self) -> bool:
        return self.temperature < COLDEST

    def penalty(self, count: int) -> float:
        """What is taken from the score of a token that was counted so often (OpenAI API reference)."""
        return self.frequency_penalty * count + self.presence_penalty if count > 0 else 0.0


NOT_SHAPED = ("repeat_penalty",)
"""Parameters that act on the scores themselves, which no endpoint tells: what they do cannot be computed."""
TRIED = {"temperature": 0.5, "top_p": 0.5}
"""The parameters by which a model is steered first of all, with values that change something."""
