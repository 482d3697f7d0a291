"""The beginning of a reply with another token at one place; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tui_chat.core.candidates import Candidate
from tui_chat.core.conversation import Token
from tui_chat.core.talk import Road

_SPECIAL = re.compile(rb"<\|.*\|>|</?s>|<(?:bos|eos|pad|start_of_turn|end_of_turn)>|\[/?INST\]")


def road(tokens: Sequence[Token], place: int, candidate: Candidate) -> Road | None:
    """The reply up to this place, with the candidate there; None where that is no text: with a part of a
    character, or with a token that ends the reply."""
    before = tokens[:place]
    if _ends(candidate.raw):
        return None
    try:
        text = (b"".join(token.raw for token in before) + candidate.raw).decode()
    except UnicodeDecodeError:
        return None
    so_far = "".join(token.text for token in before)
    if not text.startswith(so_far):
        return None
    new = text[len(so_far) :]
    own = None if new.encode() == candidate.raw else candidate.raw
    return Road((*before, Token(new, candidate.logprob, tokens[place].top, own=own)))


def _ends(raw: bytes) -> bool:
    """Whether it is a token without text of its own, as chat templates have them: <|im_end|>, </s>."""
    return not raw or _SPECIAL.fullmatch(raw) is not None
