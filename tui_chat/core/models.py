"""Which model of an endpoint to begin with, in which order to offer them, and when one is shut down."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache

from tui_chat.core.endpoint_tables import DATA
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.heeding import heed
from tui_chat.core.knobs import TRIED
from tui_chat.core.rules import matches
from tui_chat.core.served import ServedModel

_NO_CHATS = re.compile(
    r"(?<![a-z])(embed|embeddings?|bge|e5|ada-002|aqa|rerank|reranker|clip"
    r"|whisper|tts|asr|stt|audio|speech|voice|transcribe|transcription|orpheus|playai|lyria"
    r"|images?|imagen|dall-e|flux|sdxl|stable-diffusion|sora|video|veo|ocr"
    r"|moderation|guard|guardian|safeguard|realtime|live|computer-use|codex|deep-research"
    r"|turbo-instruct|davinci|babbage)(?![a-z])"
)
_UNSTABLE = re.compile(r"preview|experimental|beta|alpha|nightly|\bexp\b")


def chats(model: ServedModel) -> bool:
    """Whether a model answers in words: as its list says, else by its name."""
    return model.chats if model.chats is not None else not _NO_CHATS.search(model.id.lower())


def default_model(endpoint: Endpoint, served: Sequence[ServedModel], today: date) -> str:
    """The model to begin with, of those that the endpoint lists; empty where it lists none.

    One that answers in words, is not shut down and heeds the sampling parameters, if there is one;
    among those the endpoint's favourites in their order. Reads a file at the first call.
    """
    alive = [one for one in served if not past(shutdown(endpoint, one), today)]
    for group in ([one for one in alive if chats(one)], alive, served):
        for pool in ([one for one in group if _steered(endpoint, one)], group):
            if pool:
                return _favourite(endpoint, pool) or pool[0].id
    return ""


def _favourite(endpoint: Endpoint, group: Iterable[ServedModel]) -> str:
    """The first that a pattern of the endpoint's fits; of several the one with the shortest name, which
    has no day or trial in it."""
    names = [one.id for one in group]
    for pattern in endpoint.prefers:
        fitting = [name for name in names if matches(pattern, name)]
        if fitting:
            return min(fitting, key=lambda name: (bool(_UNSTABLE.search(name)), len(name)))
    return ""


def _steered(endpoint: Endpoint, model: ServedModel) -> bool:
    """Whether it heeds the sampling parameters, each set by itself to what changes something."""
    for name, value in TRIED.items():
        found = heed(endpoint, model.id, name, {name: value}, model.takes)
        if found is not None and found.kind != "capped":
            return False
    return True


# When one is shut down


def shutdown(endpoint: Endpoint, model: ServedModel) -> str:
    """The day on which it is, or was, shut down: as the server says, else as is known; else empty.

    Reads a file at the first call.
    """
    if model.shutdown or not endpoint.openai:
        return model.shutdown
    return _known_shutdowns().get(model.id, "")


def past(day: str, today: date) -> bool:
    """Whether this day, as it is written, has come."""
    return bool(day) and day <= today.isoformat()


@cache
def _known_shutdowns() -> dict[str, str]:
    table = json.loads((DATA / "shutdowns.json").read_text("utf-8"))["openai"]
    return {name: day for day, names in table.items() for name in names}


# The order in which they are offered


def offered(
    served: Iterable[ServedModel], last: Sequence[str], present: str
) -> tuple[ServedModel, ...]:
    """All models, those that were used last first; the present one is among them, listed or not."""
    by_id = {one.id: one for one in served}
    first = [*last, present] if present not in last else last
    top = {
        name: by_id.get(name) or ServedModel(name)
        for name in first
        if name and (name in by_id or name == present)
    }
    return (*top.values(), *(one for name, one in by_id.items() if name not in top))


def begun_with(
    endpoint: Endpoint,
    served: Sequence[ServedModel],
    last: Sequence[str],
    today: date,
) -> str:
    """The model that choosing an endpoint begins with: the one used last, where the server still lists it
    or its list is not known; else the endpoint's own, else of its list; empty while that is not known."""
    listed = {one.id for one in served}
    for name in last:
        if not listed or endpoint.catalogue or name in listed:
            return name
    if endpoint.model and (not listed or endpoint.model in listed):
        return endpoint.model
    return default_model(endpoint, served, today) or endpoint.model
