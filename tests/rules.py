"""Servers that enforce what their makers' documents say: which fields they know, and how they refuse the others.

`Rules` answers in place of a FakeServer's usual answer, with each provider's own error body. They are
written from the documents, not from the program's own table of endpoints, which is tried against them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from tests.fake_server import Answer, Body

ALWAYS = frozenset({"model", "messages", "stream"})
OPENAI = ALWAYS | {
    "stream_options", "temperature", "top_p", "max_tokens", "max_completion_tokens", "stop",
    "frequency_penalty", "presence_penalty", "seed", "logprobs", "top_logprobs", "n", "logit_bias",
    "reasoning_effort", "verbosity",
}  # fmt: skip
"""The fields of OpenAI's own API."""

Check = Callable[[Body], Answer | None]
"""Looks at a body; the refusal, or nothing where there is nothing to refuse."""
Refuse = Callable[[str, object], Answer]
"""The refusal of a field, by its name and the value that was sent."""


@dataclass(frozen=True)
class Rules:
    """What one provider does with a request."""

    knows: Collection[str] | None = None
    """The fields that it takes; None where it lets those that it does not know pass unread."""
    unknown: Refuse | None = None
    """How it refuses a field that it does not know."""
    checks: tuple[Check, ...] = ()
    """What it refuses besides, in this order."""
    answer: Answer = field(default_factory=Answer)

    def __call__(self, body: Body) -> Answer:
        if self.knows is not None and self.unknown is not None:
            for name, value in body.items():
                if name not in self.knows:
                    return self.unknown(name, value)
        return next((found for check in self.checks if (found := check(body))), self.answer)


def refused(message: str, param: str | None = None, code: str | None = None) -> Answer:
    """A refusal as OpenAI words its bodies."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return Answer(status=400, error={"error": error})


def unless(holds: Callable[[Body], bool], refuse: Refuse, *names: str) -> Check:
    """Refuses these fields, one at a time, where the body does not satisfy a condition."""

    def check(body: Body) -> Answer | None:
        found = next((name for name in names if name in body), None)
        return None if found is None or holds(body) else refuse(found, body[found])

    return check


def never(refuse: Refuse, *names: str) -> Check:
    """Refuses these fields, one at a time, whatever their value."""
    return unless(lambda _: False, refuse, *names)


# How each of them words it.


def unsupported_parameter(name: str, _: object) -> Answer:
    """OpenAI, of a model that does not take a field."""
    use = " Use 'max_completion_tokens' instead." if name == "max_tokens" else ""
    message = f"Unsupported parameter: '{name}' is not supported with this model.{use}"
    return refused(message, name, "unsupported_parameter")


def unsupported_value(name: str, value: object) -> Answer:
    """OpenAI, of a value that a model does not take."""
    message = f"Unsupported value: '{name}' does not support {value} with this model."
    return refused(f"{message} Only the default (1) value is supported.", name, "unsupported_value")


def unrecognized(name: str, _: object) -> Answer:
    """OpenAI, of a field that is none of its API's, or not for this model."""
    return refused(f"Unrecognized request argument supplied: {name}")


def cannot_find(name: str, _: object) -> Answer:
    """Gemini: a list."""
    message = f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'
    return Answer(
        status=400, error=[{"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}]
    )  # fmt: skip


def property_unsupported(name: str, _: object) -> Answer:
    """Groq, of a field that it does not know."""
    error = {"message": f"property '{name}' is unsupported", "type": "invalid_request_error"}
    return Answer(status=400, error={"error": error})


def not_with_this_model(name: str, _: object) -> Answer:
    """Groq, of a field that a model does not take."""
    return refused(f"`{name}` is not supported with this model", name)


def extra_forbidden(name: str, value: object) -> Answer:
    """Mistral: a list of places; of a field with parts it names the part."""
    place = ["body", name, *list(value)[:1]] if isinstance(value, Mapping) else ["body", name]
    row = {"type": "extra_forbidden", "loc": place, "msg": "Extra inputs are not permitted", "input": value}  # fmt: skip
    body = {"object": "error", "message": {"detail": [row]}, "type": "invalid_request_error", "param": None, "code": None}  # fmt: skip
    return Answer(status=422, error=body)


def too_great(name: str, value: object) -> Answer:
    """Mistral, of a number."""
    row = {"type": "less_than_equal", "loc": ["body", name], "msg": "Input should be less than or equal to 1.5", "input": value, "ctx": {"le": 1.5}}  # fmt: skip
    body = {"object": "error", "message": {"detail": [row]}, "type": "invalid_request_error", "param": None, "code": None}  # fmt: skip
    return Answer(status=422, error=body)


def in_pythons_words(name: str, value: object) -> Answer:
    """vLLM: a list of errors as Python writes one, in a text."""
    message = f"[{{'type': 'extra_forbidden', 'loc': ('body', '{name}'), 'msg': 'Extra inputs are not permitted', 'input': {value!r}}}]"  # fmt: skip
    body = {"object": "error", "message": message, "type": "BadRequestError", "param": None, "code": 400}  # fmt: skip
    return Answer(status=400, error=body)


def field_and_value(name: str, value: object) -> Answer:
    """Fireworks."""
    message = f"Extra inputs are not permitted, field: '{name}', value: {value!r}"
    error = {"object": "error", "type": "invalid_request_error", "message": message}
    return Answer(status=400, error={"error": error})


def invalid_input(name: str, _: object) -> Answer:
    """Together, of a value of another type."""
    return refused(f"Input validation error: invalid type for '{name}'", name)


def with_humps(name: str, _: object) -> Answer:
    """xAI: a name that nobody sent, and the error is a text."""
    first, *others = name.split("_")
    humped = first + "".join(other.capitalize() for other in others)
    body = {
        "code": "Client specified an invalid argument",
        "error": f"Model grok does not support parameter {humped}.",
    }
    return Answer(status=400, error=body)


def in_backticks(name: str, _: object) -> Answer:
    """DeepSeek."""
    error = {"message": f"This model does not support the parameter `{name}`", "type": "invalid_request_error", "param": None, "code": "invalid_request_error"}  # fmt: skip
    return Answer(status=400, error={"error": error})


def by_anthropic(message: str) -> Answer:
    """Anthropic's OpenAI interface."""
    error = {"code": "invalid_request_error", "message": message, "type": "invalid_request_error"}
    return Answer(status=400, error={"error": error})


def of_upstream(name: str, _: object) -> Answer:
    """A LiteLLM proxy, of what the server behind it does not take."""
    message = f"litellm.UnsupportedParamsError: openai does not support parameters: ['{name}'], for model=m-1. To drop these, set `litellm.drop_params=True`"  # fmt: skip
    error = {"message": message, "type": "None", "param": None, "code": "400"}
    return Answer(status=400, error={"error": error})
