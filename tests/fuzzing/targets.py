"""What is fuzzed: for each reader of foreign bytes what it takes to begin with, and what must hold of any.

A target takes bytes and returns; whatever it raises was found. What a person must be told is in words
(ChatError, a list of problems), never an exception of another kind, and never holds what controls a terminal.
"""

from __future__ import annotations

import asyncio
import json
import math
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from tests.conformance.replay import DIRECTORY, MARK
from tui_chat.core.chunks import Ending
from tui_chat.core.conversation import Setup, Token, said
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.importing import import_file
from tui_chat.core.learned import Lessons
from tui_chat.core.params import Params
from tui_chat.core.presets import Presets
from tui_chat.core.probabilities import Kept, packed
from tui_chat.core.provider import Provider
from tui_chat.core.settings import load_settings, remember_setting
from tui_chat.core.store import Store
from tui_chat.core.text import HOSTILE, clean
from tui_chat.core.wire import Request

SETUP = Setup("fuzzed", "m-1", "Be short.", Params({"temperature": 0.5}))
REQUEST = Request(SETUP, (said("user", "hi"),), logprobs=5)


@dataclass(frozen=True)
class Target:
    """A reader, and files with which a search begins."""

    run: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]]


def checked(words: object) -> None:
    """AssertionError for text that clean() would have changed."""
    text = str(words)
    assert not HOSTILE.search(text), f"not cleaned: {text!r}"
    assert clean(text) == text


@cache
def scratch() -> Path:
    """A directory for one process, in memory where the system has such a place; left when it ends."""
    shared = Path("/dev/shm")
    place = tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None)
    _HELD.append(place)
    return Path(place.name)


_HELD: list[tempfile.TemporaryDirectory[str]] = []
_LOOP = asyncio.new_event_loop()


# What a server sends


@dataclass
class _Server:
    """What answers each request of the one provider: a status, a kind of content, and the parts of a body."""

    status: int = 200
    kind: str = ""
    parts: Sequence[bytes] = ()


_SERVER = _Server()


@cache
def _client() -> Provider:
    """A provider without a network: making one for each example would take most of the time."""
    import httpx2

    class Body(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            for part in _SERVER.parts:
                yield part

    class Answers(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            headers = {"content-type": _SERVER.kind}
            return httpx2.Response(_SERVER.status, headers=headers, stream=Body())

    provider = Provider(Endpoint("fuzzed", "http://127.0.0.1:9/v1"), None, read_seconds=5)
    _LOOP.run_until_complete(provider.warm())
    assert provider._client is not None
    provider._client._client._transport = Answers()
    return provider


def _answering(status: int, kind: str, parts: Sequence[bytes]) -> Provider:
    """The provider, with nothing learned, whose server answers so from now on."""
    _SERVER.status, _SERVER.kind, _SERVER.parts = status, kind, parts
    provider = _client()
    provider._lessons, provider._counts_refused = Lessons(), None
    return provider


def _split(data: bytes) -> tuple[int, list[bytes]]:
    """The first byte as a choice, the rest in parts: their length is the second byte's."""
    if len(data) < 2:
        return 0, [data]
    size = data[1] % 97 + 1 if data[1] > 64 else 1 << 20
    rest = data[2:]
    return data[0], [rest[start : start + size] for start in range(0, len(rest), size)][:4096]


def _reply(provider: Provider, request: Request) -> None:
    tokens: list[Token] = []
    try:
        ending = _LOOP.run_until_complete(provider.reply(request, tokens.append))
    except ChatError as error:
        checked(error.message)
        checked(error.hint)
    else:
        _check_ending(ending)
    # What was left in the middle is closed by the loop, at its next turn.
    _LOOP.run_until_complete(asyncio.sleep(0))
    for token in tokens:
        checked(token.text)
        assert all(math.isfinite(one.logprob) for one in token.top)
    Kept(packed(tokens))


def _check_ending(ending: Ending) -> None:
    for words in (ending.error, ending.finish_reason, ending.model, ending.request_id):
        checked(words)
    for count in (ending.usage.prompt_tokens, ending.usage.completion_tokens):
        assert count is None or 0 <= count <= 10**12


def stream(data: bytes) -> None:
    """A reply as events, in parts that end anywhere."""
    choice, parts = _split(data)
    provider = _answering(200, "text/event-stream", parts)
    _reply(provider, replace(REQUEST, completes=bool(choice & 1)))


def refusal(data: bytes) -> None:
    """The body of an answer with an error status, or of one that is no stream."""
    choice, parts = _split(data)
    status = (400, 401, 404, 413, 422, 429, 500, 503, 200)[choice % 9]
    kind = "text/html" if choice & 16 else "application/json"
    _reply(_answering(status, kind, parts), REQUEST)


def models(data: bytes) -> None:
    """A server's list of models."""
    _, parts = _split(data)
    provider = _answering(200, "application/json", parts)
    try:
        served = _LOOP.run_until_complete(provider.models())
    except ChatError as error:
        checked(error)
    else:
        for one in served:
            checked(one.id)


# Files


def settings(data: bytes) -> None:
    """settings.toml: read, and changed by the program where it is sound, else left as it is."""
    path = scratch() / "settings.toml"
    path.write_bytes(data)
    found = load_settings(path)
    for problem in found.problems:
        checked(problem)
    for one in found.endpoints:
        checked(one.name)
    checked(found.theme)
    try:
        remember_setting(path, "theme", "nord")
    except ChatError as error:
        checked(error)
        assert path.read_bytes() == data
    else:
        changed = load_settings(path)
        assert changed.theme == "nord"
        assert (changed.endpoints, changed.keys) == (found.endpoints, found.keys)


def preset(data: bytes) -> None:
    """A preset's file: read, and saved over."""
    directory = scratch() / "presets"
    directory.mkdir(exist_ok=True)
    path = directory / "p.toml"
    path.write_bytes(data)
    presets = Presets(directory)
    (found,) = [one for one in presets.all() if one.name == "p"]
    checked(found.problem)
    checked(found.about)
    setup = found.applied_to(SETUP)
    checked(setup.system.replace("\r", ""))
    try:
        presets.save("p", SETUP)
    except ChatError as error:
        checked(error)
        assert path.read_bytes() == data
    else:
        assert presets.named("p").applied_to(Setup("e", "m")) == SETUP


def learned(data: bytes) -> None:
    """What models refused, as the cache has it."""
    path = scratch() / "learned.json"
    path.write_bytes(data)
    lessons = Lessons(path)
    lessons.load()


def conversations(data: bytes) -> None:
    """A file to import, of any format that is known."""
    place = scratch() / "import"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    path = place / "given"
    path.write_bytes(data)
    _LOOP.run_until_complete(_import(place, path))


async def _import(place: Path, path: Path) -> None:
    store = await Store.open(place / "conversations.db")
    try:
        report = await import_file(
            store, path, place / "scratch", skip_unreadable=True, progress=lambda progress: None
        )
    except ChatError as error:
        checked(error)
    else:
        checked(report.words)
        for one in report.unreadable:
            checked(one.words)
        async for conversation in store.conversations():
            checked(conversation.title)
            for message in conversation.messages:
                checked(message.content)
    finally:
        await store.close()


# To begin with


def _answers() -> list[bytes]:
    bodies = []
    for path in sorted(DIRECTORY.glob("*.http")):
        for answer in path.read_bytes().split(MARK)[1:]:
            _, _, body = answer.replace(b"\r\n", b"\n").partition(b"\n\n")
            bodies.append(b"\0\0" + body)
    return bodies


def _streams() -> list[bytes]:
    return [body for body in _answers() if b"data:" in body[:200]]


def _bodies() -> list[bytes]:
    return [body for body in _answers() if b"data:" not in body[:200]]


def _models() -> list[bytes]:
    own = {
        "data": [
            {"id": "a", "owned_by": "x", "context_length": 8192, "pricing": {"prompt": "1e-6"}}
        ]
    }
    return [b"\0\0" + json.dumps(own).encode(), *(body for body in _bodies() if b'"data"' in body)]


SETTINGS = b"""endpoint = "here"
theme = "nord"
strict = true
[keys]
"app.saved" = "f3,ctrl+o"
[endpoints.here]
base_url = "http://127.0.0.1:8080/v1"
key_env = "K"
rename = { max_tokens = "max_completion_tokens" }
headers = { "X-A" = "b" }
[prices]
"here/m" = { input = 1.0, output = 2.0 }
"""
PRESET = b"""about = "For the course"
endpoint = "built-in"
model = "m"
system = "Be \xc3\xa3 short."
[parameters]
temperature = 0.7
stop = ["11", "\\n"]
max_tokens = 64
"""
LEARNED = (
    b'[{"base_url": "http://a/v1", "model": "m", "completes": false, "when": 4e9, "left_out": ["seed"],'
    b' "renamed": {"max_tokens": "max_completion_tokens"}, "told": [{"name": "seed", "words": "no", "sent": 1}],'
    b' "most_logprobs": 5, "as_switch": true, "values": {"temperature": ["1"]}}]'
)
IMPORTS = (
    b'{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes"}]}\n',
    b'[{"title": "t", "mapping": {"a": {"id": "a", "parent": null, "children": [], "message": {"id": "a",'
    b' "author": {"role": "user"}, "content": {"content_type": "text", "parts": ["hi"]}}}}}]',
    b'{"conversations": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "yes"}]}\n',
)

TARGETS: Mapping[str, Target] = {
    "stream": Target(stream, _streams),
    "refusal": Target(refusal, _bodies),
    "models": Target(models, _models),
    "settings": Target(settings, lambda: [SETTINGS]),
    "preset": Target(preset, lambda: [PRESET]),
    "learned": Target(learned, lambda: [LEARNED]),
    "conversations": Target(conversations, lambda: IMPORTS),
}
