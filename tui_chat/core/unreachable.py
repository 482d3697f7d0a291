"""Why no connection to a server came about, or none lasted, in words; the cause's own are never shown.

The client library's exceptions are told apart by name, so that importing this loads no client.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.text import one_line

AGAIN = "Try again."
_NO_HOST = ("gaierror", "getaddrinfo", "name or service", "name resolution")
_OF_THE_NEXT = ("refused", _NO_HOST[0], "unreachable")
"""The first words of those rows that tell of the very next machine."""


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and all that led to it, members of groups included."""
    todo, seen = [error], set[int]()
    while todo:
        one = todo.pop(0)
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            todo += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]


def kinds_behind(error: BaseException) -> set[str]:
    """The names of the kinds of an error and of all that led to it."""
    return {type(one).__name__ for one in _chain(error)}


def proxy_for(url: str) -> tuple[str, str]:
    """Host and port of the proxy through which a URL is asked, without a password, and the variable that names
    it; empty where it is asked directly."""
    # Deferred: only a failure needs it.
    from urllib.request import getproxies, proxy_bypass

    try:
        parts, proxies = urlsplit(url), getproxies()
    except ValueError:
        return "", ""
    if not parts.hostname or Endpoint("", url).local or proxy_bypass(parts.hostname):
        return "", ""
    kind = next((kind for kind in (parts.scheme, "all") if proxies.get(kind)), "")
    if not kind:
        return "", ""
    named = proxies[kind] if "://" in proxies[kind] else f"http://{proxies[kind]}"
    # What a password may hold is cut off first.
    place = one_line(named.partition("://")[2].rpartition("@")[2].partition("/")[0], 80)
    return place, f"{kind.upper()}_PROXY"


def by_proxy(at: str, *, refused: bool = False) -> ChatError | None:
    """That a proxy stands in the way to this address, where there is one; `refused` where it did answer."""
    place, variable = proxy_for(at)
    if not place:
        return None
    did = "refused" if refused else "cannot be reached"
    return ChatError(f"The proxy {place} on the way to {at} {did}.", _around(variable))


def _around(variable: str) -> str:
    return f"{variable} names it; NO_PROXY goes around it."


def unreachable(error: BaseException, at: str) -> ChatError:
    """No connection to this address, or one that was closed before an answer."""
    chain = list(_chain(error))
    kinds = {type(one).__name__ for one in chain}
    # asyncio words a refused connection in its own way; the class tells it on every system.
    words = " ".join(f"{type(one).__name__} {one}".lower() for one in chain)
    if "UnsupportedProtocol" in kinds:
        return ChatError(f"“{one_line(at, 80)}” is not a URL.", "It begins with http:// or https://.")  # fmt: skip
    if "ProxyError" in kinds:
        return by_proxy(at, refused=True) or ChatError(f"The proxy on the way to {at} refused.", _around("HTTPS_PROXY"))  # fmt: skip
    for found, sentence, hint in _connection_rows(at):
        if any(word in words for word in found):
            # Where there is a proxy, only that is connected to, and looked up.
            behind = found[0] in _OF_THE_NEXT and by_proxy(at)
            return behind or _through(ChatError(sentence, hint), at)
    if "RemoteProtocolError" in kinds:
        return _through(ChatError(f"What answers at {at} does not speak HTTP.", "Is it the right port?"), at)  # fmt: skip
    if "ReadError" in kinds or "WriteError" in kinds:
        return _through(ChatError(f"{at} closed the connection without an answer.", AGAIN), at)
    return _through(ChatError(f"The connection to {at} failed.", AGAIN), at)


def _through(error: ChatError, at: str) -> ChatError:
    """The same, with the proxy named where there is one."""
    place, variable = proxy_for(at)
    if not place:
        return error
    return ChatError(f"{error.message} It goes through the proxy {place}.", _around(variable))


def _connection_rows(at: str) -> tuple[tuple[tuple[str, ...], str, str], ...]:
    return (
        (("refused",), f"Nothing answers at {at}.", "Is the server running?"),
        (_NO_HOST, f"There is no host of that name: {at}.", "Is it spelled right, and is there a network?"),
        (("wrong_version_number", "record layer", "unknown_protocol"), f"What answers at {at} does not speak TLS.", "Does the base URL begin with http://?"),
        (("certificate_verify", "certificate verify", "hostname mismatch"), f"The certificate of {at} is not trusted.", "SSL_CERT_FILE can name your own authority's."),
        (("[ssl", "ssl:", "tls"), f"No secure connection to {at} could be made.", "Is it the right port?"),
        (("disconnected", "without sending", "peer closed", "reset"), f"{at} closed the connection without an answer.", AGAIN),
        (("unreachable", "no route"), f"{at} cannot be reached from here.", "Is there a network?"),
    )  # fmt: skip
