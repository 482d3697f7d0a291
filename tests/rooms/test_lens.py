"""The lens: a reply by the likelihood of its tokens, candidates under the knobs, and other roads."""

from __future__ import annotations

from pathlib import Path

from tests.fake_server import Answer, Body, FakeServer, words
from tests.local_model import put_model
from tests.rooms.house import House, open_house, stored, wait_until
from tests.rooms.probabilities import CAPITAL, LLAMA, answer
from tui_chat.core.opening import Opening
from tui_chat.core.params import Params
from tui_chat.core.probabilities import Kept
from tui_chat.rooms.lens.screen import LensScreen


def lens(house: House) -> LensScreen:
    screen = house.app.screen
    assert isinstance(screen, LensScreen)
    return screen


async def looked_at(house: House, *keys: str) -> LensScreen:
    """Open the lens, and wait until it shows tokens."""
    await house.press(*(keys or ("f4",)))
    await wait_until(lambda: isinstance(house.app.screen, LensScreen), "the lens opens")
    await wait_until(lambda: lens(house).view.texts, "it shows tokens")
    await house.pilot.pause()
    return lens(house)


async def shows(house: House, *texts: str) -> None:
    for text in texts:
        await wait_until(lambda text=text: text in house.screen_text(), text)  # type: ignore[misc]  # bound now


async def test_f4_shows_the_last_reply_with_its_candidates(tmp_path: Path) -> None:
    with FakeServer(CAPITAL) as server:
        async with open_house(tmp_path, server) as house:
            await house.send("Capital?")
            room = await looked_at(house)
            assert room.view.texts == ["The", " capital", " is", " Rio", "."]
            await shows(house, "The capital is Rio.", "token 1 of 5", "●The", "It", "perplexity")
            await shows(house, "least ␣Rio 2.0 %")
            assert server.chats[0]["top_logprobs"] == 20
            await house.press("escape")
            await wait_until(lambda: house.app.screen is house.chat)


async def test_the_cursor_moves_by_token_word_and_line_and_finds_the_unlikely(
    tmp_path: Path,
) -> None:
    with FakeServer(CAPITAL) as server:
        async with open_house(tmp_path, server) as house:
            await house.send("Capital?")
            room = await looked_at(house)
            places = []
            for key in ("right", "w", "b", "n", "n", "N", "end", "home", "left"):
                await house.press(key)
                places.append(room.view.cursor)
            assert places == [1, 2, 1, 3, 3, 3, 4, 0, 0]
            await house.press("n")
            await shows(house, "␣Rio  2.0 %", "token 4 of 5", "●␣Rio", "␣Bras")


async def test_a_knob_reshapes_the_candidates_and_is_turned_in_the_chat_too(tmp_path: Path) -> None:
    with FakeServer(CAPITAL) as server:
        server.listed = LLAMA
        async with open_house(tmp_path, server) as house:
            await house.send("Capital?")
            room = await looked_at(house)
            await house.press("end")
            found = room.panel.found
            assert found is not None
            assert round(found.shares[0].after.middle, 2) == 0.55
            asked = server.count("/completions")
            room.sidebar.cursor = "temperature"
            await house.press("f2", "0", ".", "5", "enter", "escape")
            found = room.panel.found
            assert found is not None
            assert found.shares[0].after.low > 0.6
            assert server.count("/completions") == asked, "no request is needed for that"
            assert house.chat.setup.params["temperature"] == 0.5


async def test_s_shows_surprise_and_d_throws_dice(tmp_path: Path) -> None:
    with FakeServer(CAPITAL) as server:
        async with open_house(tmp_path, server) as house:
            await house.send("Capital?")
            room = await looked_at(house)
            await house.press("n", "s")
            await shows(house, "5.64 bits", "≤ 0.2 bits")
            await house.press("s", "d")
            await shows(house, "100 draws")
            assert room.panel.dice is not None
            assert room.panel.dice.count == 100


async def test_enter_on_a_candidate_takes_that_road_in_a_sibling(tmp_path: Path) -> None:
    with FakeServer(CAPITAL) as server:
        server.listed = LLAMA
        async with open_house(tmp_path, server) as house:
            await house.send("Capital?")
            room = await looked_at(house)
            server.answer = answer([("ília", {"ília": 0.9}), (".", {".": 0.8})])
            await house.press("n", "enter", "home", "enter")
            await wait_until(lambda: len(server.chats) == 2)
            await house.answered()
            await wait_until(lambda: room.message.content == "The capital is Brasília.")
            assert room.view.texts == ["The", " capital", " is", " Bras", "ília", "."]
            await shows(house, "‹ 2/2 ›")
            await house.press("[")
            await wait_until(lambda: room.message.content == "The capital is Rio.")
            await house.press("]", "escape")
            await wait_until(lambda: house.app.screen is house.chat)
            assert house.thread[-1].content == "The capital is Brasília."
            store = await house.chat.world.store()
            kept = Kept(await store.tokens(house.thread[-1].id))
            assert "".join(kept.texts) == "The capital is Brasília."
            assert None not in kept.logprobs
    assert server.chats[1]["messages"][-1] == {
        "role": "assistant",
        "content": "The capital is Bras",
    }
    (conversation,) = await stored(tmp_path)
    assert len(conversation) == 3


async def test_a_takes_the_likeliest_roads_at_once(tmp_path: Path) -> None:
    first = answer([("A", {"A": 0.4, "B": 0.3, "C": 0.2, "D": 0.05, "E": 0.04})])
    with FakeServer(first) as server:
        server.listed = LLAMA
        async with open_house(tmp_path, server) as house:
            await house.send("letters")
            await looked_at(house)
            server.answer = Answer(words(" and so on"))
            await house.press("a")
            await wait_until(lambda: len(server.chats) == 5)
            await house.answered()
            reply = house.thread[-1]
            siblings = [
                house.chat.conversation.message(one).content
                for one in house.chat.conversation.siblings(reply.id)
            ]
            assert sorted(siblings) == ["A", *(f"{letter} and so on" for letter in "ABCD")]
            assert reply.content == "A and so on", "the likeliest is read"


async def test_where_no_road_can_be_taken_the_panel_says_so_before(tmp_path: Path) -> None:
    with FakeServer(CAPITAL) as server:
        async with open_house(tmp_path, server) as house:
            await house.send("Capital?")
            await looked_at(house)
            await shows(house, "No other road: environment")
            await house.press("enter", "enter")
            await wait_until(lambda: "No other road" in house.notices())
            assert len(server.chats) == 1


async def test_a_part_of_a_character_is_shown_as_bytes_and_is_no_road(tmp_path: Path) -> None:
    emoji = "😀".encode()
    whole = Answer(
        ("Hi ", "\ufffd", "\ufffd"),
        logprobs=[
            {"token": "Hi ", "bytes": list(b"Hi "), "logprob": -0.1, "top_logprobs": []},
            {
                "token": "?",
                "bytes": list(emoji[:2]),
                "logprob": -0.5,
                "top_logprobs": [{"token": "?", "bytes": list(emoji[:2]), "logprob": -0.5}],
            },
            {"token": "?", "bytes": list(emoji[2:]), "logprob": -0.1, "top_logprobs": []},
        ],
    )
    with FakeServer(whole) as server:
        server.listed = LLAMA
        async with open_house(tmp_path, server) as house:
            await house.send("hi")
            room = await looked_at(house)
            assert "".join(room.view.texts) == "Hi 😀"
            await house.press("right")
            await shows(house, r"\xf0\x9f", "token 2 of 3")
            await house.press("enter", "enter")
            await wait_until(lambda: "nothing goes on from it" in house.notices())


async def test_a_reply_that_arrives_grows_in_the_lens_and_esc_stops_it(tmp_path: Path) -> None:
    many = answer([(f"w{n} ", {f"w{n} ": 0.5}) for n in range(400)], delay=0.01)
    with FakeServer(many) as server:
        async with open_house(tmp_path, server) as house:
            await house.write("talk")
            await house.press("enter")
            await wait_until(lambda: len(server.sent) > 10)
            room = await looked_at(house)
            await wait_until(lambda: len(room.view.texts) > 30)
            assert room.view.cursor == len(room.view.texts) - 1, "the cursor follows"
            await shows(house, "esc Stop")
            await house.press("escape")
            await house.answered()
            assert house.thread[-1].status == "stopped"
            await shows(house, "esc Back")
            await wait_until(lambda: "".join(room.view.texts) == house.thread[-1].content)


async def test_an_old_reply_opens_from_the_saved_ones(tmp_path: Path) -> None:
    with FakeServer(CAPITAL) as server:
        async with open_house(tmp_path, server) as house:
            await house.send("Capital?")
        async with open_house(tmp_path, server) as house:
            await house.press("f3")
            await wait_until(lambda: house.app.screen.id == "review")
            await shows(house, "The capital is Rio.")
            await house.press("tab", "tab", "G", "l")
            await wait_until(lambda: isinstance(house.app.screen, LensScreen))
            await shows(house, "token 1 of 5", "perplexity")


async def test_what_is_not_known_is_said_in_words(tmp_path: Path) -> None:
    cases = [
        (Answer(("Hi",)), "told no probabilities"),
        (
            Answer(("Hi",), logprobs=[{"token": "Hi", "logprob": -0.1, "top_logprobs": []}]),
            "●Hi",
        ),
    ]
    for given, expected in cases:
        with FakeServer(given) as server:
            async with open_house(tmp_path / expected[:4], server) as house:
                await house.send("hi")
                await looked_at(house)
                await shows(house, expected)


async def test_probabilities_after_sampling_are_not_shaped_again(tmp_path: Path) -> None:
    certain = answer(
        [(word, {word: 0.999999}) for word in ["a", "b", "c", "d", "e", "f", "g", "h", "i"]]
    )
    opening = Opening(params=Params({"temperature": 0}))
    with FakeServer(certain) as server:
        async with open_house(tmp_path, server, opening=opening) as house:
            await house.send("hi")
            await looked_at(house)
            await shows(house, "These are probabilities after")


async def test_probabilities_after_temperature_are_known_from_a_look(tmp_path: Path) -> None:
    def answers(body: Body) -> Answer:
        power = 1 / (body.get("temperature") or 0.7)
        chances = {name: chance**power for name, chance in (("Hi", 0.6), ("Ho", 0.3), ("Ha", 0.1))}
        total = sum(chances.values())
        return answer([("Hi", {name: chance / total for name, chance in chances.items()})])

    with FakeServer() as server:
        server.answers = answers
        async with open_house(tmp_path, server) as house:
            await house.send("hi")
            await wait_until(lambda: house.chat.world.after_temperature)
            await looked_at(house)
            await shows(house, "These are probabilities after")


async def test_the_built_in_model_is_seen_through_the_lens_and_goes_another_way(
    tmp_path: Path,
) -> None:
    put_model(tmp_path / "cache" / "models")
    opening = Opening(params=Params({"temperature": 0, "max_tokens": 12}))
    async with open_house(tmp_path, opening=opening) as house:
        reply = await house.send("What is the capital of Brazil?")
        room = await looked_at(house)
        assert "".join(room.view.texts) == reply.content
        assert None not in room.view.logprobs
        await house.press("enter", "down", "enter")
        await wait_until(lambda: len(house.chat.conversation) == 3)
        await house.answered()
        other = house.thread[-1]
        assert other.content != reply.content
        assert other.begun > 0
        await wait_until(lambda: "".join(room.view.texts).startswith(other.content))
