"""The lens and the next token: a knob that is turned, a long reply that is opened, scrolled and kept.

A knob is turned in a running app, from the turn to the drawn bars, beside a redraw of the same screen in
which no bar has to be computed. The long reply is opened in a real terminal beside a short one.
"""

from __future__ import annotations

import asyncio
import math
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from textual.app import App, ComposeResult
from textual.containers import Vertical

from tests.benchmarks.scale import RUNS, Timing
from tests.fake_server import FakeServer
from tests.terminal import TUI_CHAT, Terminal, home_environment
from tui_chat.core.candidates import Candidate
from tui_chat.core.conversation import Conversation, Setup, Token, said
from tui_chat.core.engines import LLAMA_CPP
from tui_chat.core.looking import Look
from tui_chat.core.parameter import Value
from tui_chat.core.params import PARAMETERS, Params
from tui_chat.core.places import Place
from tui_chat.core.probabilities import packed
from tui_chat.core.store import Store
from tui_chat.widgets.next_token import NextToken
from tui_chat.widgets.sidebar import Sidebar

VOCABULARY = 49_152
"""Of the built-in model: all of it is reshaped at each turn."""
TOKENS, CANDIDATES = 5_000, 20
FRAME = 16.0
"""Milliseconds that a turn of a knob may take to the redrawn bars."""
OPENED = 100.0
"""Milliseconds from F4 to the lens."""
F4, PAGE_DOWN, ESCAPE = "\x1bOS", "\x1b[6~", "\x1b"
TURNS = 40
MIDDLE: dict[str, Value] = {
    one.name: one.at(0.6) for one in PARAMETERS[:2] if one.kind == "number"
} | {one.name: one.at(0.6) for one in PARAMETERS if one.name.endswith(("y_penalty", "e_penalty"))}
"""Values that can be turned both ways."""


@dataclass(frozen=True)
class Size:
    """What a reply's probabilities take on disk: stated, with a bar so that it stays so."""

    bytes: int
    bar: float = 150.0

    @property
    def each(self) -> float:
        return self.bytes / TOKENS

    @property
    def met(self) -> bool:
        return self.each <= self.bar

    def row(self) -> str:
        verdict = "met" if self.met else "MISSED"
        name = f"kept, {TOKENS:,} tokens × {CANDIDATES}"
        return (
            f"{name:<34}{self.bytes / 1000:>8.0f} kB   {self.each:.0f} bytes a token"
            f"   bar {self.bar:.0f}   {verdict}"
        )


def place() -> Place:
    """A whole vocabulary with the shape of a real one: a few likely tokens and a long tail."""
    dice = random.Random(1)
    scores = [-2.2 * math.log(1 + rank) + dice.gauss(0, 0.3) for rank in range(VOCABULARY)]
    total = math.log(math.fsum(map(math.exp, scores)))
    told = [Candidate(b"t%d" % rank, score - total) for rank, score in enumerate(scores)]
    counts = {b"t%d" % rank: 1 + rank % 3 for rank in range(0, 600, 10)}
    made = Place(told, vocabulary=VOCABULARY, counts=counts, in_32_bits=True)
    made.prepare()  # As a look does it, on a thread.
    return made


class _Knobs(App[None]):
    """The sidebar and the bars, as they stand in the column at the right."""

    CSS = "Vertical { width: 42; } Sidebar { height: auto; }"

    def __init__(self) -> None:
        super().__init__()
        self.drawn: asyncio.Event = asyncio.Event()

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Sidebar()
            yield NextToken()

    def on_sidebar_changed(self, event: Sidebar.Changed) -> None:
        self.query_one(NextToken).params = event.setup.params


async def _turned(name: str, params: Mapping[str, Value], *, empty: bool = False) -> list[float]:
    """Milliseconds of each turn, from the key to the end of the frame that shows it."""
    app, took = _Knobs(), []
    async with app.run_test(size=(42, 40)) as pilot:
        sidebar, bars = app.query_one(Sidebar), app.query_one(NextToken)
        if not empty:
            bars.look = Look(place(), LLAMA_CPP)
        sidebar.setup = Setup("fake", "m", params=Params(params))
        bars.params = sidebar.setup.params
        await pilot.pause()
        drawn = asyncio.Event()
        render = bars.render

        def seen() -> object:
            shown = render()
            drawn.set()
            return shown

        bars.render = seen  # type: ignore[method-assign, assignment]  # to see when it is drawn
        sidebar.cursor = name
        for turn in range(TURNS):
            # A frame later: what was drawn before is no part of this turn.
            await asyncio.sleep(0.05)
            drawn.clear()
            began = time.perf_counter()
            sidebar.action_step(1 if turn % 4 < 2 else -1)
            if empty:
                bars.refresh()
            await asyncio.wait_for(drawn.wait(), 5)
            # The strips are made of what was rendered in the same turn of the loop.
            await asyncio.sleep(0)
            took.append((time.perf_counter() - began) * 1000)
    return took


def knobs() -> list[Timing]:
    """Turning each kind of knob, beside a redraw of the same widgets without bars."""
    heat, nucleus = (one.name for one in PARAMETERS[:2])
    (penalty,) = (one.name for one in PARAMETERS if one.name.endswith("y_penalty"))
    empty = statistics.median(asyncio.run(_turned(heat, MIDDLE, empty=True)))
    kinds: dict[str, tuple[str, Mapping[str, Value]]] = {
        "a turn of temperature": (heat, MIDDLE),
        "a turn of temperature, nothing cut": (heat, {heat: 1.2}),
        "a turn of top p": (nucleus, MIDDLE),
        "a turn of a penalty": (penalty, MIDDLE),
        "a turn of a penalty, nothing cut": (penalty, {heat: 1.2, penalty: 0.5}),
    }
    rows = []
    for words, (name, params) in kinds.items():
        took = statistics.median(asyncio.run(_turned(name, params)))
        rows.append(Timing(words, took, empty, "bare: a redraw without bars", FRAME))
    return rows


# A long reply


def reply() -> list[Token]:
    dice = random.Random(2)
    words = [" the", " of", " model", " token", "ing", ",", " a", " it", " was", "."] + [
        f" w{number}" for number in range(3000)
    ]
    tokens = []
    for _ in range(TOKENS):
        top = sorted(
            (
                Candidate(dice.choice(words).encode(), -dice.expovariate(0.4))
                for _ in range(CANDIDATES)
            ),
            key=lambda one: -one.logprob,
        )
        chosen = top[min(int(dice.expovariate(0.7)), CANDIDATES - 1)]
        tokens.append(Token(chosen.text, chosen.logprob, tuple(top)))
    return tokens


async def _kept(home: Path, tokens: Sequence[Token]) -> None:
    database = home / "config" / "conversations.db"
    database.parent.mkdir(parents=True, exist_ok=True)
    store = await Store.open(database)
    conversation, question = Conversation("long", "Long"), said("user", "Tell me all.")
    await store.create(conversation, question)
    setup = Setup("environment", "fake-1", params=Params({"temperature": 0.7}))
    text = "".join(token.text for token in tokens)
    answer = replace(said("assistant", text, question.id, setup=setup), logprobs=CANDIDATES)
    await store.add(conversation.id, answer, packed(tokens))
    await store.set_state(
        "chat", '{"conversation":"long","endpoint":"environment","model":"fake-1"}'
    )
    await store.close()


@contextmanager
def _opened(home: Path, server: FakeServer) -> Iterator[Terminal]:
    environ = home_environment(
        home,
        OPENAI_BASE_URL=server.base_url,
        TUI_CHAT_CONFIG_DIR=str(home / "config"),
        TUI_CHAT_CACHE_DIR=str(home / "cache"),
    )
    with Terminal(TUI_CHAT, environ) as terminal:
        terminal.wait_for("ready", 60)
        yield terminal


def lens() -> list[Timing | Size]:
    """Knobs; then a reply of 5,000 tokens: opened, scrolled, and what it takes on disk."""
    tokens = reply()
    with (
        FakeServer() as server,
        tempfile.TemporaryDirectory() as long,
        tempfile.TemporaryDirectory() as short,
    ):
        asyncio.run(_kept(Path(long), tokens))
        asyncio.run(_kept(Path(short), tokens[:20]))
        took: dict[str, tuple[list[float], list[float]]] = {"open": ([], []), "page": ([], [])}
        with _opened(Path(long), server) as ours, _opened(Path(short), server) as other:
            for _ in range(RUNS):
                for side, terminal in enumerate((ours, other)):
                    took["open"][side].append(_key(terminal, F4, "token 1 of"))
                    took["page"][side].append(_key(terminal, PAGE_DOWN, "token "))
                    _settled(terminal)
                    terminal.type(ESCAPE)
                    _settled(terminal)
    median = statistics.median
    return [
        *knobs(),
        Timing(
            "F4, 5,000 tokens",
            median(took["open"][0]),
            median(took["open"][1]),
            "bare: 20 tokens",
            OPENED,
        ),
        Timing(
            "a page down in it",
            median(took["page"][0]),
            median(took["page"][1]),
            "bare: 20 tokens",
            OPENED,
        ),
        Size(len(packed(tokens))),
    ]


def _key(terminal: Terminal, key: str, words: str) -> float:
    terminal.forget()
    began = time.monotonic()
    terminal.type(key)
    return (terminal.wait_for(words) - began) * 1000


def _settled(terminal: Terminal) -> None:
    while terminal.read(0.3):
        pass
