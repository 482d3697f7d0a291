"""What can go wrong between here and a server, each in its own sentence with what can be done about it.

Server words are quoted cleaned and short; a key that stands in them is not repeated. The client
library's exceptions are told apart by name and attributes, so that importing this loads no client.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from tui_chat.core.endpoints import Endpoint
from tui_chat.core.engines import CONTINUE_TEXTS
from tui_chat.core.errors import ChatError
from tui_chat.core.key_store import PLACES
from tui_chat.core.overflow import Overflow
from tui_chat.core.overflow import told as told_overflow
from tui_chat.core.text import clean, one_line
from tui_chat.core.unreachable import AGAIN, by_proxy, kinds_behind, unreachable
from tui_chat.core.waiting import Busy, after, seconds_asked, wants_money

WORDS = 300
"""Characters of a server's own words that are shown."""
BEGINNING = 200
"""Characters of an answer that is none that are shown."""
_READ = 200_000
_PAGE = re.compile(r"<(!doctype|html|head|body)\b", re.I)
_BEFORE_PAGE = {"<!--": "-->", "<?xm": ">"}
"""How what may stand before a page begins, and how it ends."""
_KEY_LIKE = re.compile(r"\b(?:sk|gsk|xai|key)-[A-Za-z0-9_\-]{8,}")


@dataclass(frozen=True)
class Asked:
    """What was asked of whom: what the words of a failure speak of, and what they must not repeat."""

    endpoint: Endpoint
    model: str = ""
    key: str = field(default="", repr=False)
    read_seconds: float = 120
    connect_seconds: float = 5
    source: str = ""
    """Where the key came from, when it is not where the endpoint says."""
    completes: bool = False
    """Whether a text was to be continued, not a chat; explained() sees it itself."""
    sets: bool = False
    """Whether any parameter was set."""

    @property
    def right_place(self) -> str:
        """What is to be asked of a base URL that seems to be wrong."""
        ends = self.endpoint.base_url.rstrip("/").endswith("/v1")
        return "Is the base URL right?" if ends else "Does the base URL end in /v1?"


def redacted(text: str, key: str) -> str:
    """The cleaned text with *** where this key, or something that looks like one, stands."""
    text = clean(text)  # First: what vanishes may stand in a key.
    if len(key) > 3:
        text = text.replace(key, "***")
    return _KEY_LIKE.sub("***", text)


def quoted(text: str, key: str, limit: int = WORDS) -> str:
    """A foreign text as it may be shown, on one line and short; `text` may be cut from a longer one."""
    shown = redacted(text[:_READ], key)
    # The key goes before anything is cut, and where something was: half a key is one too.
    half = next((size for size in range(len(key) - 1, 7, -1) if shown.endswith(key[:size])), 0)
    return one_line(shown[: len(shown) - half], limit)


def server_words(body: object, key: str = "", limit: int = WORDS) -> str:
    """What an error body says, whatever its shape; empty when it says nothing readable."""
    return quoted(_words(body), key, limit)


def _words(body: object, depth: int = 0) -> str:
    if depth > 8:
        return ""
    if isinstance(body, list):
        return next((found for item in body[:5] if (found := _words(item, depth + 1))), "")
    if isinstance(body, str):
        return "" if is_page(body) else _unpacked(body, depth)
    if not isinstance(body, Mapping):
        return ""
    for name in ("message", "error", "detail", "msg", "error_description"):
        if found := _words(body.get(name), depth + 1):
            return found
    return ""


def _unpacked(text: str, depth: int) -> str:
    """A text that is an error body once more, as proxies wrap them; else the text."""
    if text[:1] in "{[" and len(text) < _READ:
        try:
            return _words(json.loads(text), depth + 1) or text
        except (ValueError, RecursionError):
            return text
    return text


def is_page(body: object) -> bool:
    """Whether a body is a web page, such as a proxy's or a login's."""
    start = body[:4_000].lstrip() if isinstance(body, str) else ""
    while end := _BEFORE_PAGE.get(start[:4].lower()):
        start = start.partition(end)[2].lstrip()
    return bool(_PAGE.match(start))


def facts(body: object) -> Mapping[str, object]:
    """The object with code, type and param inside an error body; empty when there is none."""
    if isinstance(body, list):
        body = body[0] if body else None
    if isinstance(body, Mapping):
        inner = body.get("error")
        return inner if isinstance(inner, Mapping) else body
    return {}


def refused_field(body: object, sent: Iterable[str]) -> str | None:
    """Which of the fields that were sent an error body names, if any; none when the thread is too long."""
    if _overflow(body) is not None:
        return None
    names = tuple(sent)
    for place in (facts(body).get("param"), *_places(body)):
        if isinstance(place, str) and (name := place.rpartition(".")[2]) in names:
            return name
    words = _words(body)[:_READ]
    return next((name for name in names if re.search(rf"['\"`]{re.escape(name)}['\"`]", words)), None) or next(
        (name for name in names if re.search(_plain(name), words)), None
    )  # fmt: skip


def _plain(name: str) -> str:
    # One-word names are ordinary words too, so they count only where a field's name would stand.
    before = (
        r"\b" if "_" in name else r"(?:^|(?:parameter|field|argument|value for|support)s?:?\s+)"
    )
    return rf"{before}{re.escape(name)}\b"


def _places(body: object, depth: int = 0) -> Iterator[object]:
    """The fields that FastAPI's validation errors point at, as its servers (vLLM, Mistral) nest them."""
    if depth > 4:
        return
    if isinstance(body, list):
        for item in body[:20]:
            yield from _places(item, depth + 1)
    elif isinstance(body, Mapping):
        where = body.get("loc")
        if isinstance(where, list) and where:
            yield where[-1]
        for name in ("detail", "message", "error"):
            yield from _places(body.get(name), depth + 1)


def _overflow(body: object) -> Overflow | None:
    """How much too long a thread is for its model, where that is what the body says."""
    return told_overflow(facts(body), _words(body)[:_READ])


def explained(error: BaseException, asked: Asked, *, begun: bool = False) -> ChatError:
    """What the client library raised, in words; `begun` when part of the answer had arrived.

    Neither the error nor its cause may be chained to the result: a cause may hold the key.
    """
    if isinstance(error, ChatError):
        words, hint = (redacted(one, asked.key) for one in (error.message, error.hint))
        return ChatError(_stopped(words), hint)
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if isinstance(status := getattr(error, "status_code", None), int):
        headers = getattr(getattr(error, "response", None), "headers", {})
        asked = replace(asked, completes=asked.completes or _asked_for_a_completion(error))
        return from_status(status, getattr(error, "body", None), headers, asked)
    if kinds & {"APITimeoutError", "TimeoutException", "TimeoutError"}:
        return _timed_out(error, asked, begun)
    if kinds & {"APIConnectionError", "HTTPError", "OSError", "ExceptionGroup"}:
        if begun:
            name = asked.endpoint.name
            return ChatError(f"The connection to {name} was lost in the middle of the answer.", AGAIN)  # fmt: skip
        if "LocalProtocolError" in kinds_behind(error):
            return unusable_key(asked.endpoint)
        return unreachable(error, asked.endpoint.base_url)
    if "APIError" in kinds:
        return from_stream(getattr(error, "body", None) or str(error), asked, begun=begun)
    return ChatError(
        f"{asked.endpoint.name} sent something that is not in the API's form.",
        "Is it a server for the OpenAI API?" if not begun else AGAIN,
    )


def _asked_for_a_completion(error: BaseException) -> bool:
    path = str(getattr(getattr(getattr(error, "request", None), "url", None), "path", ""))
    return path.endswith("/completions") and not path.endswith("/chat/completions")


def from_stream(body: object, asked: Asked, *, begun: bool = False) -> ChatError:
    """An error that came with status 200, in the stream or in its place."""
    code = str(facts(body).get("code", ""))
    if not begun and (_overflow(body) is not None or re.fullmatch("[45][0-9][0-9]", code)):
        return from_status(int(code) if code.isdigit() else 400, body, {}, asked)
    said = server_words(body, asked.key) or "nothing more than that there was an error"
    what = "broke off" if begun else "answered with an error"
    return ChatError(_stopped(f"{asked.endpoint.name} {what}: {said}"), AGAIN)


def _stopped(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?", "…")) else sentence + "."


def from_status(status: int, body: object, headers: Mapping[str, str], asked: Asked) -> ChatError:
    """A refusal by status code, in words."""
    headers = {name: redacted(value, asked.key) for name, value in headers.items()}
    sentence, hint = _sentence(status, body, headers, asked)
    said = server_words(body, asked.key)
    if is_page(body):
        words = f"{sentence} It sent a web page instead of an answer."
    else:
        words = _stopped(f"{sentence} It says: {said}") if said else sentence
    seconds = None if _no_money(body) else seconds_asked(status, headers, body)
    if seconds is None or _overflow(body) is not None:
        error = ChatError(words, hint)
    else:
        error = Busy(words, hint, sentence.rstrip("."), seconds)
    error.status = status
    return error


def _sentence(
    status: int, body: object, headers: Mapping[str, str], asked: Asked
) -> tuple[str, str]:
    name = asked.endpoint.name
    if (over := _overflow(body)) is not None:
        what = "text" if asked.completes else "conversation"
        return over.sentence(what), over.hint(what)
    if 300 <= status < 400:
        target = one_line(headers.get("location", ""), 120)
        return (
            f"{name} sends requests on to {target or 'another address'} ({status}); nothing was sent there.",
            "If you trust it, make that the base URL: /endpoint URL or --base-url URL.",
        )
    no_place = status == 404 or (asked.completes and status in (405, 501))
    if no_place or _names_model(status, body, asked):
        return _not_found(status, body, asked)
    if status == 401 or facts(body).get("type") in REFUSED_KEYS:
        return _unauthorized(asked)
    if status == 429:
        return _too_many(body, headers, asked)
    if status >= 500:
        return f"{name} has a fault of its own ({status}).", after(headers) or AGAIN
    if status == 405:
        return f"{name} does not take requests at this address (405).", asked.right_place
    sentence, hint = _PLAIN_SENTENCES.get(status, _PLAIN_SENTENCES[400])
    if hint == _LOOK and not asked.sets:
        hint = "" if _words(body) else "It tells no more."
    return f"{name} {sentence} ({status}).", hint


_LOOK = "Look at the parameters that are set."
_PLAIN_SENTENCES: Mapping[int, tuple[str, str]] = {
    400: ("refused the request", _LOOK),
    402: (
        "wants to be paid first",
        "Look at the account's balance, or choose another: /endpoint or --endpoint.",
    ),
    403: (
        "does not allow this",
        "The key may lack the right for this model, or the region may be blocked.",
    ),
    413: ("finds the request too large", "Shorten the draft, or begin anew."),
    422: ("does not accept a field of the request", _LOOK),
}
REFUSED_KEYS = ("no_db_connection", "authentication_error")
"""The types of errors that mean a key, whatever their status: a LiteLLM proxy's, Anthropic's."""


def _names_model(status: int, body: object, asked: Asked) -> bool:
    """Whether a refusal is of a model that is not there."""
    if str(facts(body).get("code", "")) == "model_not_found":
        return True
    words = _words(body)[:_READ]
    said = status == 404 or re.search(r"\b(?:invalid|unknown|no such) model\b", words, re.I)
    return bool(asked.model and asked.model in words and said)


def _not_found(status: int, body: object, asked: Asked) -> tuple[str, str]:
    if _names_model(status, body, asked):
        return (
            f"{asked.endpoint.name} has no model “{asked.model}” ({status}).",
            "Choose another: /model or --model.",
        )
    at = asked.endpoint.base_url.rstrip("/")
    if asked.completes:
        perhaps = "" if at.endswith("/v1") else " Or does its base URL lack /v1?"
        return (
            f"{asked.endpoint.name} continues no texts: it has no completions ({status}).",
            f"Texts are continued by {CONTINUE_TEXTS}.{perhaps}",
        )
    return (
        f"There is no API at {at} ({status}).",
        f"{asked.right_place} Another: /endpoint URL or --base-url URL.",
    )


def _unauthorized(asked: Asked) -> tuple[str, str]:
    name, source = asked.endpoint.name, asked.source or key_source(asked.endpoint)
    if source and asked.key:
        another = " Give another: /endpoint, F2." if source in PLACES.values() else ""
        hint = f"Is it the right key for this server?{another}"
        return f"{name} refused the key from {source} (401).", hint
    if source:
        hint = f"Give one: /endpoint. Or set it and start again: export {source}=…"
        return f"{name} wants a key, and {source} is not set (401).", hint
    if asked.key:
        return f"{name} refused its key (401).", "Start again."
    hint = "Give one: /endpoint. Or name an environment variable that holds one: --key-env NAME."
    return f"{name} refused a request without a key (401).", hint


def key_source(endpoint: Endpoint) -> str:
    """Where its key comes from, as a failure names it; empty when it has none."""
    if endpoint.key_command:
        return f"the command {one_line(endpoint.key_command[0], 60)}"
    return one_line(endpoint.key_env, 60)


def _too_many(body: object, headers: Mapping[str, str], asked: Asked) -> tuple[str, str]:
    name = asked.endpoint.name
    if _no_money(body):
        return f"The account at {name} has no quota left (429).", "Look at its plan and billing."
    return f"{name} gets too many requests (429).", after(headers) or "Wait a little."


def _no_money(body: object) -> bool:
    about = facts(body)
    return wants_money(about.get("code"), about.get("type"))


def _timed_out(error: BaseException, asked: Asked, begun: bool) -> ChatError:
    if "ConnectTimeout" in kinds_behind(error):
        at = asked.endpoint.base_url
        return by_proxy(at) or ChatError(
            f"{at} did not take the connection in {asked.connect_seconds:g} s.",
            "Is the address right, and is there a network?",
        )
    seconds = f"{asked.read_seconds:g} s"
    if begun:
        return ChatError(f"{asked.endpoint.name} sent nothing more for {seconds}.", AGAIN)
    return ChatError(f"No answer from {asked.endpoint.base_url} in {seconds}.", AGAIN)


def no_client(error: BaseException, endpoint: Endpoint) -> ChatError:
    """Why no client could be made; what was wrong in the environment may hold a password, so it is not shown."""
    if isinstance(error, ImportError):
        return ChatError(
            "The environment names a SOCKS proxy, and socksio is not installed.",
            "Install it, or unset ALL_PROXY.",
        )
    if isinstance(error, OSError):
        return ChatError(
            "The trusted certificates cannot be read.",
            "Does SSL_CERT_FILE name a file that is there?",
        )
    return ChatError(
        f"A proxy's URL, or {one_line(endpoint.base_url, 80)}, is not a URL.",
        "Look at HTTPS_PROXY and ALL_PROXY.",
    )


def unusable_key(endpoint: Endpoint) -> ChatError:
    """A key that no header can carry."""
    return ChatError(
        f"What {key_source(endpoint) or endpoint.name} holds cannot be a key: a key is one word of plain characters.",
        "Look for spaces, quotes or line breaks in it.",
    )


def not_an_api(content_type: str, body: str, asked: Asked) -> ChatError:
    """A 200 that is no answer: a page, another service, an error in disguise. `body` may be its beginning."""
    at, name = asked.endpoint.base_url, asked.endpoint.name
    try:
        parsed = json.loads(body) if body.lstrip()[:1] in ("{", "[") else None
    except (ValueError, RecursionError):
        parsed = None
    if parsed is not None and server_words(parsed):
        return from_stream(parsed, asked)
    if re.match(r'\s*\{.{0,2000}"choices"\s*:', body, re.S):
        return ChatError(f"{name} does not stream its answers, it sends them whole.", "Choose a server that streams: /endpoint or --endpoint.")  # fmt: skip
    kind = one_line(content_type.split(";")[0], 60) or "no content type"
    hint = f"{asked.right_place} Is a login page in between?"
    if is_page(body):
        return ChatError(f"What answers at {at} is a web page ({kind}), not an API answer.", hint)
    start = quoted(body, asked.key, BEGINNING)
    if not start and kind == "text/event-stream":
        return ChatError(f"{name} began to answer and said nothing.", "Try again, or look at the server's log.")  # fmt: skip
    shown = f" It begins: {start}" if start else " It is empty."
    return ChatError(_stopped(f"What answers at {at} is not an API answer ({kind}).{shown}"), hint)
