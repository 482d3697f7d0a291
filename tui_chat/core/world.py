"""What the program stands on: places, settings, endpoints, presets, the store, the model that runs.

The door builds one World and gives it to the app or to one answer on stdout; nothing is looked up
globally. Everything slow in it is imported and started when first asked for, and ended by close().
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from tui_chat.core.conversation import COMPLETION, LOGPROBS_FIELD, Message, Refusal, Setup, now
from tui_chat.core.endpoints import GGUF, Endpoint
from tui_chat.core.files import Places
from tui_chat.core.known import Endpoints
from tui_chat.core.saved import Saved
from tui_chat.core.settings import Settings, load_settings
from tui_chat.core.text import one_line
from tui_chat.core.unsaved import not_written
from tui_chat.core.urls import holds_key, server_of

if TYPE_CHECKING:
    from tui_chat.core.costs import Costs
    from tui_chat.core.engines import Engine
    from tui_chat.core.heeding import Heed
    from tui_chat.core.key_store import KeyStore
    from tui_chat.core.learned import Lessons
    from tui_chat.core.local.model import Progress
    from tui_chat.core.local.serving import Serving
    from tui_chat.core.presets import Preset, Presets
    from tui_chat.core.provider import Provider
    from tui_chat.core.wire import Begun


MOST_LOGPROBS = 20
"""The most candidates that the OpenAI API has at one place; vLLM's default too."""


class World(Saved):
    """One run of the program and all that it holds open."""

    def __init__(
        self,
        places: Places,
        settings: Settings,
        endpoints: Endpoints,
        environ: Mapping[str, str],
        *,
        ephemeral: bool = False,
    ) -> None:
        super().__init__(places, ephemeral=ephemeral)
        self.settings = settings
        self.endpoints = endpoints
        self.environ = environ
        self.in_doubt = settings.unreadable or bool(
            settings.endpoint and not endpoints.has(settings.endpoint)
        )
        """Whether the settings want, or may want, another endpoint than the one that is begun with; until a
        person has chosen or confirmed one."""
        self.began = now()
        """When the run began, in milliseconds."""
        self._providers: dict[str, Provider] = {}
        self._serving: Serving | None = None
        self.after_temperature = set[str]()
        """The endpoints that were found to tell probabilities after temperature, not the model's own."""
        self.recorded = set[str]()
        """The endpoints that are asked for probabilities with each reply, besides those on this machine."""
        self.looking: dict[str, bool] = {}
        """The endpoints for which looks at the next token were turned on or off."""

    @classmethod
    def standard(cls, environ: Mapping[str, str], *, ephemeral: bool = False) -> World:
        """The world as this user's directories and environment make it. Reads settings.toml. One that is
        `ephemeral` writes nothing at all."""
        places = Places.standard(environ)
        settings = load_settings(places.settings)
        endpoints = Endpoints.gathered(settings.endpoints, environ)
        if settings.endpoint and not endpoints.has(settings.endpoint):
            words = f"{one_line(places.settings.name)}: there is no endpoint “{settings.endpoint}”."
            settings = replace(settings, problems=(*settings.problems, words))
        return cls(places, settings, endpoints, environ, ephemeral=ephemeral)

    @cached_property
    def presets(self) -> Presets:
        """The presets, a person's own and those that come along; reading them blocks."""
        from tui_chat.core.presets import Presets

        return Presets(self.places.presets, kept=not self.ephemeral)

    @cached_property
    def keys(self) -> KeyStore:
        """The keys that a person gave in the program."""
        from tui_chat.core.key_store import KeyStore

        return KeyStore(self.places.keys, kept=not self.ephemeral)

    @cached_property
    def lessons(self) -> Lessons:
        """What models have refused, in this run and in those before."""
        from tui_chat.core.learned import Lessons

        lessons = Lessons(self.places.lessons, kept=not self.ephemeral)
        lessons.strict = self.settings.strict
        return lessons

    @cached_property
    def costs(self) -> Costs:
        """What replies cost."""
        from tui_chat.core.costs import Costs

        return Costs(self)

    @property
    def model_ready(self) -> bool:
        """Whether the built-in model's file is on disk."""
        if self._serving is not None:
            return self._serving.ready
        from tui_chat.core.local.model import SMOLLM2, is_ready

        return is_ready(self.places.models, SMOLLM2)

    @property
    def serving(self) -> Serving:
        """The models that are served on this machine."""
        if self._serving is None:
            from tui_chat.core.local.serving import Serving

            self._serving = Serving(self.places, ephemeral=self.ephemeral)
        return self._serving

    def is_running(self, name: str) -> bool:
        """Whether the model of this endpoint is served by us now."""
        return self._serving is not None and self._serving.is_running(name)

    def may_be_asked(self, endpoint: Endpoint) -> bool:
        """Whether the endpoint may be asked for counts and sizes unasked by the person: one on this
        machine that answered a question in this run, or a model that we run."""
        if endpoint.served_here:
            return self.is_running(endpoint.name)
        provider = self._providers.get(endpoint.name)
        return self.is_free(endpoint.name) and provider is not None and provider.used

    def may_tell_how_it_continues(self, name: str) -> bool:
        """Whether way_to_continue() can be found out unasked by the person: it is known what server that is,
        or it may be asked, being on this machine or one that a question went to in this run."""
        provider = self._providers.get(name)
        asked = provider is not None and (provider.used or bool(provider.listed))
        known = self.way_to_continue(name) or self.engine(name).name
        return asked or bool(known) or self.endpoint(name).local

    def is_neutral(self, endpoint: str) -> bool:
        """Whether what is not sent changes nothing there, as far as it shapes what is drawn from: of the
        models that we serve, and of OpenAI's API."""
        known = self.endpoint(endpoint)
        return known.served_here or known.engine == "openai"

    def looks_at(self, endpoint: str) -> bool:
        """Whether the next token is looked at: on this machine unless that was turned off, elsewhere, where
        each look is a request that costs, only where it was turned on."""
        return self.looking.get(endpoint, self.is_free(endpoint))

    def logprobs(self, endpoint: str) -> int:
        """How many candidates a reply of this endpoint is asked for at each place; 0 for none."""
        return MOST_LOGPROBS if self.is_free(endpoint) or endpoint in self.recorded else 0

    def is_free(self, endpoint: str) -> bool:
        """Whether requests to the endpoint of this name cost nothing: to one on this machine that does not
        send them on, as a proxy does that has others' models."""
        if not self.endpoints.has(endpoint) or not self.endpoint(endpoint).free:
            return False
        provider = self._providers.get(endpoint)
        return provider is None or not provider.forwards

    def asked_logprobs(self, setup: Setup) -> int:
        """As logprobs(), as far as the setup's model gives them."""
        most = self.logprobs(setup.endpoint)
        if not most or any(
            one.name == LOGPROBS_FIELD and not one.sent_as for one in self.refusals(setup, most)
        ):
            return 0
        endpoint = self.endpoint(setup.endpoint)
        known = endpoint.most_logprobs
        learned = self.lessons.of(endpoint.place, setup.model, False).most_logprobs
        return min(most, learned, most if known is None else known)

    def endpoint(self, name: str) -> Endpoint:
        """The endpoint with this name; ChatError names those there are."""
        return self.endpoints.find(name)

    def first_setup(self) -> Setup | None:
        """The setup to begin with where none was chosen; None when there is nothing to talk to."""
        endpoint = self.endpoints.default(self.settings.endpoint, self.environ, self.model_ready)
        return None if endpoint is None else Setup(endpoint.name, endpoint.model)

    async def clear_away(self) -> None:
        """Remove for good what has been in the trash for its days, and what a fetch that was killed left.
        ChatError."""
        if not self.ephemeral:
            from tui_chat.core.local.model import clear_abandoned

            await asyncio.to_thread(clear_abandoned, self.places.models)
        await (await self.store()).purge_expired()
        await self.forget_purged()

    async def provider(self, name: str, *, unasked: bool = False) -> Provider:
        """The client for an endpoint, with its key; starts the built-in model when it is that, but where its
        process ended by itself and this is `unasked` by the person.

        ChatError when the endpoint is unknown, its key cannot be read, or the model cannot start.
        """
        endpoint = self.endpoint(name)
        if endpoint.served_here:
            served = await self.serving.provider(endpoint, self.lessons, unasked=unasked)
            self._providers[name] = served
            return served
        if name not in self._providers:
            from tui_chat.core.keys import read_key
            from tui_chat.core.provider import Provider

            key = await asyncio.to_thread(read_key, endpoint, self.environ, self.keys)
            await asyncio.to_thread(self.lessons.load)
            self._providers[name] = Provider(endpoint, key, self.lessons)
        return self._providers[name]

    def add_endpoint(self, url: str, key_env: str = "") -> Endpoint:
        """An endpoint at this URL, named after its host; ChatError when it is no URL."""
        endpoints, endpoint = self.endpoints.with_url(url, key_env)
        self.put(endpoint, endpoints)
        return endpoint

    def put(self, endpoint: Endpoint, among: Endpoints) -> None:
        """From now on there are these endpoints, and this one is asked anew, with the key it has then."""
        self.endpoints = among
        self._providers.pop(endpoint.name, None)

    def endpoint_for(self, words: str) -> Endpoint:
        """The endpoint of this name, at this URL, or of this model file; ChatError when there is none."""
        if "://" in words:
            return self.add_endpoint(words)
        if not self.endpoints.has(words) and not holds_key(words) and (url := server_of(words)):
            return self.add_endpoint(url)
        if words.lower().endswith(GGUF):
            self.endpoints, endpoint = self.endpoints.with_file(words)
            return endpoint
        return self.endpoint(words)

    def preset_named(self, name: str) -> Preset:
        """The preset with this name, whatever its case; ChatError names those there are. Reads files."""
        return self.presets.named(name)

    async def preset_names(self) -> tuple[str, ...]:
        """The names of all presets, off the event loop."""
        return tuple(preset.name for preset in await asyncio.to_thread(self.presets.all))

    def asked(self, endpoint: str) -> Provider | None:
        """The client for an endpoint that was made in this run; none is made now."""
        return self._providers.get(endpoint)

    def begun(self, reply: Message) -> Begun | None:
        """What a reply was given to go on from, and how its endpoint was told that, as far as is known."""
        if not reply.begun or reply.setup is None or reply.way == COMPLETION:
            return None
        from tui_chat.core.wire import Begun

        way = reply.way or self.way_to_continue(reply.setup.endpoint)
        return Begun(reply.content[: reply.begun], way)

    def way_to_continue(self, endpoint: str) -> str:
        """How the endpoint is told to go on with a reply, as far as that is known without asking; else empty."""
        if (provider := self._providers.get(endpoint)) is not None:
            return provider.known_to_continue
        known = self.endpoint(endpoint)
        return known.continues or self.engine(endpoint).continues

    def engine(self, endpoint: str) -> Engine:
        """What kind of server the endpoint is, as far as that is known without asking."""
        from tui_chat.core.engines import ENGINES, UNKNOWN

        if (provider := self._providers.get(endpoint)) is not None:
            return provider.engine
        return ENGINES.get(self.endpoint(endpoint).engine, UNKNOWN)

    def counts_replies(self, endpoint: str) -> bool:
        """Whether the endpoint is asked to count a reply's tokens: until it has refused that in this run."""
        provider = self._providers.get(endpoint)
        if provider is None:
            return not self.endpoint(endpoint).counts_unasked
        return provider.counts_replies

    async def preset(self, name: str) -> Preset:
        """As preset_named, off the event loop."""
        return await asyncio.to_thread(self.preset_named, name)

    async def save_preset(self, name: str, setup: Setup, expected: str) -> Preset:
        """Save a setup under a name; ValueError for a name that cannot be, ChatError for the disk."""
        return await asyncio.to_thread(self.presets.save, name, setup, expected=expected)

    async def settled(self, setup: Setup) -> Setup:
        """The setup with a model: where none was chosen, the one used last, else the endpoint's default.
        ChatError when it lists none."""
        if setup.model:
            return setup
        from tui_chat.core.choosing import settled_model

        return replace(setup, model=await settled_model(self, setup.endpoint))

    def heeds(self, setup: Setup, *, completes: bool = False) -> dict[str, Heed]:
        """The parameters that the setup's model is known not to heed; see verdicts.heeds_of()."""
        from tui_chat.core.verdicts import heeds_of

        return heeds_of(self, setup, completes)

    def insist(self, setup: Setup, name: str) -> None:
        """Send a parameter that the model is known to refuse all the same from now on; asked for again, no
        longer."""
        if self.endpoints.has(setup.endpoint):
            endpoint = self.endpoint(setup.endpoint)
            field = endpoint.rename.get(name, name)
            self.lessons.insist(endpoint.place, setup.model, name, field)

    def refusals(
        self, setup: Setup, logprobs: int = 0, *, completes: bool = False
    ) -> tuple[Refusal, ...]:
        """What a request with this setup is sent without, or under another name, as far as is known."""
        if (provider := self._providers.get(setup.endpoint)) is not None:
            return provider.refused(setup, logprobs, completes=completes)
        if not self.endpoints.has(setup.endpoint) or self.lessons.strict:
            return ()
        from tui_chat.core.heeding import held_back

        endpoint = self.endpoint(setup.endpoint)
        insisted = self.lessons.insisted_on(endpoint.place, setup.model)
        return held_back(endpoint, setup, insisted, logprobs=logprobs > 0)

    def as_accepted(self, setup: Setup, *, completes: bool = False) -> Setup:
        """The setup without what is not sent."""
        return setup.without(self.refusals(setup, completes=completes))

    def serving_command(self, endpoint: Endpoint, model: str) -> str:
        """The command that serves a model of ours without the program; empty for any other endpoint."""
        if not endpoint.served_here:
            return ""
        from tui_chat.core.local.server import llama_command
        from tui_chat.core.local.serving import model_file

        return llama_command(model_file(endpoint, self.places), model)

    async def fetch_model(self, report: Callable[[Progress], None]) -> None:
        """Fetch the built-in model; cancelling the task leaves nothing behind. ChatError."""
        if self.ephemeral:
            raise not_written("the model was not fetched")
        await self.serving.fetch(report)

    def kill(self) -> None:
        """The last resort at exit: end the model's process now."""
        if self._serving is not None:
            self._serving.kill()

    async def close(self) -> None:
        """Close clients, the model's process, the search and the store; in that order, each bounded."""
        for provider in self._providers.values():
            await provider.close()
        self._providers.clear()
        if self._serving is not None:
            await self._serving.close()
        await self.close_saved()
