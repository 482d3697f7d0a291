"""Server ⇄ tokens: one client for one endpoint, whose library only client.py imports.

Only what a person set is sent. What has arrived is kept however the stream ends; nothing is sent
twice but for a field that the server refused, and that is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tui_chat.core import client as client_of
from tui_chat.core import failures
from tui_chat.core.chunks import Clock, Ending, Reader, finished
from tui_chat.core.conversation import COUNT_FIELD, Message, Refusal, Setup, Token
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.engines import ENGINES, Engine, completions_problem, owned_by
from tui_chat.core.errors import ChatError
from tui_chat.core.heeding import HELD, held_back
from tui_chat.core.keys import Secret
from tui_chat.core.learned import Learned, Lessons
from tui_chat.core.refusals import UNTOLD, Refused, met
from tui_chat.core.served import LARGEST, ServedModel, listed, made_elsewhere
from tui_chat.core.text import one_line
from tui_chat.core.wire import LOGPROBS, Begun, Request, request_body, wire_messages

if TYPE_CHECKING:
    from tui_chat.core.client import AsyncOpenAI, Response

READ_SECONDS = 120
LOCAL_READ_SECONDS = 600
"""A machine without a fast card may read a long prompt for minutes."""
MOST_REPEATS = 6


class Provider:
    """The client for one endpoint. Cheap to make: openai is imported at the first use, or by warm().

    `read_seconds` is how long a server may send nothing; by default 120, or 600 on this machine.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        key: Secret | None,
        lessons: Lessons | None = None,
        *,
        read_seconds: float | None = None,
    ) -> None:
        self._endpoint = replace(endpoint, base_url=endpoint.base_url.strip())
        self._key = key
        usual = LOCAL_READ_SECONDS if endpoint.local else READ_SECONDS
        self._read_seconds = read_seconds or usual
        self._client: AsyncOpenAI | None = None
        self._making = asyncio.Lock()
        self._lessons = lessons or Lessons()
        self.place = self._endpoint.place
        self.listed: tuple[ServedModel, ...] = ()
        """What models() returned last."""
        self._by_id: Mapping[str, ServedModel] = {}
        self.forwards = False
        """Whether it has models that nobody runs at home, so that what is asked of it costs."""
        self.used = False
        """Whether anything was asked of it: before, it is not asked by the way either."""
        self.name = self._endpoint.name
        self.special: dict[int, bytes] = {}
        """The names of tokens that are no text, by their numbers, as far as they were asked for."""
        self.after_temperature: dict[str, bool] = {}
        """Of each model that was looked at, whether its server tells probabilities after temperature."""
        self._counts_refused: Refusal | None = None

    async def warm(self) -> None:
        """Import the client library on a thread, so that the first question does not wait for it.

        ChatError when no client can be made of the endpoint, its key and the environment.
        """
        await self._made()

    async def _made(self) -> AsyncOpenAI:
        async with self._making:
            if self._client is None:
                key = client_of.header_value(self._endpoint, self._key)
                self._client = await asyncio.to_thread(
                    client_of.made, self._endpoint, key, self._read_seconds
                )
            return self._client

    def _asked(self, setup: Setup | None = None) -> failures.Asked:
        key = self._key.reveal().strip() if self._key else ""
        source = self._key.source if self._key else ""
        model, sets = (setup.model, bool({**setup.params})) if setup else ("", False)
        return failures.Asked(
            self._endpoint, model, key, self._read_seconds, client_of.CONNECT_SECONDS, source, sets=sets
        )  # fmt: skip

    def quoted(self, text: str, limit: int) -> str:
        """What its server said, on one line and without the key."""
        return failures.quoted(text, self._asked().key, limit)

    async def reply(
        self,
        request: Request,
        sink: Callable[[Token], None],
        *,
        notice: Callable[[Refusal], None] | None = None,
    ) -> Ending:
        """Stream the answer to a request into the sink, which is called on the event loop.

        ChatError when no reply came. Cancelling closes the connection at once, which frees the
        server. What goes on from a beginning needs an endpoint that can (see continues); a completion one
        that has them (see completes). `notice` is told at once of each parameter that the server refused;
        Ending.refused says it again, also where an earlier reply had learned it.
        """
        client, clock = await self._made(), Clock(sink)
        self.used = True
        setup = request.setup
        self.forwards = self.forwards or made_elsewhere(setup.model)
        learned = self._learned(setup.model, request.completes)
        repeats = 0
        chat = request.begun and not request.completes
        going_on = Begun(request.begun, await self.continues()) if chat else None
        if request.completes:
            self.check_completions()
        while True:
            body, told = (
                self._body(request, going_on),
                self.refused(setup, request.logprobs, completes=request.completes),
            )
            ending = await self._streamed(client, request, body, clock)
            if isinstance(ending, Refused):
                # A reply that ran at the same time may have learned it first.
                known = body != self._body(request, going_on)
                repeats += 1
                if repeats > MOST_REPEATS or not (
                    known or self._learn(learned, request, body, ending, notice)
                ):
                    raise ending.words
            else:
                return replace(ending, refused=told)

    @property
    def counts_replies(self) -> bool:
        """Whether the server is asked to count a reply's tokens: until it refuses that."""
        return self._counts_refused is None and not self._endpoint.counts_unasked

    def refused(
        self, setup: Setup, logprobs: int = 0, *, completes: bool = False
    ) -> tuple[Refusal, ...]:
        """What a request with this setup is sent without, or under another name, after what was refused so
        far."""
        if self._lessons.strict:
            return ()
        wanted = {*setup.params, *(LOGPROBS if logprobs else ())}
        learned = self._learned(setup.model, completes).told_of(setup.params)
        told = [one for one in learned if one.name in wanted]
        insisted = self._lessons.insisted_on(self.place, setup.model)
        held = held_back(
            self._endpoint, setup, insisted | {one.name for one in told}, logprobs=logprobs > 0
        )
        return (*told, *held, *([self._counts_refused] if self._counts_refused else []))

    def _learned(self, model: str, completes: bool) -> Learned:
        return self._lessons.of(self.place, model, completes)

    def served(self, model: str) -> ServedModel | None:
        """What its list of models said last of this one; Gemini's begin with models/, or do not."""
        bare = model.removeprefix("models/")
        return self._by_id.get(model) or self._by_id.get(bare) or self._by_id.get(f"models/{bare}")

    def takes(self, model: str) -> frozenset[str] | None:
        """The fields that its list of models says this one takes; None where it does not say."""
        served = self.served(model)
        return served.takes if served else None

    @property
    def engine(self) -> Engine:
        """What kind of server it is, as far as that is known without asking."""
        named = ENGINES.get(self._endpoint.engine)
        return named or owned_by(model.owner for model in self.listed)

    async def known_engine(self) -> Engine:
        """As engine, and where it is not known its list of models is asked for; never an error."""
        if not self.engine.name and not self.listed:
            with suppress(ChatError):
                await self.models()
        return self.engine

    @property
    def known_to_continue(self) -> str:
        """As continues(), as far as it is known without asking; else empty."""
        return self._endpoint.continues or self.engine.continues

    async def continues(self) -> str:
        """How it goes on with a reply, of WAYS_TO_CONTINUE: as its endpoint says, else as its server is
        known to. ChatError when it cannot, or when the server cannot be asked which it is."""
        way = self.known_to_continue
        if not way and not self.engine.name and not self.listed:
            await self.models()
            way = self.known_to_continue
        if not way:
            name = one_line(self._endpoint.name, 60)
            raise ChatError(f"{name} cannot go on with a reply.", "r answers again.")
        return way

    def check_completions(self) -> None:
        """ChatError when it is known to continue no texts; it names who does."""
        problem = completions_problem(self.engine, self._endpoint.name, self._endpoint.apis)
        if problem is not None:
            raise problem

    def _body(self, request: Request, begun: Begun | None) -> dict[str, Any]:
        setup, completes = request.setup, request.completes
        learned = self._learned(setup.model, completes)
        refused = self.refused(setup, request.logprobs, completes=completes)
        held = {one.name for one in refused if one.words.startswith(HELD)}
        known = self._endpoint.most_logprobs
        most = learned.most_logprobs if known is None else min(known, learned.most_logprobs)
        endpoint = self._endpoint
        if learned.as_switch:
            endpoint = replace(endpoint, counted_logprobs=False)
        made = request_body(
            endpoint,
            replace(
                request,
                setup=setup.without(one for one in refused if one.name in held),
                logprobs=0 if LOGPROBS[0] in held else min(request.logprobs, most),
            ),
            begun,
            usage=self.counts_replies,
        )
        if self._lessons.strict:
            return made
        body = {learned.renamed.get(name, name): value for name, value in made.items()}
        names = learned.names(self._endpoint.rename)
        dropped = {one.name for one in refused if one.name in learned.values}
        return {
            name: value
            for name, value in body.items()
            if names.get(name) not in dropped and not learned.leaves_out(name, names)
        }

    def _learn(
        self,
        learned: Learned,
        request: Request,
        body: Mapping[str, Any],
        refused: Refused,
        notice: Callable[[Refusal], None] | None,
    ) -> bool:
        """Whether the refusal names a field that can be renamed or left out; then it is, from now on."""
        if refused.status not in (400, 422) or self._lessons.strict:
            return False
        words = failures.server_words(refused.body, self._asked().key)
        rename = self._endpoint.rename
        told = met(learned, rename, body, refused.body, words, completes=request.completes)
        if told is None:
            return False
        if told.name == COUNT_FIELD:
            self._counts_refused = told
        elif told == UNTOLD:
            self._lessons.save_soon()
        else:
            self._lessons.insisted_on(self.place, request.setup.model).discard(told.name)
            self._lessons.save_soon()
            if notice is not None:
                notice(told)
        return True

    async def _streamed(
        self, client: AsyncOpenAI, request: Request, body: dict[str, Any], clock: Clock
    ) -> Ending | Refused:
        """One request and its stream; Refused when it was answered with an error status."""
        model = request.setup.model
        anew = not request.completes and not request.begun
        asked = self._asked(request.setup)
        arrived: list[Token] = []
        reader = Reader(arrived.append, thinks=anew, key=asked.key)
        failed: BaseException | None = None
        response: Response | None = None
        try:
            response = await client_of.begun(client, model, body, completes=request.completes)
            async with aclosing(client_of.read_events(response, reader.take)) as turns:
                async for _ in turns:
                    clock.take(arrived)
        except client_of.faults() as error:
            failed = error
        except ChatError as error:
            failed = error
        finally:
            if response is not None:
                with suppress(*client_of.faults()):
                    await response.aclose()
        # Raised out here, so that no traceback is chained to a cause that holds the key.
        if failed is not None and (refused := client_of.refused(failed)) is not None:
            return Refused(*refused, failures.explained(failed, asked))
        if failed is None and response is not None and not reader.chunks:
            failed = failures.not_an_api(*client_of.head(response), asked)
        if failed is not None:
            reader.broke(failures.explained(failed, asked, begun=clock.first is not None))
        try:
            ending = reader.ending()
        finally:
            clock.take(arrived)
        return finished(ending, asked.key, response.headers if response is not None else {}, clock)

    async def told(self, request: Request, **more: object) -> bytes:
        """The whole answer to a request as it was sent, for what is read in another way than a reply;
        `more` are fields besides. ChatError when there is none."""
        client, asked = await self._made(), self._asked(request.setup)
        learned = self._learned(request.setup.model, request.completes)
        path = "/completions" if request.completes else "/chat/completions"
        chat = request.begun and not request.completes
        begun = Begun(request.begun, await self.continues()) if chat else None
        for _ in range(MOST_REPEATS):
            body = self._body(request, begun)
            try:
                return await client_of.whole(client, path, body | more)
            except client_of.faults() as error:
                failed: BaseException = error
            words = failures.explained(failed, asked)
            answer = client_of.refused(failed)
            if answer is None or not self._learn(
                learned, request, body, Refused(*answer, words), None
            ):
                raise words
        raise words

    async def beside(self, path: str, body: object) -> Any:
        """What llama.cpp's server answers beside the API, parsed; None where it does not."""
        client = await self._made()
        try:
            return await client_of.at_root(client, path, body)
        except client_of.faults():
            return None

    def known_refusal(self, request: Request, name: str) -> str:
        """The words with which this model refused a field; empty when it did not."""
        refused = self.refused(request.setup, request.logprobs, completes=request.completes)
        return next((one.words for one in refused if one.name == name), "")

    async def models(self) -> tuple[ServedModel, ...]:
        """The models that the endpoint lists, in its order. ChatError when it cannot be asked."""
        body = await self._fetched("/models")
        # On a thread: there may be ten thousand.
        served = await asyncio.to_thread(listed, body)
        if served is None:
            if isinstance(body, Mapping) and body.get("error"):
                raise failures.from_stream(body, self._asked())
            text = body if isinstance(body, str) else ""
            raise failures.not_an_api("no list of models", text, self._asked())
        self._by_id = served
        self.forwards = self.forwards or any(map(made_elsewhere, served))
        self.listed = tuple(self._by_id.values())
        return self.listed

    async def count(self, setup: Setup, thread: Sequence[Message]) -> int | None:
        """The endpoint's own count of a request's tokens; None where it offers none or fails."""
        if not self._endpoint.counts_tokens:
            return None
        body = {"model": setup.model, "messages": wire_messages(setup, thread)}
        try:
            answer = await self._fetched("/chat/completions/input_tokens", body)
        except ChatError:
            return None
        tokens = answer.get("input_tokens") if isinstance(answer, Mapping) else None
        return tokens if type(tokens) is int and 0 <= tokens <= LARGEST else None

    async def _fetched(self, path: str, body: object = None) -> Any:
        """What a request that is no stream answers, parsed; ChatError when nothing could be."""
        client, seconds = await self._made(), min(self._read_seconds, READ_SECONDS)
        asked = replace(self._asked(), read_seconds=seconds)
        try:
            async with asyncio.timeout(seconds):
                if body is None:
                    return await client.get(path, cast_to=object)
                return await client.post(path, cast_to=object, body=body)
        except client_of.faults() as error:
            words, answer = failures.explained(error, asked), client_of.refused(error)
        words.status = answer[0] if answer else words.status
        raise words

    async def close(self) -> None:
        """Close the connections; the next use makes new ones."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(OSError):
                await client.close()
