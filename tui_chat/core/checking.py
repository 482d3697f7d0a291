"""An endpoint tried out before it is used: what it lists, or in words what is wrong, and what may mend it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace

from tui_chat.core.conversation import Setup, said
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.params import Params, for_one_token
from tui_chat.core.provider import Provider
from tui_chat.core.secrets import Secret
from tui_chat.core.served import ServedModel
from tui_chat.core.text import one_line
from tui_chat.core.wire import Request

SECONDS = 10.0
"""How long one trial may take."""
_PATH = "/v1"
_NO_TLS = "does not speak TLS"
_PERHAPS_TLS = ("does not speak HTTP", "closed the connection without an answer")


@dataclass(frozen=True)
class Checked:
    """What a trial found."""

    endpoint: Endpoint
    """As it is to be used: with /v1 where that was missing."""
    models: tuple[ServedModel, ...] = ()
    seconds: float = 0.0
    problem: ChatError | None = None
    """What is wrong; None when it lists its models."""
    lengthened: bool = False
    """Whether /v1 had to be added to its address."""
    other: str = ""
    """The base URL with the other of http and https, where that is likely to be what was meant."""

    @property
    def wants_key(self) -> bool:
        """Whether it refused for want of a key, or of the right one."""
        return self.refuses_key or (self.problem is not None and self.problem.status == 403)

    @property
    def refuses_key(self) -> bool:
        """Whether that is what its words say; a proxy may say it with another status."""
        return self.problem is not None and "(401)" in self.problem.message

    @property
    def words_for_key(self) -> str:
        """As words, for where a key is taken: without how one is given."""
        return self.problem.message if self.problem and self.refuses_key else self.words

    @property
    def words(self) -> str:
        """What was found, in a sentence."""
        if self.problem is not None:
            return str(self.problem)
        count = len(self.models)
        models = "1 model" if count == 1 else f"{count:,} models" if count else "no models"
        added = " /v1 was missing in the address, and was added." if self.lengthened else ""
        return f"It answers: {models}, {self.seconds:.1f} s.{added}"


async def check(endpoint: Endpoint, key: Secret | None) -> Checked:
    """Ask the endpoint for its models; where there is no API at the address, once more with /v1."""
    found = await _listed(endpoint, key)
    problem, at = found.problem, endpoint.base_url
    if problem is None or at.endswith(_PATH) or not _may_lack_path(problem):
        return replace(found, other=_other(problem, at))
    longer = await _listed(replace(endpoint, base_url=at + _PATH), key)
    if longer.problem is None or longer.wants_key:
        return replace(longer, lengthened=True)
    return found


async def _listed(endpoint: Endpoint, key: Secret | None) -> Checked:
    began = time.monotonic()
    provider = Provider(endpoint, key, read_seconds=SECONDS)
    models: tuple[ServedModel, ...] = ()
    problem: ChatError | None = None
    try:
        async with asyncio.timeout(SECONDS):
            await provider.warm()
            began = time.monotonic()
            models = await provider.models()
    except ChatError as error:
        problem = _of_this_key(error)
    except TimeoutError:
        problem = too_slow(endpoint)
    finally:
        await provider.close()
    return Checked(endpoint, models, time.monotonic() - began, problem)


def _of_this_key(error: ChatError) -> ChatError:
    """The same, where it speaks of a key that was typed just now, whose source is called “this”."""
    words = error.message.replace(" refused the key from this (401)", " refused this key (401)")
    same = ChatError(words, error.hint)
    same.status = error.status
    return same


def too_slow(endpoint: Endpoint) -> ChatError:
    """What is said of one that took too long."""
    where = endpoint.base_url or endpoint.name
    return ChatError(f"No answer from {where} in {SECONDS:g} s.", "Try again.")


def _may_lack_path(problem: ChatError) -> bool:
    return problem.status in (404, 405) or "not an API answer" in problem.message


def _other(problem: ChatError | None, base_url: str) -> str:
    """The URL with the other scheme, where the failure is one of a server that speaks that."""
    if problem is None:
        return ""
    scheme, rest = base_url.split("://", 1)
    if scheme == "https":
        return f"http://{rest}" if _NO_TLS in problem.message else ""
    # nginx says it on a page, Go's servers in a line of text.
    words = problem.message.lower()
    told = problem.status == 400 and ("https" in words or "web page" in words)
    if told or any(one in problem.message for one in _PERHAPS_TLS):
        return f"https://{rest}"
    return ""


async def one_token(endpoint: Endpoint, key: Secret | None, model: str) -> str:
    """Ask for one token, which may cost a little; what came, in a sentence. ChatError when none did."""
    provider = Provider(endpoint, key, read_seconds=SECONDS)
    try:
        return await token_from(provider, endpoint, model)
    finally:
        await provider.close()


async def token_from(provider: Provider, endpoint: Endpoint, model: str) -> str:
    """As one_token, of a client that is there already."""
    await provider.warm()
    began = time.monotonic()
    setup = Setup(endpoint.name, model, params=for_one_token(Params()))
    texts: list[str] = []
    try:
        async with asyncio.timeout(SECONDS):
            ending = await provider.reply(
                Request(setup, [said("user", "Hi")]),
                lambda token: texts.append(token.text),
            )
    except TimeoutError:
        raise too_slow(endpoint) from None
    if ending.error:
        raise ChatError(one_line(ending.error, 300))
    text = provider.quoted("".join(texts), 40)
    what = f"“{text}”" if text else "an empty reply"
    return f"{one_line(model, 60)} answered with {what}, {time.monotonic() - began:.1f} s."
