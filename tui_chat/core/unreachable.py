"""Why no connection to a server came about, or none lasted, in words; the cause's own are never shown.

The client library's exceptions are told apart by name, so that importing this loads no client.
"""

from __future__ import annotations

from collections.abc import Iterator

from tui_chat.core.errors import ChatError
from tui_chat.core.text import one_line

AGAIN = "Try again."
_NO_HOST = ("gaierror", "getaddrinfo", "name or service", "name resolution")


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


def unreachable(error: BaseException, at: str) -> ChatError:
    """No connection to this address, or one that was closed before an answer."""
    chain = list(_chain(error))
    kinds = {type(one).__name__ for one in chain}
    # asyncio words a refused connection in its own way; the class tells it on every system.
    words = " ".join(f"{type(one).__name__} {one}".lower() for one in chain)
    if "UnsupportedProtocol" in kinds:
        return ChatError(f"“{one_line(at, 80)}” is not a URL.", "It begins with http:// or https://.")  # fmt: skip
    if "ProxyError" in kinds:
        return ChatError(f"The proxy on the way to {at} refused.", "HTTPS_PROXY names it; NO_PROXY goes around it.")  # fmt: skip
    for found, sentence, hint in _connection_rows(at):
        if any(word in words for word in found):
            return ChatError(sentence, hint)
    if "RemoteProtocolError" in kinds:
        return ChatError(f"What answers at {at} does not speak HTTP.", "Is it the right port?")
    if "ReadError" in kinds or "WriteError" in kinds:
        return ChatError(f"{at} closed the connection without an answer.", AGAIN)
    return ChatError(f"The connection to {at} failed.", AGAIN)


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
