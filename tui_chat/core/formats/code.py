"""A request as a Python program and as a curl command that run as they are; keys are only named."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence

from tui_chat.core.conversation import Message, Setup
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.wire import wire_fields, wire_messages


def snippets(endpoint: Endpoint, setup: Setup, thread: Sequence[Message]) -> str:
    """Both programs, one under the other."""
    notes = []
    if endpoint.served_here:
        notes.append(
            "# This model answers only while tui-chat runs; another server needs its URL here."
        )
    return "\n".join([*notes, python(endpoint, setup, thread), "", curl(endpoint, setup, thread)])


def _url(endpoint: Endpoint) -> str:
    return endpoint.base_url or "http://127.0.0.1:8080/v1"


def python(endpoint: Endpoint, setup: Setup, thread: Sequence[Message]) -> str:
    """A program for the openai package that prints the reply as it arrives."""
    standard, extra = wire_fields(endpoint, setup)
    arguments: dict[str, object] = {
        "model": setup.model,
        "messages": wire_messages(setup, thread),
        **standard,
    }
    if extra:
        arguments["extra_body"] = extra
    rows = [f"    {name}={value!r}," for name, value in arguments.items()]
    key = f'os.environ["{endpoint.key_env}"]' if endpoint.key_env else '"none"'
    return "\n".join(
        [
            "import os",
            "from openai import OpenAI",
            "",
            f"client = OpenAI(base_url={_url(endpoint)!r}, api_key={key})",
            "stream = client.chat.completions.create(",
            *rows,
            "    stream=True,",
            ")",
            "for chunk in stream:",
            "    if chunk.choices:",
            '        print(chunk.choices[0].delta.content or "", end="", flush=True)',
        ]
    )


def curl(endpoint: Endpoint, setup: Setup, thread: Sequence[Message]) -> str:
    """The same request for a shell."""
    standard, extra = wire_fields(endpoint, setup)
    body: dict[str, object] = {
        "model": setup.model,
        "messages": wire_messages(setup, thread),
        **standard,
        **extra,
        "stream": True,
    }
    lines = [f"curl -N {shlex.quote(_url(endpoint) + '/chat/completions')}"]
    lines.append("  -H 'Content-Type: application/json'")
    if endpoint.key_env:
        lines.append(f'  -H "Authorization: Bearer ${endpoint.key_env}"')
    lines.append(f"  -d {shlex.quote(json.dumps(body, ensure_ascii=False, indent=1))}")
    return " \\\n".join(lines)
