"""A request's body, made from a setup and a thread: only what is set, under the endpoint's names; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tui_chat.core.conversation import COUNT_FIELD, Message, Refusal, Setup
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
    """The parameters that are set: those of the OpenAI API, and the extensions this endpoint takes."""
    standard: dict[str, object] = {}
    extra: dict[str, object] = {}
    for name, value in setup.params.items():
        parameter = BY_NAME[name]
        if endpoint.takes(parameter):
            fields = extra if parameter.extension else standard
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


USAGE: Mapping[str, object] = {COUNT_FIELD: {"include_usage": True}}
"""What makes a server count the tokens of a reply that it streams."""


def wire_body(
    endpoint: Endpoint,
    setup: Setup,
    thread: Sequence[Message],
    *,
    usage: bool = True,
    begun: Begun | None = None,
) -> dict[str, object]:
    """The body of the request for a reply, in the order in which it is sent; `usage` unless the server is
    known not to take that field."""
    standard, extra = wire_fields(endpoint, setup)
    return {
        "model": setup.model,
        "stream": True,
        "messages": [*wire_messages(setup, thread), *([begun.message] if begun else [])],
        **standard,
        **extra,
        **(USAGE if usage else {}),
        **(begun.fields if begun else {}),
    }
