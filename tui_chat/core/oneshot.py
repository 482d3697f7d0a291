"""What the program says without a screen: one answer, its places, its state of health.

Plain text on standard output, one sentence on standard error when something failed, and an
exit code; no escape sequence of anybody's.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import platform
import sys

from tui_chat.core.conversation import Conversation, Message, Setup, Token, begun, said, title_from
from tui_chat.core.database import SQLITE_VERSION
from tui_chat.core.endpoints import BUILT_IN
from tui_chat.core.errors import ChatError
from tui_chat.core.formats import jsonl
from tui_chat.core.keys import key_source
from tui_chat.core.local.model import SMOLLM2, Progress, model_path
from tui_chat.core.opening import Opening
from tui_chat.core.params import label_of
from tui_chat.core.reply import Recorder, ask
from tui_chat.core.text import clean, one_line
from tui_chat.core.world import World

_PACKAGES = (
    "textual",
    "openai",
    "tiktoken",
    "xllamacpp",
    "platformdirs",
    "tomlkit",
    "genai-prices",
)


class Unwritten(Exception):
    """Standard output takes no more; `reason` is what the system said."""

    def __init__(self, reason: OSError) -> None:
        super().__init__(str(reason))
        self.reason = reason


def put(text: str, *, now: bool = False) -> None:
    """Write to standard output, through to its other end when it is to be seen `now`."""
    try:
        sys.stdout.write(text)
        if now:
            sys.stdout.flush()
    except OSError as error:
        # Other things fail with an OSError too, and are not the output's fault.
        raise Unwritten(error) from error


async def ask_once(world: World, opening: Opening, text: str, *, as_json: bool, save: bool) -> int:
    """Answer one question on standard output. 0 when complete or length, 130 when stopped, else 1.

    Unwritten when standard output takes no more; the reply is stopped then.
    """
    try:
        setup = opening.applied_to(world.first_setup() or Setup(BUILT_IN, SMOLLM2.id))
        if setup.endpoint == BUILT_IN and not world.model_ready:
            await world.fetch_model(_Counter())
        setup = await world.settled(setup)
        question = said("user", clean(text))
        sent = world.as_sent(setup)
        for name in (name for name in setup.params if name not in sent.params):
            words = f"{label_of(name)} was not sent: {setup.endpoint} does not know it."
            sys.stderr.write(f"tui-chat: {words}\n")
        reply = begun(question.id, sent)
        preset = opening.preset.name if opening.preset else ""
        recorder = await _recorder(world, question, preset) if save else None
        provider = await world.provider(setup.endpoint)
        printer = _Printer(as_json)
        final = await ask(provider, [question], reply, sink=printer, record=recorder)
    finally:
        await world.close()
    if printer.trouble is not None:
        raise printer.trouble
    _finish(final, as_json)
    return {"complete": 0, "length": 0, "stopped": 130}.get(final.status, 1)


class _Printer:
    """The words on standard output as they come; none with --json, which prints the message at its end."""

    def __init__(self, as_json: bool) -> None:
        self._silent = as_json
        self.trouble: Unwritten | None = None

    def __call__(self, token: Token) -> None:
        if token.reasoning or self._silent:
            return
        try:
            put(token.text, now=True)
        except Unwritten as error:
            # As it is, it would pass for a fault of the network; what nobody reads is stopped instead.
            self.trouble = error
            raise asyncio.CancelledError from error


def _finish(final: Message, as_json: bool) -> None:
    if as_json:
        row = jsonl.message_object(final)
        for inner in ("id", "parent", "role", "created"):
            del row[inner]
        put(jsonl.dumped(row) + "\n", now=True)
    elif final.content and not final.content.endswith("\n"):
        put("\n", now=True)
    for refusal in (one for one in final.refused if not one.sent_as and not one.unasked):
        label = label_of(refusal.name)
        sys.stderr.write(f"tui-chat: {label} was refused: {refusal.words}\n")
    if final.error:
        sys.stderr.write(f"tui-chat: {one_line(final.error, 600)}\n")


async def _recorder(world: World, question: Message, preset: str) -> Recorder:
    store = await world.store()
    conversation = Conversation(title=title_from(question.content), preset=preset)
    await store.create(conversation, question)

    def trouble(error: ChatError) -> None:
        sys.stderr.write(f"tui-chat: {error}\n")

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


def paths(world: World) -> int:
    """Say where things are kept."""
    places = world.places
    rows = {
        "conversations": places.database,
        "presets": places.presets,
        "settings": places.settings,
        "backups": places.backups,
        "models": places.models,
        "logs": places.logs,
    }
    for name, path in rows.items():
        put(f"{name:<14}{path}\n")
    return 0


async def doctor(world: World) -> int:
    """Say what this installation is made of and what it finds; asks nothing of any network."""
    put(f"{'python':<14}{platform.python_version()} on {platform.platform()}\n")
    for package in ("tui-chat", *_PACKAGES):
        put(f"{package:<14}{_version(package)}\n")
    put(f"{'sqlite':<14}{SQLITE_VERSION}\n\n")
    paths(world)
    put("\n")
    model = model_path(world.places.models, SMOLLM2)
    state = str(model) if world.model_ready else "not fetched yet"
    put(f"{'built-in':<14}{SMOLLM2.title}: {state}\n")
    for endpoint in world.endpoints:
        where = endpoint.base_url or endpoint.gguf or "on this machine"
        key = key_source(endpoint, world.environ)
        put(f"{endpoint.name:<14}{where}   key: {key}\n")
    for problem in world.settings.problems:
        put(f"problem       {problem}\n")
    return await _saved(world)


async def _saved(world: World) -> int:
    try:
        store = await world.store()
        newest = await store.headlines(limit=1)
    except ChatError as error:
        put(f"problem       {error}\n")
        return 1
    finally:
        await world.close()
    words = f"newest “{newest[0].title}”" if newest else "none saved yet"
    put(f"{'conversations':<14}{words}\n")
    return 0


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
