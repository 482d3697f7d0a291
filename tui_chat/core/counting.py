"""How many tokens a text or a request has: by tiktoken, or an estimate where it cannot tell.

Counting never raises, never reaches the network and never costs more than what changed. All of it
blocks (milliseconds; the first count of an encoding 0.1 to 0.3 s), so it belongs on a thread;
several threads may count at once.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from tui_chat.core.errors import ChatError
from tui_chat.core.vocabulary import VOCABULARIES, read_ranks

if TYPE_CHECKING:
    from tiktoken import Encoding

LARGEST = 4_000_000
"""Characters; longer texts are estimated from a sample."""

PIECE = 100_000
"""Characters in one call at most: over 700,000 spaces overflow the stack of tiktoken's regex engine."""

_LONG_LINE = 2_000
"""Characters; longer lines are counted by clause, so that a key in a long paragraph costs only its clause."""

_SAMPLES, _SAMPLE = 16, 8_192
_COMPARED = 16_384
"""Characters that are compared at once."""

_PER_MESSAGE, _PER_NAME, _PER_REQUEST = 3, 1, 3

# Places that no token spans in any of the VOCABULARIES, so that counts of the parts add up exactly. A slash
# may join the punctuation and newlines before it (o200k_base), hence the second class.
_LINE = re.compile(r"(?<=\n)(?=[^\s/])")
_CLAUSE = re.compile(r"(?<=[.,;:!?])(?= )|(?<=[^\W_])(?=[。、，！？])")
_WORD = re.compile(r"(?<=\n)(?=[^\s/])|(?<=\S)(?=[ \t])|(?<=[^\W_])(?=[.,;:!?()。、，！？])")

_NAME = re.compile(r"^(?:ft:)?([^:]+)")
_CL100K = re.compile(r"gpt-3\.5|gpt-35|gpt-4(?:-.*)?$|(?:davinci|babbage)-002$")
_O200K = re.compile(r"(?:chat)?gpt-4o|gpt-4\.[15]")
_MORE_THAN_TEXT = re.compile(r"audio|realtime|search|transcribe|tts|image|vision")

Spoken = tuple[str, str] | tuple[str, str, str]
"""A message as it is sent: (role, content) or (role, content, name)."""

_Part = TypeVar("_Part", bound=Hashable)


def encoding_for(model: str, openai: bool) -> tuple[str, bool]:
    """The encoding that a model's tokens are counted with, and whether its counts are exact.

    `openai` says whether the endpoint is OpenAI's own. Exact are only those of OpenAI's models whose encoding
    and overhead per message are published: GPT-3.5, 4, 4o, 4.1, 4.5 and the base models. All other
    counts are shown with ≈.
    """
    provider, _, last = model.strip().lower().rpartition("/")
    match = _NAME.match(last)
    name = match.group(1) if match else ""
    cl100k = bool(_CL100K.match(name))
    published = (cl100k or bool(_O200K.match(name))) and not _MORE_THAN_TEXT.search(name)
    return "cl100k_base" if cl100k else "o200k_base", published and (openai or provider == "openai")


def load(encoding: str) -> None:
    """Make the first count with this encoding as quick as the others.

    ChatError when its vocabulary is missing or damaged; counts are then estimates.
    """
    loaded = _loaded(encoding)
    if isinstance(loaded, ChatError):
        raise loaded


_LOADING = threading.Lock()


def _loaded(name: str) -> Encoding | ChatError:
    with _LOADING:  # two threads that ask at once wait for one load
        return _load(name)


@cache
def _load(name: str) -> Encoding | ChatError:
    from tiktoken import Encoding

    vocabulary = VOCABULARIES[name]
    try:
        ranks = read_ranks(name)
    except ChatError as error:
        return error
    encoding = Encoding(
        name,
        pat_str=vocabulary.pattern,
        mergeable_ranks=ranks,
        special_tokens=dict(vocabulary.special),
    )
    ranks.clear()  # tiktoken counts with a copy of its own, and ours takes as much memory again
    return encoding


def estimate(text: str) -> int:
    """A guess from characters alone, at once: within a factor of two for prose and code."""
    beyond_ascii = len(text.encode("utf-8", "surrogatepass")) - len(text)
    return (len(text) + 2 * beyond_ascii + 3) // 4


def count_text(text: str, encoding: str) -> int:
    """The tokens of a text, special tokens read as plain text. Never raises for a text.

    `encoding` is a name that encoding_for gives. Exact up to LARGEST characters, but for one or two
    tokens in each PIECE that has no word's end.
    """
    tokenizer = _loaded(encoding)
    if isinstance(tokenizer, ChatError):
        return estimate(text)
    if len(text) <= LARGEST:
        return sum(_count_piece(piece, tokenizer) for piece in _pieces(text))
    step = len(text) // _SAMPLES
    samples = [text[at : at + _SAMPLE] for at in range(0, step * _SAMPLES, step)]
    counted = sum(_count_piece(sample, tokenizer) for sample in samples)
    return round(counted * len(text) / (_SAMPLES * _SAMPLE))


def _pieces(text: str) -> Iterator[str]:
    """The text in pieces of at most PIECE characters, cut where no token is cut if there is such a place."""
    start = 0
    while len(text) - start > PIECE:
        end = start + PIECE
        near = end - _LONG_LINE
        cuts = [match.start() for match in _WORD.finditer(text, near, end)]
        cuts = cuts or [match.start() for match in _WORD.finditer(text, start + 1, near)]
        end = cuts[-1] if cuts else end
        yield text[start:end]
        start = end
    yield text[start:]


def _count_piece(piece: str, tokenizer: Encoding) -> int:
    try:
        return len(tokenizer.encode_ordinary(piece))
    except BaseException as error:
        # A panic in Rust is no Exception, and its class cannot be imported.
        if type(error).__module__ != "pyo3_runtime":
            raise
        return estimate(piece)


def count_messages(messages: Sequence[Spoken], encoding: str) -> int:
    """The tokens of a chat request.

    OpenAI's rule (openai-cookbook, “How to count tokens with tiktoken”): 3 for the request, 3 for
    each message, 1 for a name, and the tokens of role, content and name. Never raises.
    """
    return _PER_REQUEST + sum(_count_message(message, encoding) for message in messages)


def _count_message(message: Spoken, encoding: str) -> int:
    names = _PER_NAME * (len(message) - 2)
    return _PER_MESSAGE + names + sum(count_text(value, encoding) for value in message)


class _Memory(Generic[_Part]):
    """Adds up counts, and counts only those parts that were not there the last time."""

    def __init__(self, count: Callable[[_Part, str], int]) -> None:
        self._count = count
        self._last: tuple[str, dict[_Part, int]] = ("", {})

    def total(self, parts: Iterable[_Part], encoding: str) -> int:
        # Read and replaced as a whole: two threads may overlap here, and the later one wins.
        known, counts = self._last
        before = counts if known == encoding else {}
        now: dict[_Part, int] = {}
        total = 0
        for part in parts:
            tokens = before.get(part)
            if tokens is None and (tokens := now.get(part)) is None:
                tokens = self._count(part, encoding)
            now[part] = tokens
            total += tokens
        self._last = (encoding, now)
        return total


class _Counted(NamedTuple):
    """A text that was counted, and its parts in order: how long each is, whether it begins a line, its tokens."""

    text: str
    encoding: str
    lengths: Sequence[int]
    heads: Sequence[bool]
    tokens: Sequence[int]


class LineCounter:
    """Counts a text that changes a little at a time, such as a draft: only changed lines cost anything, the rest
    is compared as a whole.

    The count is that of the whole text, not a sum of roundings.
    """

    def __init__(self) -> None:
        self._last = _Counted("", "", (), (), ())

    def count(self, text: str, encoding: str) -> int:
        """The tokens of the text as it is now, as count_text counts them. Never raises."""
        if len(text) > LARGEST:
            return count_text(text, encoding)
        # Read and replaced as a whole: two threads may overlap here, and the later one wins.
        last = self._last
        if last.encoding != encoding:
            last = _Counted("", encoding, (), (), ())
        self._last = last = _counted_again(last, text)
        return sum(last.tokens)


def _counted_again(before: _Counted, text: str) -> _Counted:
    """The text counted, with what is known of the lines that it has in common with the one before."""
    old = before.text
    same = _common(old, text, min(len(old), len(text)))
    most = min(len(old), len(text)) - same
    tail = _common(old[::-1], text[::-1], most) if most else 0
    # Whether a line begins somewhere is decided by the characters on both sides of that place.
    starts = [0, *accumulate(before.lengths)]
    first = max(0, bisect_left(starts, same) - 1)
    while first and not before.heads[first]:
        first -= 1
    stop = bisect_right(starts, len(old) - tail)
    while stop < len(before.heads) and not before.heads[stop]:
        stop += 1
    stop = min(stop, len(before.heads))
    known = {
        old[starts[part] : starts[part + 1]]: before.tokens[part] for part in range(first, stop)
    }
    lengths, heads, tokens = [], [], []
    for line in _split(_LINE, text[starts[first] : len(text) - (len(old) - starts[stop])]):
        for place, part in enumerate(_split(_CLAUSE, line) if len(line) > _LONG_LINE else (line,)):
            found = known.get(part)
            if found is None:
                found = known[part] = count_text(part, before.encoding)
            lengths.append(len(part))
            heads.append(not place)
            tokens.append(found)
    return _Counted(
        text,
        before.encoding,
        (*before.lengths[:first], *lengths, *before.lengths[stop:]),
        (*before.heads[:first], *heads, *before.heads[stop:]),
        (*before.tokens[:first], *tokens, *before.tokens[stop:]),
    )


def _split(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    """The text cut at the places that match, looked for piece by piece: other threads wait while a pattern runs."""
    start = 0
    for low in range(0, len(text), PIECE):
        for match in pattern.finditer(text, low, low + PIECE + 1):
            # The first of the next piece is the last of this one.
            if match.start() > start:
                yield text[start : match.start()]
                start = match.start()
    yield text[start:]


def _common(one: str, other: str, most: int) -> int:
    """How many characters both begin with, up to `most`."""
    low, step = 0, _COMPARED
    while low < most and step:
        end = min(low + step, most)
        if one[low:end] == other[low:end]:
            low = end
        else:
            step //= 2
    return low


class GrowingCounter:
    """Counts a text that only grows, such as a reply while it arrives: only its end costs anything."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._settled = 0
        self._tail = ""

    def add(self, text: str) -> int:
        """The tokens of the whole text with this at its end. Never raises."""
        self._tail += text
        cut = _last_cut(self._tail)
        if cut:
            self._settled += count_text(self._tail[:cut], self._encoding)
            self._tail = self._tail[cut:]
        return self._settled + count_text(self._tail, self._encoding)


def _last_cut(text: str) -> int:
    """The last place that no token spans, whatever follows the text; 0 where there is none."""
    cut = _last_place(_LINE, text)
    if not cut and len(text) > _LONG_LINE:
        cut = _last_place(_CLAUSE, text)
    if not cut and len(text) > PIECE:
        return len(text)  # One token more or less is nothing to such a text.
    return cut


def _last_place(pattern: re.Pattern[str], text: str) -> int:
    """The last place between two characters that the pattern finds; 0 where there is none."""
    # In pieces, from the end: a search that finds nothing lets no other thread run until it has read all.
    for end in range(len(text), 0, -PIECE):
        # It looks behind into the piece before, and ahead at one character, which is its own.
        found = pattern.finditer(text, max(0, end - PIECE), end)
        if last := max((match.start() for match in found), default=0):
            return last
    return 0


class ThreadCounter:
    """Counts the same request again and again: only messages that were not in it last time cost anything."""

    def __init__(self) -> None:
        self._messages = _Memory(_count_message)

    def count(self, messages: Sequence[Spoken], encoding: str) -> int:
        """The tokens of the request, as count_messages counts them. Never raises."""
        return _PER_REQUEST + self._messages.total(messages, encoding)
