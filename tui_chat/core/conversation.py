"""The nouns: Setup, Token, Usage, Message, Conversation; a tree of messages that only grows.

Nothing said is ever rewritten: regenerating or editing adds one more child of the same
parent. Only a reply that is still streaming is replaced by its own longer self.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from tui_chat.core.candidates import Candidate
from tui_chat.core.params import Params
from tui_chat.core.text import one_line

Role = Literal["system", "user", "assistant"]
Status = Literal[
    "streaming", "complete", "length", "stopped", "cut", "filtered", "failed", "interrupted"
]
ROLES: tuple[Role, ...] = get_args(Role)
STATUSES: tuple[Status, ...] = get_args(Status)

COMPLETION = "completion"
"""The way of a reply that is no answer in a chat, but continues a plain text."""
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


SHORTEST_SPAN = 0.1
"""Seconds in which tokens must have arrived for a rate to mean something."""


def new_id() -> str:
    """A random id of 13 characters without look-alikes (64 bits)."""
    return id_of(os.urandom(16))


def id_of(raw: bytes) -> str:
    """The id that these bytes stand for; of 16 bytes on, all 64 bits are used."""
    number = int.from_bytes(raw)
    return "".join(
        _ALPHABET[number // len(_ALPHABET) ** place % len(_ALPHABET)] for place in range(13)
    )


def now() -> int:
    """Milliseconds since the epoch, UTC."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Setup:
    """Everything that decides a reply besides the messages before it."""

    endpoint: str = ""
    """The endpoint's name, as in settings or data; never an address with a key."""
    model: str = ""
    system: str = ""
    params: Params = field(default_factory=Params)

    def without(self, refused: Iterable[Refusal]) -> Setup:
        """The setup without the parameters that were refused, and left out for it."""
        left_out = {one.name for one in refused if not one.sent_as}
        kept = {name: value for name, value in self.params.items() if name not in left_out}
        return replace(self, params=Params(kept))


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of a reply as it arrived; the texts of all tokens add up to the reply."""

    text: str
    logprob: float | None = None
    """Natural logarithm of the probability before sampling; None when the endpoint gave none."""
    top: Sequence[Candidate] = ()
    """The likeliest candidates at this place, likeliest first."""
    reasoning: bool = False
    own: bytes | None = None
    """What the token is made of where that is not its text: a part of a character has the text of the
    characters that it completes, as a rule none."""

    @property
    def raw(self) -> bytes:
        """What the token is made of."""
        return self.text.encode("utf-8", "surrogatepass") if self.own is None else self.own


@dataclass(frozen=True, slots=True)
class Usage:
    """What a reply took: tokens as the server counted them, or our estimate; seconds."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    estimated: bool = False
    """True when the counts are ours, because the server sent none."""
    first_token_seconds: float | None = None
    seconds: float | None = None

    @property
    def tokens_per_second(self) -> float | None:
        """Completion tokens over the time from the first token to the end; None where that is too short
        to measure, as when all of a reply came at once."""
        if not self.completion_tokens or self.seconds is None:
            return None
        span = self.seconds - (self.first_token_seconds or 0)
        return self.completion_tokens / span if span >= SHORTEST_SPAN else None


COUNT_FIELD = "stream_options"
"""The field of a request that makes a server count the tokens of a reply that it streams."""


LOGPROBS_FIELD = "logprobs"
"""The field of a request that makes a server tell probabilities."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A field that the server refused or wanted under another name, in its own words."""

    name: str
    words: str
    sent_as: str = ""
    """The field it was sent as instead; empty when it was left out."""

    @property
    def unasked(self) -> bool:
        """Whether it is of what the program asks for by itself, the count of tokens and their
        probabilities: no loss that a person is told of where they did not ask for them."""
        return self.name in (COUNT_FIELD, LOGPROBS_FIELD)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation; a reply also says how it was made and how it ended."""

    id: str
    parent: str | None
    role: Role
    content: str
    status: Status = "complete"
    reasoning: str = ""
    error: str = ""
    """Why a reply failed or was cut, for people; never part of what a model is sent."""
    setup: Setup | None = None
    """What made a reply; None for what people wrote."""
    usage: Usage = Usage()
    refused: tuple[Refusal, ...] = ()
    finish_reason: str = ""
    request_id: str = ""
    created: int = 0
    """Milliseconds since the epoch, UTC."""
    begun: int = 0
    """How many characters of a reply's content it was given to go on from; 0 for one that began anew."""
    way: str = ""
    """How its server was told to go on, one of endpoints.WAYS; empty for one that answered in a chat, anew."""
    suffix: str = ""
    """What was to follow it in the text that it was put into; only for a completion."""
    logprobs: int = 0
    """How many candidates were asked for at each place; 0 when no probabilities were."""


EDITED = "edited"
"""The finish reason of a reply that a person wrote, in place of one that a model made."""


def said(
    role: Role, content: str, parent: str | None = None, *, setup: Setup | None = None
) -> Message:
    """A new message with a fresh id, made now."""
    return Message(new_id(), parent, role, content, setup=setup, created=now())


def begun(
    parent: str | None,
    setup: Setup,
    content: str = "",
    reasoning: str = "",
    way: str = "",
    suffix: str = "",
    logprobs: int = 0,
) -> Message:
    """A reply of which nothing has arrived yet but what it goes on from, in this way; `setup` is what is
    sent."""
    return Message(
        new_id(),
        parent,
        "assistant",
        content,
        status="streaming",
        reasoning=reasoning,
        setup=setup,
        created=now(),
        begun=len(content),
        way=way,
        suffix=suffix,
        logprobs=logprobs,
    )


State = Literal["kept", "archived", "deleted"]
"""Where a saved conversation is: in use, put aside but found by searches, in the trash."""


@dataclass(frozen=True, slots=True)
class Headline:
    """A saved conversation as lists show it, without its messages."""

    id: str
    title: str
    model: str
    """The model of the last reply; empty when there is none yet."""
    updated: int
    messages: int
    state: State = "kept"
    starred: bool = False
    tags: tuple[str, ...] = ()
    """In the order of the alphabet."""
    deleted: int = 0
    """When it went to the trash, in milliseconds since the epoch; 0 when it is not there."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Which saved conversations a list shows; every condition that is given must hold."""

    states: tuple[State, ...] = ("kept",)
    starred: bool | None = None
    tags: tuple[str, ...] = ()
    """All of these, whatever their case."""
    title: str = ""
    """Words of the title, each anywhere in it, without regard to case and accents."""
    preset: str = ""
    """The preset of its first message, by name; a `*` stands for any letters."""
    after: int | None = None
    """Last added to at or after this time, in milliseconds since the epoch."""
    before: int | None = None
    """Last added to before this time."""


class Conversation:
    """A tree of messages in the order in which they were added, and the leaf being read."""

    def __init__(
        self,
        id: str = "",
        title: str = "",
        messages: Iterable[Message] = (),
        leaf: str | None = None,
        created: int = 0,
        *,
        updated: int = 0,
        archived: bool = False,
        starred: bool = False,
        tags: Iterable[str] = (),
        preset: str = "",
    ) -> None:
        self.id = id or new_id()
        self.title = title
        self.created = created or now()
        self.updated = updated or self.created
        self.archived = archived
        self.starred = starred
        self.tags = tuple(tags)
        self.preset = preset
        self.leaf = leaf
        self._messages: dict[str, Message] = {}
        self._parents: dict[str, str | None] = {}
        self._children: dict[str | None, list[str]] = {}
        for message in messages:
            self.add(message, follow=False)
        if self.leaf not in self._messages:
            self.leaf = next(reversed(self._messages), None)

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def messages(self) -> tuple[Message, ...]:
        return tuple(self._messages.values())

    def has(self, id: str) -> bool:
        """Whether there is a message with this id."""
        return id in self._messages

    def message(self, id: str) -> Message:
        """The message with this id; KeyError when the conversation has none."""
        return self._messages[id]

    def add(self, message: Message, *, follow: bool = True) -> None:
        """Add a message, or replace a streaming reply by its later self; `follow` makes it the leaf.

        A parent that is not there (yet) makes the message a root: what was said is shown, not lost, and
        no tangle of parents makes a loop.
        """
        if message.id not in self._messages:
            parent = message.parent if message.parent in self._messages else None
            self._parents[message.id] = parent
            self._children.setdefault(parent, []).append(message.id)
        self._messages[message.id] = message
        if follow:
            self.leaf = message.id

    def thread(self, leaf: str | None = None) -> tuple[Message, ...]:
        """The path from the first message to this leaf, or to the leaf being read."""
        path: list[Message] = []
        at = self.leaf if leaf is None else leaf
        while at is not None and at in self._messages:
            path.append(self._messages[at])
            at = self._parents[at]
        return tuple(reversed(path))

    def parent(self, id: str) -> str | None:
        """The id of the message that this one follows; None for one that begins."""
        return self._parents[id]

    def children(self, id: str | None) -> tuple[str, ...]:
        """The ids of the messages that follow this one, oldest first; None for those that begin."""
        return tuple(self._children.get(id, ()))

    def branch(self, id: str) -> tuple[str, ...]:
        """The ids of this message and of all below it, parents before their children."""
        found = [id]
        for one in found:
            found += self._children.get(one, ())
        return tuple(found)

    def drop(self, id: str) -> None:
        """Take a message and all below it out. Where the leaf goes with it, what is read next is the
        latest sibling, else the parent."""
        gone = set(self.branch(id))
        parent = self._parents[id]
        self._children[parent].remove(id)
        for one in gone:
            del self._messages[one], self._parents[one]
            self._children.pop(one, None)
        if self.leaf in gone:
            left = self._children[parent]
            self.leaf = self.deepest(left[-1]) if left else parent

    def rebuilt(self, messages: Iterable[Message], leaf: str | None) -> Conversation:
        """The same conversation with these messages, in this order, and this leaf being read."""
        return Conversation(
            self.id,
            self.title,
            messages,
            leaf,
            self.created,
            updated=self.updated,
            archived=self.archived,
            starred=self.starred,
            tags=self.tags,
            preset=self.preset,
        )

    def siblings(self, id: str) -> tuple[str, ...]:
        """The ids of all children of this message's parent, itself among them, oldest first."""
        return tuple(self._children[self._parents[id]])

    def deepest(self, id: str) -> str:
        """The leaf below this message along the latest child of each."""
        leaf = id
        while children := self._children.get(leaf):
            leaf = children[-1]
        return leaf

    @property
    def is_text(self) -> bool:
        """Whether it is no chat, but a text and its continuations."""
        return any(message.way == COMPLETION for message in self._messages.values())

    def latest_setup(self) -> Setup | None:
        """The setup of the last reply on the thread being read."""
        return next((m.setup for m in reversed(self.thread()) if m.setup is not None), None)


def title_from(text: str) -> str:
    """A title made of the first words of the first message."""
    return one_line(text, 60)
