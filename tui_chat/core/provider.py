"""Server ⇄ tokens: one client for one endpoint; the only importer of openai.

Only what a person set is sent. What has arrived is kept however the stream ends; nothing is sent
twice but for a field that the server refused, and that is told.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tui_chat.core import failures
from tui_chat.core.chunks import Ending, Reader
from tui_chat.core.conversation import Message, Refusal, Setup, Token
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.keys import Secret
from tui_chat.core.params import PARAMETERS
from tui_chat.core.text import one_line
from tui_chat.core.wire import wire_fields, wire_messages

if TYPE_CHECKING:
    from openai import AsyncOpenAI

CONNECT_SECONDS = 5
READ_SECONDS = 120
LOCAL_READ_SECONDS = 600
"""A machine without a fast card may read a long prompt for minutes."""
MOST_REPEATS = 6
_NAMES_FOR_LENGTH = ("max_tokens", "max_completion_tokens")


@dataclass(frozen=True)
class ServedModel:
    """A model in a server's list; `context` in tokens, None when the list does not say."""

    id: str
    context: int | None = None


class Provider:
    """The client for one endpoint. Cheap to make: openai is imported at the first use, or by warm()."""

    def __init__(self, endpoint: Endpoint, key: Secret | None) -> None:
        self._endpoint = endpoint
        self._key = key
        self._client: AsyncOpenAI | None = None
        self._refused: dict[str, dict[str, Refusal]] = {}
        self._renamed: dict[str, dict[str, str]] = {}
        self._without_usage = False

    async def warm(self) -> None:
        """Import the client library on a thread, so that the first question does not wait for it."""
        if self._client is None:
            self._client = await asyncio.to_thread(_client, self._endpoint, self._key)

    async def _made(self) -> AsyncOpenAI:
        await self.warm()
        assert self._client is not None
        return self._client

    @property
    def _secret(self) -> str:
        return self._key.reveal() if self._key else ""

    async def reply(
        self,
        setup: Setup,
        thread: Sequence[Message],
        sink: Callable[[Token], None],
        *,
        logprobs: int = 0,
        notice: Callable[[Refusal], None] | None = None,
    ) -> Ending:
        """Stream the answer to a thread into the sink.

        ChatError when no reply came. Cancelling closes the connection at once, which frees the
        server. `logprobs` asks for that many candidates at each place, 0 for none.
        """
        client = await self._made()
        for _ in range(MOST_REPEATS + 1):
            body = self._body(setup, thread, logprobs)
            try:
                return await self._streamed(client, setup, body, sink)
            except _StatusError as refusal:
                if not self._learned(setup.model, body, refusal, notice):
                    raise self._failure(refusal, setup.model) from None
        raise ChatError(
            f"{self._endpoint.name} refused one parameter after another.", "Set fewer of them."
        )

    def _body(self, setup: Setup, thread: Sequence[Message], logprobs: int) -> dict[str, Any]:
        standard, extra = wire_fields(self._endpoint, setup)
        renamed = self._renamed.get(setup.model, {})
        left_out = {
            self._wire_name(name, setup.model) for name in self._refused.get(setup.model, {})
        }
        fields = {renamed.get(name, name): value for name, value in (standard | extra).items()}
        body: dict[str, Any] = {
            name: value for name, value in fields.items() if name not in left_out
        }
        if logprobs:
            body |= {"logprobs": True, "top_logprobs": logprobs}
        if not self._without_usage:
            body["stream_options"] = {"include_usage": True}
        return body | {
            "model": setup.model,
            "messages": wire_messages(setup, thread),
            "stream": True,
        }

    def _wire_name(self, name: str, model: str) -> str:
        own = self._endpoint.rename.get(name, name)
        return self._renamed.get(model, {}).get(own, own)

    def _learned(
        self,
        model: str,
        body: Mapping[str, Any],
        refusal: _StatusError,
        notice: Callable[[Refusal], None] | None,
    ) -> bool:
        """Whether the refusal names a field that can be renamed or left out; then it is, from now on."""
        if refusal.status not in (400, 422):
            return False
        if "stream_options" in body and failures.refused_field(refusal.body, ["stream_options"]):
            self._without_usage = True
            return True
        names = {self._wire_name(one.name, model): one.name for one in PARAMETERS}
        field = failures.refused_field(refusal.body, [name for name in names if name in body])
        if field is None:
            return False
        words = failures.server_words(refusal.body, self._secret)
        other = next((one for one in _NAMES_FOR_LENGTH if one != field), "")
        renamed = self._renamed.setdefault(model, {})
        if field in _NAMES_FOR_LENGTH and field not in renamed.values() and other in words:
            renamed[field] = other
            return True
        told = Refusal(names[field], words)
        self._refused.setdefault(model, {})[told.name] = told
        if notice is not None:
            notice(told)
        return True

    async def _streamed(
        self, client: AsyncOpenAI, setup: Setup, body: dict[str, Any], sink: Callable[[Token], None]
    ) -> Ending:
        import openai

        reader = Reader(sink)
        response = None
        try:
            response = await client.chat.completions.with_raw_response.create(
                model=setup.model,
                messages=body["messages"],
                stream=True,
                extra_body={
                    name: value
                    for name, value in body.items()
                    if name not in ("model", "messages", "stream")
                },
            )
            kind = response.headers.get("content-type", "")
            if "json" in kind or "html" in kind:
                raise failures.not_an_api(
                    kind, await _beginning(response.http_response), self._endpoint, self._secret
                )
            async for chunk in response.parse():
                reader.take(chunk)
            if not reader.chunks:
                raise failures.not_an_api(kind, "", self._endpoint, self._secret)
        except openai.APITimeoutError as error:
            reader.broke(self._slow(error))
        except openai.APIStatusError as error:
            raise _StatusError(error.status_code, error.body, error.response.headers) from None
        except openai.APIConnectionError as error:
            # The cause of a malformed key holds the key, so it is read and dropped.
            reader.broke(failures.unreachable(error.__cause__, self._endpoint))
        except openai.APIError as error:
            said = failures.server_words(error.body, self._secret) or one_line(str(error))
            reader.broke(
                ChatError(f"{self._endpoint.name} broke off: {said}", "Try again with F5.")
            )
        except ValueError:
            reader.broke(
                ChatError(
                    f"{self._endpoint.name} sent something that is not the API's form.",
                    "Try again with F5.",
                )
            )
        except OSError as error:
            reader.broke(failures.unreachable(error, self._endpoint))
        finally:
            if response is not None:
                await response.http_response.aclose()
        refused = tuple(self._refused.get(setup.model, {}).values())
        request_id = response.headers.get("x-request-id", "") if response is not None else ""
        sent = tuple(one for one in refused if one.name in setup.params)
        return replace(reader.ending(), refused=sent, request_id=one_line(request_id, 100))

    def _slow(self, error: BaseException) -> ChatError:
        connecting = "connect" in type(error.__cause__).__name__.lower()
        seconds = CONNECT_SECONDS if connecting else _read_seconds(self._endpoint)
        return failures.timed_out(self._endpoint, seconds, connecting=connecting)

    def _failure(self, refusal: _StatusError, model: str) -> ChatError:
        return failures.from_status(
            refusal.status, refusal.body, refusal.headers, self._endpoint, model, self._secret
        )

    async def models(self) -> tuple[ServedModel, ...]:
        """The models that the endpoint lists, in its order. ChatError when it cannot be asked."""
        body = await self._asked("get", "/models", None)
        if isinstance(body, str):
            raise failures.not_an_api("", body, self._endpoint, self._secret)
        rows = body.get("data") if isinstance(body, Mapping) else body
        if not isinstance(rows, list):
            raise failures.not_an_api("", "", self._endpoint, self._secret)
        found: dict[str, ServedModel] = {}
        for row in rows:
            if isinstance(row, Mapping) and isinstance(row.get("id"), str):
                name = one_line(row["id"])
                found.setdefault(name, ServedModel(name, _context(row)))
        return tuple(found.values())

    async def count(self, setup: Setup, thread: Sequence[Message]) -> int | None:
        """The endpoint's own count of a request's tokens; None where it offers none or fails."""
        if not self._endpoint.counts_tokens:
            return None
        body = {"model": setup.model, "messages": wire_messages(setup, thread)}
        try:
            answer = await self._asked("post", "/chat/completions/input_tokens", body)
        except ChatError:
            return None
        tokens = answer.get("input_tokens") if isinstance(answer, Mapping) else None
        return tokens if isinstance(tokens, int) else None

    async def _asked(self, method: str, path: str, body: object) -> Any:
        import openai

        client = await self._made()
        try:
            if method == "get":
                return await client.get(path, cast_to=object)
            return await client.post(path, cast_to=object, body=body)
        except openai.APITimeoutError as error:
            raise self._slow(error) from None
        except openai.APIStatusError as error:
            refusal = _StatusError(error.status_code, error.body, error.response.headers)
            raise self._failure(refusal, "") from None
        except openai.APIConnectionError as error:
            raise failures.unreachable(error.__cause__, self._endpoint) from None
        except (openai.APIError, ValueError):
            raise failures.not_an_api("", "", self._endpoint, self._secret) from None

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            with suppress(OSError):
                await self._client.close()
            self._client = None


class _StatusError(Exception):
    """A refusal by status code, as the server put it."""

    def __init__(self, status: int, body: object, headers: Mapping[str, str]) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = headers


def _client(endpoint: Endpoint, key: Secret | None) -> AsyncOpenAI:
    # Its debug log goes to standard error, where the screen is drawn, and holds the prompt.
    os.environ.pop("OPENAI_LOG", None)
    import httpx2
    from openai import AsyncOpenAI, omit

    # A proxy is for other machines, never for this one; a redirect would carry the prompt elsewhere.
    http = httpx2.AsyncClient(
        follow_redirects=False,
        trust_env=not endpoint.local,
        timeout=httpx2.Timeout(
            _read_seconds(endpoint), connect=CONNECT_SECONDS, pool=CONNECT_SECONDS
        ),
        limits=httpx2.Limits(max_connections=100, max_keepalive_connections=8),
    )
    # What the library would tell every server about OpenAI's account and about this machine.
    headers = ("OpenAI-Organization", "OpenAI-Project", *(f"X-Stainless-{name}" for name in _TOLD))
    private: dict[str, Any] = dict.fromkeys(headers, omit)
    client = AsyncOpenAI(
        api_key=key.reveal() if key else "none",
        base_url=endpoint.base_url,
        max_retries=0,
        http_client=http,
        timeout=http.timeout,
        default_headers=private,
    )
    _ = client.chat.completions  # Imported at first use, which would be on the event loop.
    return client


_TOLD = (
    "Lang", "Package-Version", "OS", "Arch", "Runtime", "Runtime-Version", "Async",
    "Retry-Count", "Read-Timeout", "Helper-Method", "Raw-Response",
)  # fmt: skip


def _read_seconds(endpoint: Endpoint) -> int:
    return LOCAL_READ_SECONDS if endpoint.local else READ_SECONDS


async def _beginning(response: Any) -> str:
    """The first part of a body that is no stream."""
    parts: list[bytes] = []
    async for part in response.aiter_bytes():
        parts.append(part)
        if sum(map(len, parts)) > 4_000:
            break
    return b"".join(parts).decode("utf-8", "replace")


def _context(row: Mapping[str, Any]) -> int | None:
    """The context window as llama.cpp, vLLM and others put it into their lists."""
    meta = row.get("meta")
    places = (meta.get("n_ctx") if isinstance(meta, Mapping) else None,)
    for value in (
        *places,
        *(row.get(name) for name in ("max_model_len", "context_length", "context_window")),
    ):
        if isinstance(value, int) and value > 0:
            return value
    return None
