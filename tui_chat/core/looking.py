"""A look at the next token: one request for one token, of which only the probabilities are taken.

What an endpoint tells differs: all tokens, twenty, five, none, or probabilities that were
shaped already. A Look says in words what it is worth.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from tui_chat.core.candidates import Candidate
from tui_chat.core.chunks import candidates, places
from tui_chat.core.conversation import LOGPROBS_FIELD
from tui_chat.core.engines import USUAL, Sampler
from tui_chat.core.errors import ChatError
from tui_chat.core.heeding import untold
from tui_chat.core.params import at_half_temperature, at_neutral_temperature, for_one_token
from tui_chat.core.places import Place
from tui_chat.core.provider import Provider
from tui_chat.core.text import one_line
from tui_chat.core.wire import Request, wire_messages, written

MOST_AT_FIRST = 200
"""Candidates that are asked for where any number is given: a hundredth of a second."""
_MARK = re.compile(r'"top_logprobs":\s*\[')
_SHARP = 0.2
"""How far apart two logprobs must be for their distance to tell anything."""


@dataclass(frozen=True)
class Look:
    """What an endpoint told of the next token."""

    place: Place | None = None
    """None where it told nothing; `words` says why."""
    sampler: Sampler = USUAL
    words: str = ""
    """What is to be known of it, for people; empty when there is nothing to say."""
    shaped: bool = False
    """Whether these probabilities were shaped by the parameters already, so that no knob can do it again."""
    after_temperature: bool = False
    """Whether what the endpoint tells with a reply is after temperature."""


async def look(provider: Provider, request: Request, *, whole: bool = False) -> Look:
    """What stands next, after this request's thread and beginning; `whole` asks for all tokens where the
    engine tells them, which takes half a second. ChatError when the endpoint cannot be asked.
    """
    engine = await provider.known_engine()
    neutral = replace(request.setup, params=for_one_token(request.setup.params))
    vocabulary = await vocabulary_of(provider, neutral.model)
    most = 20
    if engine.whole_vocabulary:
        most = vocabulary if whole and vocabulary else MOST_AT_FIRST
    # An end of the reply would be told without numbers; it stands among the candidates all the same.
    more = {"ignore_eos": True} if engine.whole_vocabulary or engine.name == "vllm" else {}
    asked = replace(request, setup=neutral, logprobs=most)
    if provider.known_refusal(asked, LOGPROBS_FIELD):
        return Look(None, engine.sampler, _words(provider, asked, _Found()))
    answer = await provider.told(asked, **more)
    found = await asyncio.to_thread(_read, answer)
    after = False
    if not engine.name and found.entries:
        if neutral.model not in provider.after_temperature:
            scaled = await _is_scaled(provider, asked, found)
            provider.after_temperature[neutral.model] = scaled
        after = provider.after_temperature[neutral.model]
    if after:
        plain = replace(neutral, params=at_neutral_temperature(neutral.params))
        found = await asyncio.to_thread(
            _read, await provider.told(replace(asked, setup=plain), **more)
        )
    words = _words(provider, asked, found)
    if not found.entries:
        return Look(None, engine.sampler, words)
    named = await _named(provider, found.entries) if engine.whole_vocabulary else found.entries
    counts = engine.sampler.counts(await prompt_tokens(provider, asked), [])
    place = await asyncio.to_thread(_place, named, vocabulary, counts)
    return Look(place, engine.sampler, words, found.shaped, after)


@dataclass(frozen=True)
class _Entry:
    """A candidate with its number in the vocabulary, -1 where that is not told."""

    candidate: Candidate
    number: int = -1


@dataclass(frozen=True)
class _Found:
    """What an answer holds."""

    entries: Sequence[_Entry] = ()
    listed: bool = False
    """Whether there was a list at all, be it empty."""
    shaped: bool = False
    said: bool = False
    """Whether there was a token at all, told or not."""
    answered: bool = False
    """Whether what came was an answer of this API."""


def _read(answer: bytes) -> _Found:
    """The candidates of the first place of an answer, streamed or not. Blocks: for a thread."""
    found = _Found()
    for event in _events(answer.decode("utf-8", "replace")):
        answered = found.answered or '"choices"' in event
        said = found.said or _says(event)
        found = _of_event(event) or replace(found, said=said, answered=answered)
        if found.entries:
            break
    return found


def _events(text: str) -> Iterator[str]:
    """The JSON of each event of a stream; what is no stream is one."""
    if text.lstrip().startswith("{"):
        yield text
        return
    for line in text.splitlines():
        if line.startswith("data:"):
            yield line[len("data:") :].strip()


def _says(event: str) -> bool:
    """Whether there is text in an event."""
    try:
        choice = json.loads(event)["choices"][0]
        return bool(choice.get("text") or (choice.get("delta") or {}).get("content"))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False


def _of_event(event: str) -> _Found | None:
    if len(event) > 200_000 and (start := _MARK.search(event)) is not None:
        # Bit by bit: in one go it would keep the keyboard waiting for a tenth of a second.
        return _Found(list(_entries(event, start.end())), True)
    try:
        choice = json.loads(event)["choices"][0]
        told = choice.get("logprobs")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    if told is None:
        return None
    return _of_place(choice, told)


def _of_place(choice: Mapping[str, Any], told: object) -> _Found:
    content = told.get("content") if isinstance(told, Mapping) else None
    first = content[0] if isinstance(content, list) and content else None
    if isinstance(first, Mapping) and isinstance(first.get("top_probs"), list):
        shaped = [_shaped(one) for one in first["top_probs"] if isinstance(one, Mapping)]
        return _Found([_entry(one) for one in shaped], True, shaped=True)
    if isinstance(first, Mapping):
        rows = first.get("top_logprobs")
        rows = [one for one in rows if isinstance(one, Mapping)] if isinstance(rows, list) else []
        return _Found([_entry(one) for one in rows if candidates({"top_logprobs": [one]})], True)
    first_place = next(iter(places(choice)), None)
    top = first_place.top if first_place is not None else ()
    return _Found([_Entry(one) for one in top], True)


def _shaped(one: Mapping[str, Any]) -> Mapping[str, Any]:
    chance = one.get("prob")
    known = isinstance(chance, int | float) and 0 < chance <= 1
    return {**one, "logprob": math.log(chance) if known and chance else -9999.0}


def _entries(event: str, at: int) -> Iterator[_Entry]:
    decode = json.JSONDecoder().raw_decode
    try:
        while event[at] != "]":
            if event[at] in ", \n":
                at += 1
                continue
            one, at = decode(event, at)
            yield _entry(one)
    except (ValueError, LookupError):
        return  # Cut off: what was told until then is told.


def _entry(one: Mapping[str, Any]) -> _Entry:
    found = candidates({"top_logprobs": [one]})
    number = one.get("id")
    return _Entry(
        found[0] if found else Candidate(b"", -9999.0), number if type(number) is int else -1
    )


def _place(entries: Sequence[_Entry], vocabulary: int | None, counts: Mapping[bytes, int]) -> Place:
    complete = vocabulary is not None and len(entries) >= vocabulary
    in_order = sorted(entries, key=lambda one: one.number) if complete else entries
    place = Place(
        [one.candidate for one in in_order],
        vocabulary=vocabulary,
        counts=counts,
        in_32_bits=complete,
    )
    place.prepare()
    return place


async def _is_scaled(provider: Provider, asked: Request, found: _Found) -> bool:
    """Whether probabilities change with the temperature: then they are told after it."""
    cold = replace(asked.setup, params=at_half_temperature(asked.setup.params))
    try:
        answer = await provider.told(replace(asked, setup=cold))
    except ChatError:
        return False
    again = {one.candidate.raw: one.candidate.logprob for one in _read(answer).entries}
    both = [one.candidate for one in found.entries if one.candidate.raw in again]
    for one, other in pairwise(both):
        apart = one.logprob - other.logprob
        if apart > _SHARP and math.isfinite(apart):
            colder = again[one.raw] - again[other.raw]
            return colder > 1.2 * apart  # The first may have been told at a default of 0.6.
    return False


async def vocabulary_of(provider: Provider, model: str) -> int | None:
    """How many tokens the model has, where its server's list tells that. ChatError when it cannot be asked."""
    if not provider.engine.whole_vocabulary:
        return None
    if not provider.listed:
        await provider.models()
    sizes = {one.id: one.vocabulary for one in provider.listed}
    return sizes.get(model) or next((size for size in sizes.values() if size), None)


async def _named(provider: Provider, entries: Sequence[_Entry]) -> Sequence[_Entry]:
    """With names for the tokens that are no text, such as <|im_end|>, so that each is another."""
    unnamed = {one.number for one in entries if not one.candidate.raw and one.number >= 0}
    for number in unnamed - provider.special.keys():
        answer = await provider.beside("/detokenize", {"tokens": [number]})
        name = answer.get("content") if isinstance(answer, Mapping) else None
        known = name if isinstance(name, str) and name else f"<token {number}>"
        provider.special[number] = known.encode()
    return [
        replace(one, candidate=one.candidate._replace(raw=provider.special[one.number]))
        if one.number in unnamed
        else one
        for one in entries
    ]


async def prompt_tokens(provider: Provider, asked: Request) -> Sequence[bytes]:
    """The last tokens of a request's prompt, where penalties count them and the server tells them."""
    engine = await provider.known_engine()
    sampler = engine.sampler
    if not sampler.counts_prompt or not engine.whole_vocabulary:
        return []
    if asked.completes:
        text: object = written(asked.thread) + asked.begun
    else:
        messages = wire_messages(asked.setup, asked.thread)
        if asked.begun:
            messages.append({"role": "assistant", "content": asked.begun})
        answer = await provider.beside("/apply-template", {"messages": messages})
        text = answer.get("prompt") if isinstance(answer, Mapping) else None
    if not isinstance(text, str):
        return []
    fields = {"add_special": True, "parse_special": True, "with_pieces": True}
    answer = await provider.beside("/tokenize", {"content": text, **fields})
    rows = answer.get("tokens") if isinstance(answer, Mapping) else None
    pieces = [one.get("piece") for one in rows or () if isinstance(one, Mapping)]
    return [
        bytes(piece) if isinstance(piece, list) else str(piece).encode("utf-8", "replace")
        for piece in pieces[-sampler.window :]
    ]


def _words(provider: Provider, asked: Request, found: _Found) -> str:
    name = one_line(provider.name, 40)
    refusal = provider.known_refusal(asked, LOGPROBS_FIELD)
    if refusal:
        return untold(name, refusal)
    if found.shaped:
        return f"{name} tells probabilities after sampling: no knob can shape them again."
    if found.entries:
        return ""
    if found.listed:
        return f"{name} answers with an empty list of probabilities."
    if found.said or not found.answered:
        return f"{name} tells no probabilities."
    return f"The reply may end here; {name} tells nothing of that."
