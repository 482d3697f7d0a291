"""The endpoints there are: those that come along, what the environment names, and a person's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from tui_chat.core.endpoint_tables import endpoint_from, known_endpoints, model_file
from tui_chat.core.endpoints import BUILT_IN, ENVIRONMENT, Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.secrets import without_keys
from tui_chat.core.text import one_line
from tui_chat.core.urls import holds_key, host_and_port, normal_base_url, pasted_key, same_place


class Endpoints:
    """The endpoints there are, by name, in the order in which they are offered."""

    def __init__(
        self,
        items: Iterable[Endpoint],
        typed: frozenset[str] = frozenset(),
        problem: str = "",
    ) -> None:
        self._items = {endpoint.name: endpoint for endpoint in items}
        self._typed = typed
        self.problem = problem
        """Why what OPENAI_BASE_URL names is not among them; empty when there is nothing to say."""

    @classmethod
    def gathered(cls, own: Iterable[Endpoint], environ: Mapping[str, str]) -> Endpoints:
        """The known ones, what OPENAI_BASE_URL names, and a person's own, which replace others by name."""
        known = tuple(_placed(one, environ) for one in known_endpoints())
        own = tuple(_placed(one, environ) for one in own)
        url = environ.get("OPENAI_BASE_URL", "")
        if not url.strip():
            return cls([*known, *own])
        try:
            base_url = normal_base_url(url)
        except ChatError as error:
            return cls([*known, *own], problem=f"OPENAI_BASE_URL was not used: {error}")
        if any(endpoint.base_url == base_url for endpoint in known):
            return cls([*known, *own])
        # Whoever set both variables in one environment meant them for each other.
        return cls([*known, Endpoint(ENVIRONMENT, base_url, "OPENAI_API_KEY"), *own])

    def __iter__(self) -> Iterator[Endpoint]:
        return iter(self._items.values())

    def has(self, name: str) -> bool:
        return name in self._items

    @property
    def typed(self) -> tuple[Endpoint, ...]:
        """Those that were added by URL, so that no settings know them at the next start."""
        return tuple(endpoint for endpoint in self if endpoint.name in self._typed)

    def find(self, name: str) -> Endpoint:
        """The endpoint with this name; ChatError names those there are."""
        if name not in self._items:
            if holds_key(name):
                raise pasted_key()
            raise ChatError(
                f"There is no endpoint “{one_line(name, 60)}”.",
                f"There are: {', '.join(self._items)}. A URL adds one.",
            )
        return self._items[name]

    def with_url(self, url: str, key_env: str = "") -> tuple[Endpoints, Endpoint]:
        """These and one more at a URL, named after its host; the one that is there already where its
        key does not come from elsewhere. ChatError when it is no URL, or key_env no name."""
        base_url = normal_base_url(url)
        for endpoint in self:
            if same_place(endpoint.base_url, base_url) and key_env in ("", endpoint.key_env):
                return self, endpoint
        try:
            table = {"base_url": base_url, "key_env": key_env}
            endpoint = endpoint_from(host_and_port(base_url), table)
        except ValueError as error:
            raise ChatError(str(error)) from error
        typed = self._typed | {endpoint.name}
        return Endpoints([*self, endpoint], typed, self.problem), endpoint

    def with_one(self, endpoint: Endpoint, *, typed: bool = False) -> Endpoints:
        """These and this one, in the place of the one with its name; `typed` where no settings know it."""
        items = {**self._items, endpoint.name: endpoint}
        names = self._typed | {endpoint.name} if typed else self._typed - {endpoint.name}
        return Endpoints(items.values(), names, self.problem)

    def without_keys(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The environment for a program that is to know no key of theirs, nor another."""
        return without_keys(environ, (name for one in self for name in one.key_names))

    def at(self, base_url: str) -> Endpoint | None:
        """The endpoint at this base URL, if there is one."""
        return next((one for one in self if base_url and same_place(one.base_url, base_url)), None)

    def with_file(self, path: str) -> tuple[Endpoints, Endpoint]:
        """These and a model file on this machine; ChatError when there is none."""
        endpoint = model_file(path)
        for known in self:
            if known.gguf == endpoint.gguf:
                return self, known
        return Endpoints([*self, endpoint], self._typed | {endpoint.name}, self.problem), endpoint

    def default(
        self, wanted: str, environ: Mapping[str, str], model_ready: bool
    ) -> Endpoint | None:
        """Where a first start sends to: as settings want, else what the environment names, else the built-in
        model where it is on disk, else whoever's key the environment holds."""
        if wanted in self._items:
            return self._items[wanted]
        if ENVIRONMENT in self._items:
            return self._items[ENVIRONMENT]
        # With a problem, OpenAI's key is meant for a server that we failed to understand.
        keyed = [
            endpoint
            for endpoint in self
            if endpoint.base_url
            and not (endpoint.openai and self.problem)
            and any(environ.get(name, "").strip() for name in endpoint.key_names)
        ]
        openai = next((endpoint for endpoint in keyed if endpoint.openai), None)
        if openai is not None or model_ready:
            return openai or self._items[BUILT_IN]
        return keyed[0] if keyed else None


def _placed(endpoint: Endpoint, environ: Mapping[str, str]) -> Endpoint:
    """The endpoint at the server that its variable names, where it has one; what is no URL names none."""
    named = environ.get(endpoint.url_env, "").strip() if endpoint.url_env else ""
    if not named:
        return endpoint
    try:
        base_url = normal_base_url(
            named.rstrip("/").removesuffix(endpoint.url_tail) + endpoint.url_tail
        )
    except ChatError:
        return endpoint
    return replace(endpoint, base_url=base_url)
