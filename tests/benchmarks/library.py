"""A large library of saved conversations, made up: Zipf words, a tenth Chinese, a tenth Portuguese, several setups."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from tui_chat.core.conversation import Setup
from tui_chat.core.database import brought_up, connected, prepare
from tui_chat.core.params import Params
from tui_chat.core.records import intern_setup
from tui_chat.core.text import folded

MESSAGES = 6
"""In each conversation."""
RARE = "xylograph"
PHRASE = "capital city of brazil"
START = 1_700_000_000_000
_SENTENCES = 20_000
_DAY = 86_400_000
_MODELS = ("gpt-4o", "gpt-4o-mini", "claude-sonnet", "gemini-flash", "llama-3", "smollm2-135m")
_HAN = "的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多天而能好都然没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长知民样现分将外但身些与高意进把法此实回二理美点月明其种声全工己话儿者向情部正名定女问力机给等几很业最间新什打便位因重被走电四第门相次东政海口使教西再平真听世气信北少关并内加化由却代军产入先山五太水万市眼体别处总才场师书比住员九笑性通目华报立马命张活难神数件安表原车白应路期叫死常提感金何更反合放做系计或司利受光王果亲界及今京务制解各任至清物台象记边共风战干接它许八特觉望直服毛林题建南度统色字请交爱让认算论百吃义科怎元社术结六功指思非流每青管夫连远资队跟带花快条院变联言权往展该领传近留红治决周保达办运武半候七必城父强步完革深区即求品士转量空甚众技轻程告江语英基派满式李息写呢识极令黄德收脸钱党倒未持取设始版双历越史商千片容研像找友孩站广改议形委早房音火际则首单据导影失拿网香似斯专石若兵弟谁校读志飞观争究包组造落视济喜离虽坏兴切"


def fill(path: Path, conversations: int, seed: int = 7) -> None:
    """Write so many conversations into a new database."""
    random.seed(seed)
    prepare(path)
    connection = connected(path)
    brought_up(connection, path)
    connection.execute("PRAGMA synchronous=OFF")
    # Each message would be looked up among all leaves.
    connection.execute("PRAGMA foreign_keys=OFF")
    connection.execute("BEGIN")
    setups = [
        intern_setup(
            connection,
            Setup(model.split("-")[0], model, "", Params({"temperature": heat / 4, "top_p": 0.9})),
        )
        for model in _MODELS
        for heat in range(7)
    ]
    connection.executemany(
        "INSERT INTO conversation(seq,id,title,folded,preset,leaf,created_at,updated_at,deleted_at,"
        "starred,archived) VALUES(?,?,?,?,?,?,?,?,?,?,?)",
        _conversations(conversations),
    )
    connection.executemany(
        "INSERT INTO message(seq,id,conversation,parent,role,content,status,setup,created_at)"
        " VALUES(?,?,?,?,?,?,?,?,?)",
        _messages(conversations, setups),
    )
    connection.executemany(
        "INSERT INTO tag(conversation,name) VALUES(?,?)",
        [(one, "course") for one in range(5, conversations + 1, 997)]
        + [(one, "work") for one in range(3, conversations + 1, 7)],
    )
    connection.execute("COMMIT")
    connection.close()


def _conversations(count: int) -> Iterator[tuple[object, ...]]:
    for seq in range(1, count + 1):
        title = f"Conversa {seq} sobre ação" if seq % 10 == 1 else f"Conversation {seq}"
        at = _time(seq, count)
        yield (
            seq,
            f"c{seq:012}",
            title,
            folded(title),
            "Course" if seq % 50 == 0 else "",
            seq * MESSAGES,
            at,
            at + MESSAGES * 60_000,
            at if seq % 101 == 0 else None,
            int(seq % 89 == 0),
            int(seq % 13 == 0),
        )


def _messages(count: int, setups: list[int | None]) -> Iterator[tuple[object, ...]]:
    languages = (_pool(_latin("aeiou", "bcdfglmnprstw")), _chinese(), _pool(_portuguese()))
    rare = max(1, count // 7)
    for conversation in range(1, count + 1):
        pool = languages[{0: 1, 1: 2}.get(conversation % 10, 0)]
        for place in range(MESSAGES):
            seq = (conversation - 1) * MESSAGES + place + 1
            text = " ".join(random.choices(pool, k=random.randint(2, 9)))
            if place == 1 and conversation % rare == 2 % rare:
                text += f" {RARE}."
            if place == 1 and conversation % 500 == 3:
                text += f" The {PHRASE}?"
            reply = place % 2
            yield (
                seq,
                f"m{seq:012}",
                conversation,
                seq - 1 if place else None,
                "assistant" if reply else "user",
                text,
                "interrupted" if reply and seq % 4999 == 0 else "complete",
                setups[(conversation * 5 + place) % len(setups)] if reply else None,
                _time(conversation, count) + place * 60_000,
            )


def _time(conversation: int, count: int) -> int:
    return START + conversation * 700 * _DAY // count


def _latin(vowels: str, consonants: str) -> list[str]:
    known = ["the", "of", "and", "to", "in", "is", "you", "that", "it", "for", "code", "model"]
    while len(known) < 50_000:
        syllables = random.randint(1, 4)
        known.append(
            "".join(random.choice(consonants) + random.choice(vowels) for _ in range(syllables))
            + random.choice("nrst ").strip()
        )
    return known


def _portuguese() -> list[str]:
    known = ["de", "que", "não", "é", "uma", "com", "avaliação", "ação", "você", "também"]
    return known + _latin("aeiouãéó", "bcdfglmnprstv")[12:]


def _pool(vocabulary: list[str]) -> list[str]:
    weights = [1 / (rank + 2) for rank in range(len(vocabulary))]
    words = random.choices(vocabulary, weights, k=_SENTENCES * 17)
    return [
        " ".join(words[place : place + 17]).capitalize() + "." for place in range(0, len(words), 17)
    ]


def _chinese() -> list[str]:
    weights = [1 / (rank + 2) for rank in range(len(_HAN))]
    return ["".join(random.choices(_HAN, weights, k=40)) + "。" for _ in range(_SENTENCES)]
