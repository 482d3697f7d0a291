"""What can go wrong between here and a server, each in its own sentence with what can be done about it.

Server words are quoted cleaned and short; a key that stands in them is not repeated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.text import one_line

WORDS = 300
"""Characters of a server's own words that are shown."""
_HTML = re.compile(r"\s*<(!doctype|html|head|body)\b", re.IGNORECASE)
_KEY_LIKE = re.compile(r"\b(?:sk|gsk|xai|key)-[A-Za-z0-9_\-]{8,}")
_OVER = re.compile(r"maximum context length is (\d+) tokens.*?(\d+) tokens", re.DOTALL)


def server_words(body: object, key: str = "") -> str:
    """What an error body says, whatever its shape; empty when it says nothing readable."""
    words = one_line(_words(body), WORDS)
    if key and len(key) > 3:
        words = words.replace(key, "***")
    return _KEY_LIKE.sub("***", words)


def _words(body: object) -> str:
    if isinstance(body, list):
        return next((found for item in body[:5] if (found := _words(item))), "")
    if isinstance(body, str):
        return "" if _HTML.match(body) else body
    if not isinstance(body, Mapping):
        return ""
    for name in ("message", "error", "detail", "msg", "error_description"):
        if found := _words(body.get(name)):
            return found
    return ""


def is_page(body: object) -> bool:
    """Whether a body is a web page, such as a proxy's or a login's."""
    return isinstance(body, str) and bool(_HTML.match(body))


def facts(body: object) -> Mapping[str, object]:
    """The object with code, type and param inside an error body; empty when there is none."""
    if isinstance(body, list):
        body = body[0] if body else None
    if isinstance(body, Mapping):
        inner = body.get("error")
        return inner if isinstance(inner, Mapping) else body
    return {}


def refused_field(body: object, sent: Iterable[str]) -> str | None:
    """Which of the fields that were sent an error body names, if any."""
    param = facts(body).get("param")
    words = _words(body)
    for name in sent:
        if param == name:
            return name
        quoted = re.search(rf"['\"`]{re.escape(name)}['\"`]", words)
        # One-word names are ordinary words too, so they count only in quotes or at the start.
        plain = r"\b" if "_" in name else r"^"
        if quoted or re.search(rf"{plain}{re.escape(name)}\b", words):
            return name
    return None


def from_status(
    status: int, body: object, headers: Mapping[str, str], endpoint: Endpoint, model: str, key: str
) -> ChatError:
    """A refusal by status code, in words."""
    said = server_words(body, key)
    quoted = f" It says: {said}" if said else ""
    if is_page(body):
        quoted = " It sent a web page instead of an answer."
    sentence, hint = _sentence(status, body, headers, endpoint, model)
    return ChatError(sentence + quoted, hint)


def _sentence(
    status: int, body: object, headers: Mapping[str, str], endpoint: Endpoint, model: str
) -> tuple[str, str]:
    name, about = endpoint.name, facts(body)
    code, kind = str(about.get("code", "")), str(about.get("type", ""))
    source = endpoint.key_env or (endpoint.key_command[0] if endpoint.key_command else "")
    if "exceed_context_size" in kind or code == "context_length_exceeded":
        return _too_long(about), "Shorten the draft, begin anew (ctrl+n), or lower max length."
    if 300 <= status < 400:
        target = one_line(headers.get("location", "another address"), 120)
        return (
            f"{name} sends requests on to {target}; nothing was sent there.",
            "Use that URL as the base URL if you trust it.",
        )
    if status == 401:
        named = f"the key from {source}" if source else "requests without a key"
        return f"{name} refused {named} (401).", (
            "Is it the right key for this server?" if source else "Name one: --key-env NAME."
        )
    if status == 402:
        return f"{name} wants to be paid first (402).", "Look at the account's balance."
    if status == 403:
        return (
            f"{name} does not allow this (403).",
            "The key may lack the right, or the region may be blocked.",
        )
    if status == 404:
        if code == "model_not_found" or (model and model in _words(body)):
            return (
                f"{name} has no model “{model}” (404).",
                "Choose another: Enter on Model in the sidebar.",
            )
        return f"There is no API at {endpoint.base_url} (404).", "Does the base URL end in /v1?"
    if status == 413:
        return f"The request is too large for {name} (413).", "Begin anew with ctrl+n."
    if status == 429:
        if "quota" in code or "quota" in kind:
            return (
                f"The account at {name} has no quota left (429).",
                "Look at its plan and billing.",
            )
        after = headers.get("retry-after", "")
        wait = f" It asks to wait {one_line(after, 20)} seconds." if after else ""
        return f"{name} gets too many requests (429).{wait}", "Wait a little, then F5."
    if status >= 500:
        return f"{name} has a fault of its own ({status}).", "Try again with F5."
    return f"{name} refused the request ({status}).", "Look at the parameters that are set."


def _too_long(about: Mapping[str, object]) -> str:
    used, room = about.get("n_prompt_tokens"), about.get("n_ctx")
    if not isinstance(used, int) or not isinstance(room, int):
        found = _OVER.search(str(about.get("message", "")))
        used, room = (int(found[2]), int(found[1])) if found else (0, 0)
    if used > room:
        return f"The conversation is too long: {used} tokens, and the model takes {room}."
    return "The conversation is too long for this model."


def unreachable(cause: BaseException | None, endpoint: Endpoint) -> ChatError:
    """No connection, or one that was closed before an answer."""
    words = str(cause or "").lower()
    place = endpoint.base_url
    if "refused" in words:
        return ChatError(f"Nothing answers at {place}.", "Is the server running?")
    if (
        "name or service" in words
        or "getaddrinfo" in words
        or "nodename" in words
        or "resolution" in words
    ):
        return ChatError(
            f"There is no host of that name: {place}.",
            "Is it spelled right, and is there a network?",
        )
    if "certificate" in words or "ssl" in words or "tls" in words:
        return ChatError(
            f"The connection to {place} is not trusted: its certificate does not check.",
            "SSL_CERT_FILE can name your own authority's.",
        )
    if "illegal status line" in words or ("protocol" in words and "unsupported" not in words):
        return ChatError(f"What answers at {place} does not speak HTTP.", "Is it the right port?")
    if "disconnected" in words or "closed" in words or "reset" in words:
        return ChatError(f"{place} closed the connection without an answer.", "Try again with F5.")
    if "unreachable" in words:
        return ChatError(f"{place} cannot be reached from here.", "Is there a network?")
    return ChatError(f"The connection to {place} failed.", "Try again with F5.")


def timed_out(endpoint: Endpoint, seconds: float, *, connecting: bool) -> ChatError:
    """No answer in time."""
    if connecting:
        return ChatError(
            f"{endpoint.base_url} did not take the connection in {seconds:.0f} s.",
            "Is the address right?",
        )
    return ChatError(
        f"No answer from {endpoint.base_url} in {seconds:.0f} s.", "Try again with F5."
    )


def not_an_api(content_type: str, body: str, endpoint: Endpoint, key: str) -> ChatError:
    """A 200 that is no answer: a page, another service, an error in disguise."""
    try:
        said = server_words(json.loads(body), key)
    except ValueError:
        said = ""
    if said:
        return ChatError(f"{endpoint.name} answered with an error: {said}", "Try again with F5.")
    kind = one_line(content_type.split(";")[0], 60) or "no content type"
    start = "" if is_page(body) else server_words(body[:200], key)
    shown = f": {start}" if start else ""
    return ChatError(
        f"What answers at {endpoint.base_url} is not a model's API ({kind}){shown}.",
        "Does the base URL end in /v1? Is a login page in between?",
    )
