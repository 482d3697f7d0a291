"""`tui-chat ask --logprobs`: the probabilities of a reply's tokens, as programs read them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.asking import Done, ask, run, said
from tests.core.stored import by_hand
from tests.fake_server import Answer, Body, FakeServer
from tests.local_model import put_model
from tui_chat.core.probabilities import Kept

EMOJI = "😀".encode()


def _of(raw: bytes, chance: float) -> Body:
    return {"token": "?", "bytes": list(raw), "logprob": math.log(chance)}


def _entry(raw: bytes, *others: bytes) -> Body:
    top = [_of(raw, 0.5), *(_of(other, 0.125) for other in others)]
    return {**_of(raw, 0.5), "top_logprobs": top}


def _printed(done: Done) -> Any:
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b"\n") == 1
    return json.loads(done.stdout)


def test_each_token_has_its_logprob_and_its_candidates_and_they_add_up(tmp_path: Path) -> None:
    entries = [_entry("Olá".encode(), b"Oi"), _entry(b" ", b"\t"), _entry(b"!", b"")]
    with FakeServer(Answer(("Olá", " ", "!"), logprobs=entries)) as server:
        done = ask(tmp_path, server, "--json", "--logprobs", "2", "hi")
        (body,) = server.chats
    row = _printed(done)

    assert done.stderr == b""
    assert (body["logprobs"], body["top_logprobs"]) == (True, 2)
    assert list(row)[-1] == "tokens"
    assert [list(token) for token in row["tokens"]] == [["text", "logprob", "top"]] * 3
    assert "".join(token["text"] for token in row["tokens"]) == row["content"] == "Olá !"
    first = row["tokens"][0]
    assert first["logprob"] == math.log(0.5)
    assert first["top"] == [
        {"text": "Olá", "logprob": math.log(0.5)},
        {"text": "Oi", "logprob": math.log(0.125)},
    ]


def test_bytes_that_are_no_text_are_beside_it_so_that_nothing_is_lost(tmp_path: Path) -> None:
    entries = [_entry(b"a", b"\x1b"), _entry(EMOJI[:2], b"\xc3"), _entry(EMOJI[2:], b"b")]
    with FakeServer(Answer(("a", "", "😀"), logprobs=entries)) as server:
        done = ask(tmp_path, server, "--json", "--logprobs", "2", "hi")
    row = _printed(done)

    whole, part, rest = row["tokens"]
    assert "bytes" not in whole
    assert whole["top"][1] == {"text": "␛", "logprob": math.log(0.125), "bytes": [0x1B]}
    assert (part["text"], part["bytes"]) == ("", list(EMOJI[:2]))
    assert [one["bytes"] for one in part["top"]] == [list(EMOJI[:2]), [0xC3]]
    assert (rest["text"], rest["bytes"]) == ("😀", list(EMOJI[2:]))
    assert "bytes" not in rest["top"][1]
    assert row["content"] == "a😀"


def test_reasoning_has_no_place_among_the_tokens(tmp_path: Path) -> None:
    answer = Answer(("Yes",), reasoning=["Hm."], logprobs=[_entry(b"Yes")])
    with FakeServer(answer) as server:
        row = _printed(ask(tmp_path, server, "--json", "--logprobs", "1", "hi"))

    assert row["reasoning"] == "Hm."
    assert [token["text"] for token in row["tokens"]] == ["Yes"]


def test_where_there_are_none_the_texts_come_and_one_line_says_so(tmp_path: Path) -> None:
    with FakeServer() as server:
        host = server.base_url.split("/")[2]
        none = ask(tmp_path, server, "--json", "--logprobs", "3", "hi")
        server.answer = Answer(("a", "b"), logprobs=[_entry(b"a"), _entry(b"b", b"c")])
        fewer = ask(tmp_path, server, "--json", "--logprobs", "3", "hi")
        server.answer = Answer(("a", "b"), logprobs=[_of(b"a", 0.5), _of(b"b", 0.5)])
        alone = ask(tmp_path, server, "--json", "--logprobs", "3", "hi")
        server.refuses["logprobs"] = {
            "error": {"message": "No 'logprobs' with this model.", "param": "logprobs"}
        }
        refused = ask(tmp_path, server, "--json", "--logprobs", "3", "hi")

    assert said(none) == f"tui-chat: {host} gave no probabilities.\n"
    assert _printed(none)["tokens"][0] == {"text": "Hello", "logprob": None, "top": []}
    assert said(fewer) == f"tui-chat: {host} gave at most 2 candidates at a place, not 3.\n"
    assert said(alone) == f"tui-chat: {host} gave no candidates, only the logprob of each token.\n"
    assert _printed(alone)["tokens"][0] == {"text": "a", "logprob": math.log(0.5), "top": []}
    assert said(refused) == "tui-chat: logprobs was refused: No 'logprobs' with this model.\n"
    row = _printed(refused)
    assert "".join(token["text"] for token in row["tokens"]) == row["content"] == "ab"
    assert row["tokens"][0]["logprob"] is None


def test_a_reply_that_failed_has_no_tokens_and_one_reason(tmp_path: Path) -> None:
    with FakeServer(Answer(status=500, error={"error": "Oh no."})) as server:
        done = ask(tmp_path, server, "--model", "m", "--json", "--logprobs", "3", "hi")

    assert done.returncode == 1
    assert json.loads(done.stdout)["tokens"] == []
    assert "Oh no." in said(done)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--logprobs", "3"], "--logprobs goes with --json."),
        (["--json", "--logprobs", "0"], "--logprobs: takes a whole number from 1 on."),
        (["--json", "--logprobs", "-1"], "--logprobs: takes a whole number from 1 on."),
        (["--json", "--logprobs", "many"], "--logprobs: takes a whole number from 1 on."),
        (["--json", "--logprobs", "1.5"], "--logprobs: takes a whole number from 1 on."),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    tmp_path: Path, arguments: Sequence[str], words: str
) -> None:
    with FakeServer() as server:
        done = ask(tmp_path, server, *arguments, "hi")

    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().rstrip().endswith(words)
    assert server.requests == []


def test_the_built_in_model_tells_them_and_they_are_saved(tmp_path: Path) -> None:
    put_model(tmp_path / "cache" / "models")
    flags = ["--temperature=0", "--max-tokens=12", "--json", "--logprobs=50", "--save"]
    done = run(tmp_path, "ask", *flags, "Write an emoji of a bird, and: Olá, ação!")
    row = _printed(done)

    assert done.stderr == b""
    assert "".join(token["text"] for token in row["tokens"]) == row["content"]
    for token in row["tokens"]:
        assert len(token["top"]) == 50
        assert token["logprob"] == token["top"][0]["logprob"], "temperature 0 takes the likeliest"
        assert math.fsum(math.exp(one["logprob"]) for one in token["top"]) < 1 + 1e-6
    ((data,),) = by_hand(
        tmp_path / "config" / "conversations.db", "SELECT tokens FROM probabilities"
    )
    assert isinstance(data, bytes)
    kept = Kept(data)
    assert [token.text for token in kept] == [token["text"] for token in row["tokens"]]
    assert [len(token.top) for token in kept] == [50] * len(kept)
