"""How it looks: pictures of the screen, compared with those that README shows.

`python -m tests.test_looks` draws them anew; look at them before committing.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from textual.widgets import Input

from tests import told
from tests.rooms.house import House, environment, open_house, wait_until
from tests.rooms.styled import parse_styles_once
from tui_chat.core.conversation import Conversation, Message, Setup, Usage
from tui_chat.core.opening import Opening
from tui_chat.core.params import Params
from tui_chat.core.store import Store

LOOKS = Path(__file__).parent / "looks"
ENDPOINT = {"OPENAI_API_KEY": "sk-not-a-key"}
NOON = 1_772_971_200_000
"""Of a day in March 2026."""
REPLY = """A capital do Brasil é **Brasília**, desde 21 de abril de 1960.

| Cidade | Foi capital |
|---|---|
| Salvador | 1549–1763 |
| Rio de Janeiro | 1763–1960 |
| Brasília | desde 1960 |

```python
capital = {"Brasil": "Brasília"}
print(capital["Brasil"])  # Brasília
```
"""


def lesson() -> Conversation:
    """A conversation with all that a reply may have, at fixed times."""
    setup = Setup("openai", "gpt-4.1-mini", params=Params({"temperature": 0.7, "top_p": 1.0}))
    asked = Message("q1", None, "user", "Qual é a capital do Brasil?", created=NOON)
    reply = Message("a2", "q1", "assistant", REPLY, setup=setup, created=NOON + 3)
    reply = replace(
        reply,
        usage=Usage(14, 96, first_token_seconds=0.2, seconds=1.1),
        finish_reason="stop",
    )
    other = replace(reply, id="a1", content="Brasília.", created=NOON + 2)
    return Conversation("lesson", "Capital do Brasil", [asked, other, reply], "a2", NOON)


def older() -> list[Conversation]:
    """What else was said, at fixed days."""
    talks = (
        (
            "How does temperature change the next token?",
            "It divides the logits before the softmax: below 1 the likeliest token gains, above 1 the"
            " others do. At temperature 0 the choice is greedy.",
            "smollm2-135m-instruct",
            0.2,
        ),
        (
            "Escreva um haicai sobre Brasília",
            "Asas de concreto,\no céu cabe na capital:\nninguém olha o chão.",
            "gpt-4.1-mini",
            1.2,
        ),
        ("巴西的首都是哪里?", "巴西的首都是巴西利亚。", "gpt-4.1-mini", 0.7),
        (
            "Name three stop sequences that end a list",
            "A blank line, `11`, and the word END: the capital letters matter.",
            "smollm2-135m-instruct",
            0.7,
        ),
        ("What did Kubitschek promise?", "Fifty years in five, and a new capital.", "gpt-4.1", 1.0),
    )
    made = []
    for day, (question, answer, model, temperature) in enumerate(talks):
        at = 1_772_452_800_000 + day * 86_400_000
        setup = Setup("openai", model, params=Params({"temperature": temperature}))
        asked = Message(f"q{day}x", None, "user", question, created=at)
        reply = Message(
            f"a{day}x",
            asked.id,
            "assistant",
            answer,
            setup=setup,
            usage=Usage(14, 31, first_token_seconds=0.2, seconds=0.6),
            finish_reason="stop",
            created=at + 1000,
        )
        made.append(Conversation(f"talk{day}", question, [asked, reply], reply.id, at))
    return made


async def _prepare(directory: Path) -> None:
    places = Path(environment(directory)["TUI_CHAT_CONFIG_DIR"])
    store = await Store.open(places / "conversations.db")
    for talk in older():
        await store.create(talk, talk.messages[0])
        await store.add(talk.id, talk.messages[1])
    await store.star(["talk1"])
    await store.tag(["talk0", "talk3"], "course")
    conversation = lesson()
    first, *rest = conversation.messages
    await store.create(conversation, first)
    for message in rest:
        await store.add(conversation.id, message)
    session = (
        '{"conversation":"lesson","endpoint":"openai","model":"gpt-4.1-mini","preset":"Balanced",'
    )
    session += '"params":{"temperature":0.7,"stop":["11"]}}'
    await store.set_state("chat", session)
    await store.close()


@dataclass(frozen=True)
class Scene:
    """What to draw: the keys are pressed, and these words are waited for."""

    size: tuple[int, int]
    theme: str = "textual-dark"
    keys: tuple[str, ...] = ()
    words: str = "complete"
    told: bool = False
    """Whether it is of conversations with probabilities."""


SCENES: dict[str, Scene] = {
    "chat-120x40": Scene((120, 40), keys=("f2",), words="← → Change"),
    "chat-80x24": Scene((80, 24)),
    "chat-60x16": Scene((60, 16)),
    "chat-light-120x40": Scene((120, 40), "textual-light"),
    "presets-120x40": Scene((120, 40), keys=("f6", "down", "down"), words="falls apart"),
    "saved-80x24": Scene((80, 24), keys=("f3",), words="● Capital"),
    "review-120x40": Scene((120, 40), keys=("f3", *"capital"), words=" hits"),
    "review-80x24": Scene((80, 24), keys=("f3", *"capital"), words=" hits"),
    "review-light-120x40": Scene(
        (120, 40), "textual-light", keys=("f3", "tab", "s", "space"), words="1 marked"
    ),
    **{
        f"{name}{mode}-{width}x{height}": Scene((width, height), theme, keys, words, told=True)
        for name, keys, words in (
            ("next", (*"Peru?", "f2"), "others"),
            ("lens", ("f4", "n", "n"), "perplexity"),
            ("text", ("f8",), "Another"),
        )
        for mode, theme in (("", "textual-dark"), ("-light", "textual-light"))
        for width, height in ((120, 40), (80, 24))
    },
    "help-120x40": Scene((120, 40), keys=("f1",), words="Everywhere"),
}


def _starts() -> list[tuple[str, ...]]:
    """The scenes by starts of the program: those that differ only in the theme share one."""
    starts: dict[Scene, list[str]] = {}
    for name, scene in SCENES.items():
        starts.setdefault(replace(scene, theme=""), []).append(name)
    return [tuple(names) for names in starts.values()]


STARTS = _starts()


async def drawn(names: tuple[str, ...], directory: Path) -> dict[str, str]:
    """The pictures of the scenes of one start, as SVG."""
    scene = SCENES[names[0]]
    themes = {name: SCENES[name].theme for name in names}
    if not scene.told:
        await _prepare(directory)
        return await _pictured(scene, themes, directory, ENDPOINT)
    with told.server() as server:
        config = Path(environment(directory)["TUI_CHAT_CONFIG_DIR"])
        await told.keep(config, server.base_url)
        return await _pictured(scene, themes, directory, {})


async def _pictured(
    scene: Scene, themes: Mapping[str, str], directory: Path, environ: Mapping[str, str]
) -> dict[str, str]:
    opening = Opening()
    async with open_house(directory, size=scene.size, environ=environ, opening=opening) as house:
        if scene.told:
            # As if something had been asked in this run: before, a server is not asked by the way.
            (await house.chat.world.provider(told.NAME)).used = True
            house.chat.count_soon()
        await wait_until(lambda: house.chat.meter.reading.context is not None, "tokens are counted")
        typed = False
        for key in scene.keys:
            if not (typed and len(key) == 1):
                await _settled(house)  # What the key before opens is there.
            await house.press(key)
            typed = len(key) == 1
        await wait_until(lambda: scene.words in house.screen_text(), scene.words)
        pictures = {}
        for name, theme in themes.items():
            house.app.theme = theme
            for field in house.app.screen.query(Input):
                field.cursor_blink = False  # Else the picture is of a moment.
            await _settled(house)
            pictures[name] = house.app.export_screenshot(title="tui-chat")
        return pictures


async def _settled(house: House) -> None:
    """Until nothing changes any more: counts are shown, lists are read."""
    before, same = "", 0
    while same < 5:
        await house.pilot.pause(0.05)
        now = house.screen_text()
        same = same + 1 if now == before else 0
        before = now


def comparable(svg: str) -> str:
    """A picture without what differs between two runs of the same screen."""
    svg = re.sub(r"terminal-\d+", "terminal", svg)
    return re.sub(r"\b\d\d:\d\d\b", "00:00", svg)


@pytest.fixture(autouse=True)
def _parse_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parse_styles_once(monkeypatch)


@pytest.mark.parametrize("names", STARTS, ids=" ".join)
async def test_it_looks_as_in_its_pictures(names: tuple[str, ...], tmp_path: Path) -> None:
    for name, svg in (await drawn(names, tmp_path)).items():
        picture = LOOKS / f"{name}.svg"
        assert comparable(svg) == comparable(picture.read_text("utf-8")), (
            f"look at {name}; when it is meant: python -m tests.test_looks"
        )


def main() -> None:
    asked = sys.argv[1:] or SCENES
    for names in STARTS:
        if not set(names).isdisjoint(asked):
            with tempfile.TemporaryDirectory() as directory:
                pictures = asyncio.run(drawn(names, Path(directory)))
            for name in set(names).intersection(asked):
                (LOOKS / f"{name}.svg").write_text(pictures[name], "utf-8")


if __name__ == "__main__":
    main()
