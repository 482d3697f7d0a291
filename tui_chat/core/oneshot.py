"""One answer, or one text continued, without a screen: `ask` and `complete`.

Plain text on standard output, one sentence on standard error when something failed, and an
exit code; no escape sequence of anybody's.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, replace

from tui_chat.core.conversation import (
    COMPLETION,
    COUNT_FIELD,
    LOGPROBS_FIELD,
    Conversation,
    Message,
    Setup,
    Token,
    begun,
    said,
    title_from,
)
from tui_chat.core.endpoints import BUILT_IN
from tui_chat.core.errors import ChatError
from tui_chat.core.formats import jsonl
from tui_chat.core.heeding import told_of
from tui_chat.core.local.model import SMOLLM2, Progress
from tui_chat.core.opening import Opening
from tui_chat.core.output import Unwritten, put, tell
from tui_chat.core.provider import Provider
from tui_chat.core.reply import Recorder, ask
from tui_chat.core.text import clean, one_line
from tui_chat.core.waiting import Wait
from tui_chat.core.world import World


@dataclass(frozen=True)
class Wanted:
    """What is asked for on the command line besides the setup."""

    text: str
    """A question; with `completes` the text that is continued, to the letter."""
    completes: bool = False
    as_json: bool = False
    save: bool = False
    logprobs: int = 0
    """How many candidates at each place are printed with the JSON."""


async def ask_once(world: World, opening: Opening, wanted: Wanted) -> int:
    """One reply on standard output. 0 when complete or length, 130 when stopped, else 1.

    Unwritten when standard output takes no more; the reply is stopped then.
    """
    try:
        setup = opening.applied_to(world.first_setup() or Setup(BUILT_IN, SMOLLM2.id))
        if wanted.completes:
            # It is known without a key, and before anything is fetched or kept.
            Provider(world.endpoint(setup.endpoint), None).check_completions()
        if setup.endpoint == BUILT_IN and not world.model_ready:
            await world.fetch_model(_Counter())
        sent = _as_sent(await world.settled(setup), wanted)
        question = said("user", clean(wanted.text))
        way = COMPLETION if wanted.completes else ""
        reply = begun(question.id, sent, way=way, logprobs=wanted.logprobs)
        preset = opening.preset.name if opening.preset else ""
        recorder = await _recorder(world, question, preset) if wanted.save else None
        provider = await world.provider(setup.endpoint)
        printer = _Printer(wanted.as_json)
        final = await ask(provider, [question], reply, sink=printer, record=recorder, wait=_Waits())
    finally:
        await world.close()
    if printer.trouble is not None:
        raise printer.trouble
    _finish(final, printer.tokens, wanted)
    if wanted.save:
        from tui_chat.core.backups import back_up_at_the_end

        if trouble := await asyncio.to_thread(back_up_at_the_end, world.places):
            tell(trouble)
    return {"complete": 0, "length": 0, "stopped": 130}.get(final.status, 1)


def _as_sent(setup: Setup, wanted: Wanted) -> Setup:
    """The setup without what a text has not, which is told."""
    if wanted.completes and setup.system:
        tell("The system prompt was not sent: a text that is continued has none.")
        return replace(setup, system="")
    return setup


class _Printer:
    """The words on standard output as they come; none with --json, which prints the message at its end."""

    def __init__(self, as_json: bool) -> None:
        self._silent = as_json
        self.tokens: list[Token] = []
        """Those of the content."""
        self.trouble: Unwritten | None = None

    def __call__(self, token: Token) -> None:
        if token.reasoning:
            return
        self.tokens.append(token)
        if self._silent:
            return
        try:
            put(token.text, now=True)
        except Unwritten as error:
            # As it is, it would pass for a fault of the network; what nobody reads is stopped instead.
            self.trouble = error
            raise asyncio.CancelledError from error


class _Waits:
    """Says once on standard error that a busy server is waited for, and how long."""

    def __init__(self) -> None:
        self._told = False

    def __call__(self, wait: Wait | None) -> None:
        if wait is not None and not self._told:
            self._told = True
            tell(f"{wait.words}.")


def _finish(final: Message, tokens: list[Token], wanted: Wanted) -> None:
    if wanted.as_json:
        row = jsonl.message_object(final)
        for inner in ("id", "parent", "role", "created"):
            del row[inner]
        if wanted.logprobs:
            row["tokens"] = [_token_object(token) for token in tokens]
        put(jsonl.dumped(row) + "\n", now=True)
    elif final.content and not final.content.endswith("\n"):
        put("\n", now=True)
    # Probabilities were asked for by a person here, the count of tokens by nobody.
    refused = [one for one in final.refused if not one.sent_as and one.name != COUNT_FIELD]
    for one in refused:
        tell(told_of(one))
    if wanted.logprobs and tokens and all(one.name != LOGPROBS_FIELD for one in refused):
        _tell_of_fewer(final, tokens, wanted.logprobs)
    if final.error:
        tell(one_line(final.error, 600))


def _tell_of_fewer(final: Message, tokens: list[Token], asked: int) -> None:
    """Say where the endpoint gave less than it was asked for."""
    assert final.setup is not None
    name, most = final.setup.endpoint, max(len(token.top) for token in tokens)
    if all(token.logprob is None for token in tokens):
        tell(f"{name} gave no probabilities.")
    elif not most:
        tell(f"{name} gave no candidates, only the logprob of each token.")
    elif most < asked:
        tell(f"{name} gave at most {most} candidates at a place, not {asked}.")


def _token_object(token: Token) -> dict[str, object]:
    """A token with its candidates; whatever is not known of it, the keys are there."""
    top = [_entry(one.text, one.logprob, one.raw) for one in token.top]
    return _entry(token.text, token.logprob, token.raw) | {"top": top}


def _entry(text: str, logprob: float | None, raw: bytes) -> dict[str, object]:
    """With its bytes where they are not its text: in a part of a character, or what was cleaned."""
    known: dict[str, object] = {"text": text, "logprob": logprob}
    return known if raw == text.encode() else known | {"bytes": list(raw)}


async def _recorder(world: World, question: Message, preset: str) -> Recorder:
    store = await world.store()
    if store.notice:
        tell(store.notice)
    conversation = Conversation(title=title_from(question.content), preset=preset)
    await store.create(conversation, question)

    def trouble(error: ChatError) -> None:
        tell(str(error))

    return Recorder(store, conversation.id, trouble)


class _Counter:
    """The progress of a fetch on standard error: one line that counts, or a few where none can."""

    def __init__(self) -> None:
        self._shown = -1
        self._live = sys.stderr.isatty()

    def __call__(self, progress: Progress) -> None:
        percent = 100 * progress.done // max(1, progress.total)
        step = percent if self._live else percent // 25
        if step == self._shown:
            return
        self._shown = step
        words = f"{progress.step} {SMOLLM2.title}: {percent} % of {progress.total / 1e6:.0f} MB"
        end = "\r" if self._live and progress.step != "checking" else "\n"
        sys.stderr.write(f"tui-chat: {words}   {end}")
        sys.stderr.flush()
