"""Base URLs as people type and paste them, and the origin that a key is bound to."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from tui_chat.core.errors import ChatError
from tui_chat.core.text import clean, one_line

KEY_HINT = "Put the key into an environment variable and name it: --key-env NAME."
_URL_HINT = "It begins with http:// or https:// and a host: http://127.0.0.1:8080/v1."
_SCHEMES_BEFORE = re.compile(r"(?:https?://\s*)+(?=https?://)", re.IGNORECASE)
_PASTED_TAILS = ("/chat/completions", "/completions", "/models", "/responses")


def normal_base_url(text: str) -> str:
    """A base URL as it is used: scheme and host checked, no query, no tail of one request.

    ChatError when it is none, or when it holds a password or key, which belongs elsewhere; neither
    is repeated in it.
    """
    # Pasted behind an “http://” that stood there already.
    url = _SCHEMES_BEFORE.sub("", text.strip())
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        # The cause would repeat what may hold a password.
        raise _no_url(url) from None
    if parts.username or parts.password:
        raise ChatError("A base URL must not hold a key or a password.", KEY_HINT)
    host = parts.hostname or ""
    plain = url.isprintable() and not re.search(r"\s", url) and re.search(r"\w", host)
    twice = parts.netloc.endswith(":") and parts.path.startswith("//")
    if parts.scheme not in ("http", "https") or not plain or twice:
        raise _no_url(url)
    if parts.query:
        raise ChatError("A base URL has no query: nothing after a “?”.", KEY_HINT)
    path = parts.path.rstrip("/")
    for tail in _PASTED_TAILS:
        path = path.removesuffix(tail)
    host = f"[{host}]" if ":" in host else host
    place = host if port is None else f"{host}:{port}"
    return clean(f"{parts.scheme}://{place}{path.rstrip('/')}")


def url_of(typed: str) -> str:
    """The URL in what a person typed, who may have left out the scheme; empty where it is none.

    A model file's path is none either, nor is a word without a dot or a port.
    """
    words = typed.strip()
    if "://" in words:
        return words
    try:
        host = urlsplit(f"//{words}").netloc
    except ValueError:  # An address of IPv6 that is still being typed.
        return ""
    if " " in words or not host or words.startswith(("/", ".", "~")) or "@" in host:
        return ""
    here = host.split(":")[0] in ("localhost", "127.0.0.1") or host.startswith("[::1]")
    port = host.rpartition(":")[2].isdigit() and ":" in host
    if not (here or port or "." in host.strip(".")):
        return ""
    return f"{'http' if here or port else 'https'}://{words}"


def server_of(words: str) -> str:
    """As url_of, for where a name may be meant as well: only what has a scheme or a port, or is this machine."""
    url = url_of(words)
    return url if "://" in words or url.startswith("http://") else ""


def _no_url(text: str) -> ChatError:
    secret = any(mark in text for mark in "@?") or looks_like_key(text)
    shown = "This" if secret else f"“{one_line(text, 80)}”"
    return ChatError(f"{shown} is not a URL.", _URL_HINT)


_BEGINNINGS = re.compile(
    r"sk-.+|A[KS]IA[0-9A-Z]{16}|AIza[\w-]{30,}|eyJ[\w-]{8,}\.[\w-]{8,}\..*"
    r"|(?:(?:gsk|hf|r8|fw|tgp|gh[a-z]|github_pat)_|(?:xai|pplx|key|csk|nvapi)-)[\w-]{16,}"
)
"""How keys begin that say whose they are; no model's name does."""
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def begins_as_key(text: str) -> bool:
    """Whether it begins as the keys of some provider do: for where any other name may be meant."""
    return _BEGINNINGS.fullmatch(text) is not None


def looks_like_key(text: str) -> bool:
    """Whether it is rather a key, pasted where a name or a URL belongs; such a text is not repeated."""
    if begins_as_key(text) or _UUID.fullmatch(text):
        return True
    if len(text) < 20 or re.fullmatch(r"[\w-]+", text) is None:
        return False
    # Chance mixes letters and digits within one run; names join words and numbers by dashes.
    runs = re.split(r"[_-]+", text)
    return any(_mixed(run) for run in runs) or re.search(r"[0-9A-F]{32}", text) is not None


def _mixed(run: str) -> bool:
    long = len(run) >= 20 and re.search(r"\d", run) and re.search(r"[a-z]", run)
    changes = re.findall(r"\d(?=[^\W\d])|[^\W\d](?=\d)", run)
    return bool(long) or (len(run) >= 8 and len(changes) >= 4)


def holds_key(text: str, looks: Callable[[str], bool] = looks_like_key) -> bool:
    """Whether one of its words looks like a key."""
    return any(looks(word) for word in re.split(r"[\s=\"'`“”‘’,;<>()@?&]+", text))


def pasted_key() -> ChatError:
    """What is said of a key in a place where it does not belong; it is not repeated."""
    return ChatError(
        "That looks like a key; it is not shown.",
        "Keys are given in the endpoint dialog: /endpoint.",
    )


def host_and_port(base_url: str) -> str:
    """The name of an endpoint that only has a URL: its host, with its port where it has one."""
    return urlsplit(base_url).netloc


def origin(base_url: str) -> str:
    """Scheme, host and port, `https://api.openai.com:443`: whom a key is for."""
    parts = urlsplit(base_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = parts.hostname or ""
    return f"{parts.scheme}://[{host}]:{port}" if ":" in host else f"{parts.scheme}://{host}:{port}"


def same_place(one: str, other: str) -> bool:
    """Whether two base URLs are of the same server and path; this machine has several names."""
    return one == other or (bool(one) and _on_this_machine(one) == _on_this_machine(other))


def _on_this_machine(url: str) -> str:
    return re.sub(r"^(https?://)(?:localhost|127\.0\.0\.1|\[::1\])(?=[:/]|$)", r"\1here", url)
