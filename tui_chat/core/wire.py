"""A request's body, made from a setup and a thread: only what is set, under the endpoint's names; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tui_chat.core.conversation import COUNT_FIELD, LOGPROBS_FIELD, Message, Refusal, Setup
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.params import BY_NAME


def spoken(setup: Setup, thread: Sequence[Message]) -> list[tuple[str, str]]:
    """The (role, content) pairs of a request: the system prompt first, no reasoning, no empty replies."""
    system = [("system", setup.system)] if setup.system else []
    return system + [(message.role, message.content) for message in thread if message.content]


def wire_messages(setup: Setup, thread: Sequence[Message]) -> list[dict[str, str]]:
    """The messages as they are sent."""
    return [{"role": role, "content": content} for role, content in spoken(setup, thread)]


@dataclass(frozen=True, slots=True)
class Begun:
    """The beginning of a reply that a server is to go on with, and how it is told: see Endpoint.continues."""

    text: str
    way: str

    @property
    def message(self) -> dict[str, str]:
        """The last message of the request."""
        return {"role": "assistant", "content": self.text}

    @property
    def fields(self) -> Mapping[str, object]:
        """What the request has besides."""
        if self.way == "continue_final_message":
            return {"continue_final_message": True, "add_generation_prompt": False}
        return {}


def wire_fields(endpoint: Endpoint, setup: Setup) -> tuple[dict[str, object], dict[str, object]]:
    """The parameters that are set: those of the OpenAI API, and extensions to it, under the endpoint's names."""
    standard: dict[str, object] = {}
    extra: dict[str, object] = {}
    for name, value in setup.params.items():
        fields = extra if BY_NAME[name].extension else standard
        as_fields = endpoint.writes.get(name, {}).get(str(value))
        if isinstance(as_fields, Mapping):
            fields.update(as_fields)
        else:
            sent = list(value) if isinstance(value, tuple) else value
            fields[endpoint.rename.get(name, name)] = sent
    return standard, extra


def after_refusals(
    endpoint: Endpoint, setup: Setup, refused: Iterable[Refusal]
) -> tuple[Endpoint, Setup]:
    """The endpoint and the setup as a request is made of them after these refusals."""
    told = tuple(refused)
    renamed = {one.name: one.sent_as for one in told if one.sent_as}
    return replace(endpoint, rename={**endpoint.rename, **renamed}), setup.without(told)


LOGPROBS = (LOGPROBS_FIELD, "top_logprobs")
"""The fields that ask for probabilities; a completion has only the first, for their number."""
LENGTH_OF_CHATS = "max_completion_tokens"
"""OpenAI's newer name for the longest length, which only chats have."""
USAGE: Mapping[str, object] = {COUNT_FIELD: {"include_usage": True}}
"""What makes a server count the tokens of a reply that it streams."""


def logprob_fields(most: int, *, counted: bool = False) -> dict[str, object]:
    """What asks for so many candidates at each place of a chat; `counted` as Endpoint.counted_logprobs."""
    if counted:
        return {LOGPROBS[0]: most} if most else {}
    return dict(zip(LOGPROBS, (True, most), strict=True)) if most else {}


def wire_body(
    endpoint: Endpoint,
    setup: Setup,
    thread: Sequence[Message],
    *,
    usage: bool = True,
    begun: Begun | None = None,
    logprobs: int = 0,
) -> dict[str, object]:
    """The body of the request for a reply, in the order in which it is sent; `usage` unless the server is
    known not to take that field, `logprobs` for so many candidates at each place."""
    standard, extra = wire_fields(endpoint, setup)
    return {
        "model": setup.model,
        "stream": True,
        "messages": [*wire_messages(setup, thread), *([begun.message] if begun else [])],
        **standard,
        **extra,
        **logprob_fields(logprobs, counted=endpoint.counted_logprobs),
        **(USAGE if usage else {}),
        **(begun.fields if begun else {}),
    }


def written(thread: Sequence[Message]) -> str:
    """The text that these messages are together, as a completion continues it."""
    return "".join(message.content for message in thread)


def completion_body(
    endpoint: Endpoint,
    setup: Setup,
    thread: Sequence[Message],
    *,
    usage: bool = True,
    begun: str = "",
    suffix: str = "",
    logprobs: int = 0,
) -> dict[str, object]:
    """As wire_body, for the text that the thread is, and what the reply begins with: there is no chat, and no
    system prompt. The API of completions has one name for the longest length, whatever that of chats is."""
    kept = {name: field for name, field in endpoint.rename.items() if field != LENGTH_OF_CHATS}
    standard, extra = wire_fields(replace(endpoint, rename=kept), setup)
    return {
        "model": setup.model,
        "stream": True,
        "prompt": written(thread) + begun,
        **({"suffix": suffix} if suffix else {}),
        **standard,
        **extra,
        **({LOGPROBS[0]: logprobs} if logprobs else {}),
        **(USAGE if usage else {}),
    }


@dataclass(frozen=True)
class Request:
    """What a reply is asked with: the body of a chat, or of a completion of what was written."""

    setup: Setup
    thread: Sequence[Message]
    begun: str = ""
    """What the reply begins with; only what follows it comes."""
    completes: bool = False
    """Whether the thread is a text to be continued, not a chat."""
    suffix: str = ""
    """What is to follow the completion."""
    logprobs: int = 0
    """How many candidates are asked for at each place."""


def request_body(
    endpoint: Endpoint, request: Request, begun: Begun | None, *, usage: bool = True
) -> dict[str, object]:
    """The body of a chat or of a completion; `begun` for a chat that goes on with a reply."""
    if request.completes:
        return completion_body(
            endpoint,
            request.setup,
            request.thread,
            usage=usage,
            begun=request.begun,
            suffix=request.suffix,
            logprobs=request.logprobs,
        )
    return wire_body(
        endpoint,
        request.setup,
        request.thread,
        usage=usage,
        begun=begun,
        logprobs=request.logprobs,
    )
