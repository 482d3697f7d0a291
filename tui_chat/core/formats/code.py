"""A request as a Python program and as a curl command that run as they are; keys are only named.

Both send the body that the program itself sends, field by field.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pprint import pformat

from tui_chat.core.endpoints import Endpoint
from tui_chat.core.formats.jsonl import dumped
from tui_chat.core.keys import Named
from tui_chat.core.params import PARAMETERS
from tui_chat.core.wire import LOGPROBS, Begun, Request, request_body

_OWN = {
    "messages",
    "model",
    "stream",
    "stream_options",
    "max_completion_tokens",
    "prompt",
    "suffix",
    *LOGPROBS,
} | {one.name for one in PARAMETERS if not one.extension}
"""The arguments that the openai package knows; any other field goes into its extra_body."""
_CURL = "curl -N "
_OURS = "http://127.0.0.1:8080/v1"
"""Where a model that the program serves is to be served for others."""
_END = "BODY"


def snippets(
    endpoint: Endpoint,
    request: Request,
    key: Named,
    *,
    usage: bool = True,
    begun: Begun | None = None,
    serve: str = "",
) -> str:
    """Both programs, one under the other; `key` as keys.key_named() tells it, `usage` and `begun` as for request_body(). `serve` is the command
    that serves a model of ours, at _OURS; empty for any other."""
    body = request_body(endpoint, request, begun, usage=usage)
    notes = []
    if serve:
        notes += [
            "# tui-chat serves this model to itself alone, at a port and with a key that are new each time.",
            f"# For the code below, llama.cpp's own server serves it at {_OURS}:",
            f"#     {serve}",
        ]
    if key.note:
        notes.append(f"# {key.note}")
    variable = key.variable
    both = (python(endpoint, body, variable), "", curl(endpoint, body, variable))
    return "\n".join([*notes, *both])


def parted(text: str) -> tuple[str, str]:
    """The two programs of snippets(), Python and curl, each under the notes that stand above both."""
    # No line of the first one begins so: what was said is within its quotes.
    python, _, command = text.partition(f"\n\n{_CURL}")
    notes = "".join(row for row in python.splitlines(keepends=True) if row.startswith("#"))
    return python, f"{notes}{_CURL}{command}"


def _url(endpoint: Endpoint) -> str:
    return endpoint.base_url or _OURS


def python(endpoint: Endpoint, body: Mapping[str, object], variable: str) -> str:
    """A program for the openai package that prints the reply as it arrives; the key is in this environment
    variable, empty where a request needs none."""
    arguments = {name: value for name, value in body.items() if name in _OWN}
    extra = {name: value for name, value in body.items() if name not in _OWN}
    if extra:
        arguments["extra_body"] = extra
    rows = [f"    {name}={_literal(value)}," for name, value in arguments.items()]
    key = f'os.environ["{variable}"]' if variable else '"none"'
    given = f"base_url={_url(endpoint)!r}, api_key={key}"
    if endpoint.headers:
        given += f", default_headers={dict(endpoint.headers)!r}"
    text = "text" if "prompt" in body else "delta.content"
    return "\n".join(
        [
            *(["import os", ""] if variable else []),
            "from openai import OpenAI",
            "",
            f"client = OpenAI({given})",
            f"stream = client.{_path(body).replace('/', '.')}.create(",
            *rows,
            ")",
            "for chunk in stream:",
            "    if chunk.choices:",
            f'        print(chunk.choices[0].{text} or "", end="", flush=True)',
        ]
    )


def _path(body: Mapping[str, object]) -> str:
    return "completions" if "prompt" in body else "chat/completions"


def _literal(value: object) -> str:
    """The value as Python, on several rows where that is easier to read."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        rows = "".join(f"        {one!r},\n" for one in value)
        return f"[\n{rows}    ]"
    return pformat(value, width=10_000, sort_dicts=False)


def curl(endpoint: Endpoint, body: Mapping[str, object], variable: str) -> str:
    """The same request for a shell."""
    lines = [f"{_CURL}{shlex.quote(f'{_url(endpoint)}/{_path(body)}')}"]
    lines.append("  -H 'Content-Type: application/json'")
    if variable:
        lines.append(f'  -H "Authorization: Bearer ${variable}"')
    lines += [f"  -H {shlex.quote(f'{name}: {value}')}" for name, value in endpoint.headers.items()]
    # From standard input: an argument must not be longer than 128 KB on Linux. No line of the
    # body can be the word that ends it, since every line has quotes or brackets.
    lines.append(f"  --data-binary @- <<'{_END}'")
    return " \\\n".join(lines) + f"\n{dumped(body, 1)}\n{_END}"
