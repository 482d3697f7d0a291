"""What one model has refused so far, so that it is not asked for the same again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tui_chat.core.conversation import Refusal
from tui_chat.core.wire import LOGPROBS

_NAMES_FOR_LENGTH = ("max_tokens", "max_completion_tokens")


@dataclass
class Learned:
    """What one model refused so far: fields left out, fields renamed, and the words for each."""

    left_out: set[str] = field(default_factory=set)
    renamed: dict[str, str] = field(default_factory=dict)
    told: dict[str, Refusal] = field(default_factory=dict)
    most_logprobs: int = 10**9

    def fewer_logprobs(self, body: Mapping[str, Any], words: str) -> bool:
        """Whether the server's words name a smaller number of candidates, which it may give; then that is
        asked for."""
        asked = max((body[name] for name in LOGPROBS if type(body.get(name)) is int), default=0)
        named = [int(number) for number in re.findall(r"\d{1,6}", words)]
        fewer = max((number for number in named if 0 < number < asked), default=0)
        self.most_logprobs = fewer or self.most_logprobs
        return fewer > 0

    def forget(self, name: str, parameter: str, words: str) -> Refusal:
        """Send this field no more, or under its other name when the server's words want that."""
        other = next((one for one in _NAMES_FOR_LENGTH if one != name), "")
        suggested = re.search(rf"\buse ['\"`]?{other}\b", words, re.IGNORECASE)
        if name in _NAMES_FOR_LENGTH and not self.renamed and suggested:
            self.renamed[name] = other
            told = Refusal(parameter, words, other)
        else:
            self.left_out.update(LOGPROBS if name in LOGPROBS else (name,))
            told = Refusal(parameter, words)
        self.told[told.name] = told
        return told
