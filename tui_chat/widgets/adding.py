"""Adding a server by its URL: it is tried at once, what is wrong is said, and what works can be written down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from functools import partial
from typing import TypeVar

from tui_chat.core.checking import Checked, check, one_token
from tui_chat.core.endpoint_tables import endpoint_from
from tui_chat.core.endpoints import ENVIRONMENT, GGUF, Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.key_store import Where
from tui_chat.core.keys import read_key
from tui_chat.core.models import begun_with
from tui_chat.core.secrets import Secret
from tui_chat.core.settings import remember_endpoint
from tui_chat.core.text import one_line
from tui_chat.core.unsaved import not_written
from tui_chat.core.urls import host_and_port, normal_base_url, origin, url_of
from tui_chat.core.world import World
from tui_chat.widgets.choosing import Ask, ChoiceDialog, WaitDialog
from tui_chat.widgets.dialogs import LineDialog
from tui_chat.widgets.key_dialog import KeyDialog, renew

_Found = TypeVar("_Found")
_NOTE = "The URL of its API, with the version: http://127.0.0.1:8080/v1"
_START = "http://"
LONGEST_NAME = 40
"""Characters of an endpoint's name."""


class Adding:
    """One server on its way in. What is given for it, a key or a variable, counts once it is used."""

    def __init__(self, world: World, ask: Ask) -> None:
        self._world = world
        self._ask = ask
        self._key: Secret | None = None
        self._where: Where = "run"
        self._variable = ""
        self._whom = ""
        """The origin that they were given for, and are sent to alone."""

    async def run(self, typed: str = "") -> str | None:
        """Lead through it, from the address on, which may be typed already; the name of the endpoint
        to use, None when nothing shall be added. For workers."""
        url, wrong = typed, ""
        while True:
            if not url or wrong:
                text = url or _START
                url = await self._ask(LineDialog("Add a server", _NOTE, text, wrong)) or ""
                if not url:
                    return None
            try:
                base_url = normal_base_url(url_of(url) or url)
            except ChatError as error:
                # What may hold a password is not shown again.
                url, wrong = "" if "@" in url or "?" in url else url, str(error)
                wrong = wrong or "This is no URL."
                if not url:
                    url = _START
                continue
            name = await self._tried(self._endpoint(base_url))
            if name is not None:
                return name
            url = await self._ask(LineDialog("Add a server", _NOTE, base_url)) or ""
            if not url:
                return None

    def _endpoint(self, base_url: str) -> Endpoint:
        """The endpoint at this URL: one that is there already, or a new one."""
        there = self._world.endpoints.at(base_url)
        return there or endpoint_from(host_and_port(base_url), {"base_url": base_url})

    async def _tried(self, endpoint: Endpoint) -> str | None:
        """Try it, and again with what is chosen; its name once it is used, None for another address."""
        found: Checked | None = None
        words = ""
        while True:
            if found is None:
                trial = partial(check, endpoint, await self._its_key(endpoint))
                found = await self._waited(f"Asking {endpoint.base_url}…", trial)
                if found is None:
                    return None
                endpoint = self._world.endpoints.at(found.endpoint.base_url) or found.endpoint
                words = found.words
                if (
                    found.wants_key
                    and not self._given(endpoint)
                    and await self._take_key(endpoint, found.words_for_key)
                ):
                    found = None
                    continue
            dialog = ChoiceDialog(
                one_line(endpoint.base_url, 60), words, self._ways(found, endpoint)
            )
            choice = await self._ask(dialog)
            match choice:
                case "use":
                    try:
                        return await self._used(endpoint)
                    except ChatError as error:
                        words = str(error)
                case "keep":
                    if (name := await self._kept(endpoint)) is not None:
                        return name
                case "token":
                    words = await self._one_token(endpoint, found)
                case "key":
                    if await self._take_key(endpoint, ""):
                        found = None
                case "other":
                    endpoint, found = self._endpoint(found.other), None
                case "again":
                    found = None
                case _:
                    return None

    def _ways(self, found: Checked, endpoint: Endpoint) -> list[tuple[str, str]]:
        new = self._world.endpoints.at(endpoint.base_url) is None
        key = ("key", "Give it another key" if self._given(endpoint) else "Give it a key")
        address = ("address", "Change the address")
        if found.problem is None:
            keep = [("keep", "Use it, and keep it in settings.toml")] if new else []
            use = ("use", "Use it without writing it down" if new else "Use it")
            token = [("token", "Send one token as a test")] if found.models else []
            return [*keep, use, *token, key, address]
        other = [("other", f"Try {found.other}")] if found.other else []
        keep = [("keep", "Keep it anyway, in settings.toml")] if new else []
        again = ("again", "Try again")
        rest = [again, key] if not found.wants_key else [key, again]
        return [*other, *rest, address, ("use", "Use it anyway"), *keep]

    async def _waited(self, words: str, work: Callable[[], Awaitable[_Found]]) -> _Found | None:
        """What is waited for, None by Esc. ChatError."""
        waiting: WaitDialog[_Found] = WaitDialog("Add a server", words, work)
        await self._ask(waiting)
        if waiting.problem is not None:
            raise waiting.problem
        return waiting.found

    async def _one_token(self, endpoint: Endpoint, found: Checked) -> str:
        model = begun_with(endpoint, found.models, (), date.today()) or found.models[0].id
        trial = partial(one_token, endpoint, await self._its_key(endpoint), model)
        try:
            words = f"Asking {one_line(model, 60)} for one token…"
            return await self._waited(words, trial) or found.words
        except ChatError as error:
            return str(error)

    async def _its_key(self, endpoint: Endpoint) -> Secret | None:
        """What was given for it here, else what it has already."""
        if self._given(endpoint) and self._key is not None:
            return self._key
        endpoint = self._with_variable(endpoint)
        world = self._world
        try:
            return await asyncio.to_thread(read_key, endpoint, world.environ, world.keys)
        except ChatError:
            return None  # It is tried without one then, and says what it thinks of that.

    async def _take_key(self, endpoint: Endpoint, wrong: str) -> bool:
        places = await asyncio.to_thread(self._world.keys.places)
        new = self._world.endpoints.at(endpoint.base_url) is None
        environ = self._world.environ if new else None
        dialog = KeyDialog(endpoint, places, wrong, environ=environ, where=self._where)
        if await self._ask(dialog) is None:
            return False
        self._key, self._where, self._variable = dialog.key, dialog.where, dialog.variable
        self._whom = origin(endpoint.base_url)
        return True

    def _given(self, endpoint: Endpoint) -> bool:
        """Whether a key, or the name of its variable, was given for this server."""
        return origin(endpoint.base_url) == self._whom

    def _with_variable(self, endpoint: Endpoint) -> Endpoint:
        named = self._given(endpoint) and self._variable
        return replace(endpoint, key_env=self._variable) if named else endpoint

    async def _kept(self, endpoint: Endpoint) -> str | None:
        """Write it into settings.toml under a name of the person's, and use it; None when they step back."""
        name, wrong = endpoint.name, ""
        while True:
            note = "The name under which it stands in settings.toml:"
            dialog = LineDialog("Keep the server", note, name, wrong)
            if not (name := await self._ask(dialog) or ""):
                return None
            try:
                named = replace(self._with_variable(endpoint), name=self._checked(name))
                if self._world.ephemeral:
                    raise not_written("the server was not kept")
                await self._keep_key(endpoint)
                await asyncio.to_thread(remember_endpoint, self._world.places.settings, named)
                return await self._used(named, typed=False)
            except ChatError as error:
                wrong = str(error)

    def _checked(self, name: str) -> str:
        name = one_line(name, 200)
        if len(name) > LONGEST_NAME:
            raise ChatError(f"A name has at most {LONGEST_NAME} characters.")
        if "://" in name or name.lower().endswith(GGUF):
            raise ChatError("A name is neither a URL nor the name of a file.")
        if name == ENVIRONMENT:
            raise ChatError(f"“{name}” is what OPENAI_BASE_URL names.", "Take another name.")
        endpoints = self._world.endpoints
        if endpoints.has(name) and all(one.name != name for one in endpoints.typed):
            raise ChatError(f"There is an endpoint “{name}” already.", "Take another name.")
        return name

    async def _used(self, endpoint: Endpoint, *, typed: bool = True) -> str:
        """Have it among the endpoints, with its key where that is to be kept. ChatError."""
        world = self._world
        await self._keep_key(endpoint)
        if world.endpoints.at(endpoint.base_url) is None:
            endpoint = self._with_variable(endpoint)
            world.put(endpoint, world.endpoints.with_one(endpoint, typed=typed))
        renew(world, endpoint.base_url)
        return endpoint.name

    async def _keep_key(self, endpoint: Endpoint) -> None:
        if self._given(endpoint) and self._key is not None:
            keep = self._world.keys.keep
            await asyncio.to_thread(keep, endpoint.base_url, self._key, self._where)
