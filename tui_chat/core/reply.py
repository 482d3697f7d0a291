"""ask(): the one path a reply takes, for every room and for the command line.

A reply is kept however it ends, and its status says how; error text never becomes content.
What has arrived is on disk within CHECKPOINT_SECONDS, and a disk that refuses never
costs the words on the screen.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Protocol

from tui_chat.core import counting
from tui_chat.core.chunks import Ending
from tui_chat.core.conversation import COMPLETION, Message, Refusal, Token, Usage
from tui_chat.core.errors import ChatError, Gone
from tui_chat.core.probabilities import packed
from tui_chat.core.provider import Provider
from tui_chat.core.unsaved import Unsaved
from tui_chat.core.waiting import Wait, patiently
from tui_chat.core.wire import Request, spoken, written

CHECKPOINT_SECONDS = 0.25
"""At most this much of a reply is lost to a kill or a power cut."""
WRITE_EVERY = 0.15
"""Seconds from the beginning of one checkpoint to that of the next: what is left is for writing it, which
takes up to 30 ms on a busy disk."""
_REST = 0.05
"""Between two checkpoints where the disk takes longer than that."""


class Keep(Protocol):
    """Where a reply is kept while it grows; core.store.Store is one. `append` is called from a thread that has
    an event loop of its own."""

    async def add(self, conversation_id: str, message: Message, tokens: bytes = b"") -> None: ...
    async def append(
        self, message_id: str, text: str, reasoning: str = "", tokens: bytes = b""
    ) -> None: ...
    async def finish(self, message: Message, tokens: bytes = b"") -> None: ...


async def ask(
    provider: Provider,
    thread: Sequence[Message],
    reply: Message,
    *,
    sink: Callable[[Token], None],
    notice: Callable[[Refusal], None] | None = None,
    record: Recorder | None = None,
    before: Sequence[Token] = (),
    wait: Callable[[Wait | None], None] = lambda wait: None,
) -> Message:
    """Answer the thread; `reply` is the streaming message that its answer fills: where there is content
    in it already, the answer goes on from there, and `before` are the tokens of that, where they are known.
    Where the reply asks for logprobs, what is known of its tokens is recorded with it.

    Returns the reply as it ended; it never raises for what the world did. Cancelling the task
    stops the reply: it is kept as `stopped` and returned, with the server already released.
    `sink` is called for each token, on the event loop, and must not block. A server that is busy for a moment
    is asked once more: `wait` is told each second how long that is, then None. Who is stopped meanwhile
    has failed.
    """
    setup = reply.setup
    assert setup is not None, "a reply remembers its setup"
    logprobs, completes = reply.logprobs, reply.way == COMPLETION
    known = partial(provider.refused, setup, logprobs, completes=completes)
    # Also what was learned before: a reply that a kill breaks off has it in its first row.
    reply = replace(reply, refused=known())
    answer = _Answer(reply, sink, before)
    try:
        if record is not None:
            await record.begin(answer)
        request = Request(setup, thread, reply.content, completes, reply.suffix, logprobs)

        def send() -> Awaitable[Ending]:
            answer.begin()
            return provider.reply(request, answer.take, notice=notice)

        ending = await patiently(send, lambda: answer.begun, wait)
        final = answer.ended(ending)
    except ChatError as error:
        final = answer.failed(error, known())
    except Exception as error:  # noqa: BLE001  # a fault of ours must leave no reply that never ends
        final = answer.failed(_fault(error), known())
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) is not None:
            task.uncancel()
        final = answer.stopped(known())
    return await _whole(_close(answer, final, thread, record))


def _fault(error: Exception) -> ChatError:
    # Without its words, which may hold what was sent.
    return ChatError(
        f"Something in the program went wrong ({type(error).__name__}).",
        "Send it again, perhaps with other parameters or another endpoint.",
    )


async def _whole(closing: Coroutine[None, None, Message]) -> Message:
    """The message once it is closed, however often whoever waits for it is cancelled meanwhile."""
    task = asyncio.ensure_future(closing)
    while True:
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise
            if (waiting := asyncio.current_task()) is not None:
                waiting.uncancel()


async def _close(
    answer: _Answer, final: Message, thread: Sequence[Message], record: Recorder | None
) -> Message:
    if final.usage.completion_tokens is None and final.status != "failed":
        final = await asyncio.to_thread(_estimated, final, thread, answer.reply)
    if record is not None:
        await record.end(final, await asyncio.to_thread(packed, answer.tokens()))
    return final


_Mark = tuple[int, int, int]
"""How many pieces there are of the content and of the reasoning, and how many tokens."""


class _Answer:
    """What has arrived of one reply, and how long it took."""

    def __init__(
        self, reply: Message, sink: Callable[[Token], None], before: Sequence[Token] = ()
    ) -> None:
        # Whatever is known of what it begins with, the texts add up to the reply.
        self._before = list(before) or ([Token(reply.content)] if reply.content else [])
        self._told = any(token.logprob is not None for token in before)
        self._tokens: list[Token] = []
        """Those of the content, as they came, with their probabilities."""
        self.reply = reply
        self.arrived = threading.Event()
        self._growing = threading.Lock()
        self._sink = sink
        self._content: list[str] = []
        self._reasoning: list[str] = []
        self._first: float | None = None
        self._written = (0, 0, 0)
        self.begin()

    def begin(self) -> None:
        """The request is sent now."""
        self._started = time.monotonic()

    @property
    def begun(self) -> bool:
        """Whether anything of it has arrived."""
        return self._first is not None

    def take(self, token: Token) -> None:
        if self._first is None:
            self._first = time.monotonic() - self._started
        with self._growing:
            if token.reasoning:
                self._reasoning.append(token.text)
            else:
                self._content.append(token.text)
                self._tokens.append(token)
                self._told = self._told or token.logprob is not None
        if not self.arrived.is_set():
            self.arrived.set()
        self._sink(token)

    def news(self, mark: _Mark) -> tuple[str, str, Sequence[Token]]:
        """The content, the reasoning and the tokens that came after what `wrote` was last told, up to a mark."""
        content, reasoning, tokens = self._written
        return (
            "".join(self._content[content : mark[0]]),
            "".join(self._reasoning[reasoning : mark[1]]),
            self._known([*([] if tokens else self._before), *self._tokens[tokens : mark[2]]]),
        )

    def tokens(self) -> Sequence[Token]:
        """All tokens of the content, where probabilities of any are known; else none."""
        return self._known([*self._before, *self._tokens])

    def _known(self, tokens: Sequence[Token]) -> Sequence[Token]:
        return tokens if self._told else ()

    def mark(self) -> _Mark:
        """How much of it there is; for any thread."""
        with self._growing:
            return len(self._content), len(self._reasoning), len(self._tokens)

    def wrote(self, mark: _Mark) -> None:
        """So much of it is on disk."""
        self._written = mark

    def ended(self, ending: Ending) -> Message:
        return replace(
            self.so_far(),
            status=ending.status,
            error=ending.error or self._nothing_said(ending),
            usage=self._timed(ending.usage),
            refused=ending.refused,
            finish_reason=ending.finish_reason,
            request_id=ending.request_id,
        )

    def failed(self, error: ChatError, refused: tuple[Refusal, ...]) -> Message:
        return replace(self.so_far(), status="failed", error=str(error), refused=refused)

    def stopped(self, refused: tuple[Refusal, ...]) -> Message:
        return replace(self.so_far(), status="stopped", refused=refused)

    def _nothing_said(self, ending: Ending) -> str:
        if any(self._content) or ending.status not in ("complete", "length"):
            return ""
        if self.reply.content:
            return "The model had nothing to add."
        return "The model answered with nothing."

    def so_far(self) -> Message:
        """The reply with what has arrived, still streaming."""
        return replace(
            self.reply,
            content=self.reply.content + "".join(self._content),
            reasoning=self.reply.reasoning + "".join(self._reasoning),
            usage=self._timed(Usage()),
        )

    def _timed(self, usage: Usage) -> Usage:
        return replace(
            usage, first_token_seconds=self._first, seconds=time.monotonic() - self._started
        )


class Recorder:
    """Writes a growing reply to its keep: at its first token, then at most every WRITE_EVERY. It does so in a
    thread of its own, so that what is on the screen is on disk in time however busy the event loop is.

    A write that fails is told to `trouble` (once for each different sentence) and tried again
    with the next, also when nothing more arrives; what was not written stays in memory, and is told
    of in `unsaved`. Where there is no place for it any more, it is given up.
    """

    def __init__(
        self,
        keep: Keep,
        conversation_id: str,
        trouble: Callable[[ChatError], None],
        unsaved: Unsaved | None = None,
    ) -> None:
        self._keep = keep
        self._conversation_id = conversation_id
        self._trouble = trouble
        self._told = set[str]()
        self._unsaved = unsaved or Unsaved()
        self.unwritten: Message | None = None
        """The reply as it ended, while the disk does not take it."""
        self._tokens = b""
        self._row: asyncio.Task[bool] | None = None
        self._loop = asyncio.get_running_loop()
        self._answer: _Answer | None = None
        self._ending = threading.Event()
        self._ended = Future[None]()

    async def begin(self, answer: _Answer) -> None:
        await self._add(answer.reply)
        self._answer = answer
        # One that is left when the program ends does not keep it.
        name = "recorder"
        threading.Thread(target=self._run, args=(answer,), name=name, daemon=True).start()

    async def _add(self, message: Message, tokens: bytes = b"") -> bool:
        # Whoever is cancelled here must still learn whether there is a row.
        adding = self._keep.add(self._conversation_id, message, tokens)
        self._row = asyncio.create_task(self._tried(adding))
        return await asyncio.shield(self._row)

    async def end(self, final: Message, tokens: bytes = b"") -> None:
        if self._answer is not None:
            self._ending.set()
            self._answer.arrived.set()
            ended = asyncio.wrap_future(self._ended)
            await asyncio.gather(ended, return_exceptions=True)
        self.unwritten, self._tokens = final, tokens
        await self.retry()

    # In its thread

    def _run(self, answer: _Answer) -> None:
        try:
            with asyncio.Runner() as runner:
                while not self._ending.is_set():
                    self._checkpoint(answer, runner)
        except BaseException as error:  # noqa: BLE001  # raised where the end is waited for
            self._ended.set_exception(error)
        else:
            self._ended.set_result(None)

    def _checkpoint(self, answer: _Answer, runner: asyncio.Runner) -> None:
        answer.arrived.wait()
        if self._ending.is_set():
            return  # What is left is written with the end.
        answer.arrived.clear()
        began = time.monotonic()
        if (mark := runner.run(self._written(answer))) is not None:
            answer.wrote(mark)
        else:
            answer.arrived.set()
        self._ending.wait(max(began + WRITE_EVERY - time.monotonic(), _REST))

    async def _written(self, answer: _Answer) -> _Mark | None:
        """Write what is new; up to where that was, or None where it could not be."""
        if self._row is None or not self._row.result():
            again = asyncio.run_coroutine_threadsafe(self._again(answer), self._loop)
            return await asyncio.wrap_future(again)
        mark = answer.mark()
        content, reasoning, tokens = answer.news(mark)
        kept = packed(tokens) if tokens else b""
        try:
            await self._keep.append(answer.reply.id, content, reasoning, kept)
        except ChatError as error:
            self._tell(partial(self._failed, error))
            return mark if isinstance(error, Gone) else None
        self._tell(partial(self._unsaved.written, self))
        return mark

    def _tell(self, what: Callable[[], object]) -> None:
        # After the loop's end there is nobody to be told.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(what)

    # On the event loop

    async def _again(self, answer: _Answer) -> _Mark | None:
        mark, so_far, known = answer.mark(), answer.so_far(), answer.tokens()
        return mark if await self._add(so_far, await asyncio.to_thread(packed, known)) else None

    async def retry(self) -> bool:
        """Try once more to write the end of the reply; whether nothing is left to write."""
        if (final := self.unwritten) is not None:
            added = self._row is not None and await self._row
            writing = (
                self._keep.finish(final, self._tokens)
                if added
                else self._keep.add(self._conversation_id, final, self._tokens)
            )
            if await self._tried(writing):
                self.unwritten = None
        return self.unwritten is None

    async def _tried(self, writing: Awaitable[None]) -> bool:
        try:
            await writing
        except ChatError as error:
            return self._failed(error)
        self._unsaved.written(self)
        return True

    def _failed(self, error: ChatError) -> bool:
        """Tell of what was not written; whether it is given up."""
        if error.message not in self._told:
            self._told.add(error.message)
            self._trouble(error)
        if isinstance(error, Gone):
            self._unsaved.written(self)
            return True
        self._unsaved.failed(self, error)
        return False


def _estimated(reply: Message, thread: Sequence[Message], begun: Message) -> Message:
    """The reply with token counts of our own, for servers that sent none. Blocks: for a thread.

    What the reply had begun with is of the prompt.
    """
    assert reply.setup is not None
    encoding, _ = counting.encoding_for(reply.setup.model, openai=False)
    if begun.way == COMPLETION:
        prompt = counting.count_text(written([*thread, begun]), encoding)
    else:
        prompt = counting.count_messages(spoken(reply.setup, [*thread, begun]), encoding)
    usage = replace(
        reply.usage,
        prompt_tokens=prompt,
        completion_tokens=counting.count_text(
            reply.content[len(begun.content) :] + reply.reasoning[len(begun.reasoning) :], encoding
        ),
        estimated=True,
    )
    return replace(reply, usage=usage)
