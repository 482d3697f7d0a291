"""The review room: what is found, shown beside the list, and where Enter leads from it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.fake_server import FakeServer
from tests.rooms.house import open_house, stored, wait_until
from tests.rooms.library import branched, keep, look_for, open_review, talk
from tui_chat.core import finding, index, search
from tui_chat.rooms.review import finding as page
from tui_chat.rooms.review.screen import ReviewScreen, next_view
from tui_chat.widgets.message_transcript import MessageTranscript


async def test_a_search_shows_who_said_it_and_under_which_setup(tmp_path: Path) -> None:
    await keep(
        tmp_path,
        talk("Explain sampling", "A needle in a haystack."),
        talk("Something else", "Hay only."),
    )
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await look_for(house, "needl", "1 hit", "fake-1 · temperature 0.7", "in a haystack")
            await wait_until(lambda: "Something else" not in house.screen_text())


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("acao", "Portuguese"),
        ("AÇÃO", "Portuguese"),
        ("力学", "Chinese"),
        ('"primeira acao"', "Portuguese"),
        ("fruta role:assistant", "Portuguese"),
        ("temperature>1", "Chinese"),
        ("model:fake* before:2001-01-01", ""),
        ("status:interrupted", ""),
        ('role:king "', ""),
        ("-ação -話", ""),
    ],
)
async def test_every_kind_of_query_finds_its_conversation_or_none(
    tmp_path: Path, query: str, title: str
) -> None:
    await keep(
        tmp_path,
        talk("A primeira ação", "Uma fruta, outra ação.", title="Portuguese"),
        talk("量子力学の話", "話です。", title="Chinese", temperature=1.5),
    )
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await look_for(house, query, title or "Nothing matches.")
            other = {"Portuguese": "Chinese", "Chinese": "Portuguese"}.get(title, "Portuguese")
            await wait_until(lambda: other not in house.screen_text())


async def test_a_renamed_conversation_is_found_by_its_title(tmp_path: Path) -> None:
    await keep(tmp_path, talk("hello", "hi", title="Résumé of week 2"), talk("other"))
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await look_for(house, "resume", "Résumé of week 2", "1 title ·")
            await wait_until(lambda: "other" not in house.screen_text())
            await house.press("enter")
            await wait_until(lambda: house.thread and house.thread[0].content == "hello")


async def test_enter_opens_the_branch_of_the_hit_with_the_cursor_on_it(tmp_path: Path) -> None:
    fruit = branched()
    await keep(tmp_path, fruit, talk("newer"))
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await look_for(house, "pear", "A pear.", "‹ 2/2 ›")
            await house.press("enter")
            await wait_until(lambda: house.thread and house.thread[-1].content == "A pear.")
            await wait_until(lambda: house.chat.transcript.cursor == fruit.messages[3].id)
            assert house.chat.setup.params["temperature"] == 1.5
            assert not server.chats
    (found,) = [one for one in await stored(tmp_path) if one.title == "Fruit"]
    assert found.leaf == fruit.messages[3].id


async def test_n_and_shift_n_go_through_the_hits_and_the_preview_follows(tmp_path: Path) -> None:
    await keep(
        tmp_path,
        *(talk(f"question {number}", f"needle {number}!") for number in range(3)),
    )
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await look_for(house, "needle", "3 hits")
            await house.press("tab", "n")
            await wait_until(lambda: "─ question 1 ─" in house.screen_text())
            await house.press("n", "n")
            await wait_until(lambda: "─ question 0 ─" in house.screen_text())
            await house.press("N")
            await wait_until(lambda: "─ question 1 ─" in house.screen_text())


async def test_tab_completes_a_filter_and_the_help_line_says_what_it_means(tmp_path: Path) -> None:
    await keep(tmp_path, talk("hello", "hi"))
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await look_for(house, "rol", "role: who said it")
            await house.press("tab")
            await look_for(house, "", "role:user", "role:assistant")
            await house.write("as")
            await house.press("tab")
            await wait_until(lambda: "1 hit" in house.screen_text())
            assert "role:assistant" in house.screen_text()
            await look_for(house, " model:", "model:fake-1")
            await look_for(house, "x", "Nothing matches.")
            await look_for(house, " role:king", "role: is one of")


async def test_what_was_looked_for_is_there_again_and_typing_replaces_it(tmp_path: Path) -> None:
    await keep(tmp_path, talk("apple", "red"), talk("pear", "green"))
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await look_for(house, "green", "1 hit")
            await house.press("escape")
            await wait_until(lambda: house.app.screen is house.chat)
            await house.press("f3")
            await wait_until(lambda: "1 hit" in house.screen_text())
            await look_for(house, "red", "apple")
            await wait_until(lambda: "pear" not in house.screen_text())


async def test_in_the_preview_siblings_turn_without_changing_what_is_saved(tmp_path: Path) -> None:
    fruit = branched()
    await keep(tmp_path, fruit)
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await look_for(house, "apple", "‹ 1/2 ›")
            await house.press("tab", "tab", "right_square_bracket")
            await wait_until(lambda: "A pear." in house.screen_text())
            await house.press("escape", "escape")
            await wait_until(lambda: house.app.screen is house.chat)
    (found,) = await stored(tmp_path)
    assert found.leaf == fruit.leaf


async def test_e_in_the_preview_edits_the_message_in_the_chat_as_a_new_branch(
    tmp_path: Path,
) -> None:
    await keep(tmp_path, talk("Which fruit?", "An apple."))
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await look_for(house, "which", "1 hit")
            await house.press("tab", "tab", "e")
            await wait_until(lambda: house.chat.prompt.text_to_send == "Which fruit?")
            await house.write(" And why?")
            await house.press("enter")
            await house.answered()
            await wait_until(lambda: len(house.thread) == 2)
        assert server.chats[-1]["messages"][-1]["content"] == "Which fruit? And why?"
    (found,) = await stored(tmp_path)
    assert [found.message(one).content for one in found.children(None)] == [
        "Which fruit?",
        "Which fruit? And why?",
    ]


async def test_r_in_the_preview_answers_again_in_the_chat(tmp_path: Path) -> None:
    await keep(tmp_path, talk("Which fruit?", "An apple."))
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await look_for(house, "apple", "1 hit")
            await house.press("tab", "tab", "r")
            await wait_until(lambda: len(server.chats) == 1)
            await house.answered()
    (found,) = await stored(tmp_path)
    assert len(found.children(found.messages[0].id)) == 2


async def test_p_in_the_preview_takes_the_setup_over(tmp_path: Path) -> None:
    await keep(tmp_path, talk("Which fruit?", "An apple.", temperature=1.3))
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await look_for(house, "apple", "1 hit")
            await house.press("tab", "tab", "p")
            await wait_until(lambda: house.chat.setup.params.get("temperature") == 1.3)
            assert house.chat.setup.system == "Be brief."


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 16)])
async def test_the_room_can_be_used_in_every_size(tmp_path: Path, size: tuple[int, int]) -> None:
    await keep(tmp_path, *(talk(f"question {n}", f"answer {n} needle") for n in range(30)))
    with FakeServer() as server:
        async with open_house(tmp_path, server, size=size) as house:
            await open_review(house)
            await look_for(house, "needle", "30 hits")
            await house.press("down", "pagedown", "tab", "G", "g", "j")
            await wait_until(lambda: "question 28" in house.screen_text())
            await house.press("tab")
            await wait_until(lambda: "tokens · 1.2 s" in house.screen_text(), "the preview is read")
            assert house.app.screen.focused is house.app.screen.query_one(MessageTranscript)
            await house.press("escape")
            await wait_until(lambda: "question 27" in house.screen_text())
            await house.press("escape")
            await wait_until(lambda: house.app.screen is house.chat)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("", "is:starred"),
        ("words is:starred", "words is:archived"),
        ("is:archived words", "words is:deleted"),
        ("is:deleted", ""),
        ("is:odd", "is:starred"),
    ],
)
def test_the_views_turn_round(text: str, after: str) -> None:
    assert next_view(text) == after


async def test_keys_behind_a_tab_in_a_burst_are_for_the_list(tmp_path: Path) -> None:
    await keep(tmp_path, *(talk(f"question {n}", f"needle {n}!") for n in range(3)))
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await look_for(house, "needle", "3 hits")
            await house.burst(("tab", "\t"), ("n", "n"), ("n", "n"))
            await wait_until(lambda: "─ question 0 ─" in house.screen_text())
            assert "3 hits" in house.screen_text()


async def test_n_in_the_preview_goes_from_match_to_match_and_on_to_the_next_conversation(
    tmp_path: Path,
) -> None:
    await keep(
        tmp_path,
        talk("older question", "a needle here"),
        talk("newer question", "needle one, needle two", "a third needle", "none"),
    )
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await look_for(house, "needle", "3 hits", "─ newer question ─")
            await house.press("tab", "tab", "g", "n", "n", "n")
            assert "─ newer question ─" in house.screen_text()
            await house.press("n")
            await wait_until(lambda: "─ older question ─" in house.screen_text())
            await house.press("N", "N")
            await wait_until(lambda: "─ newer question ─" in house.screen_text())


async def test_a_window_too_small_says_so_and_the_room_is_back_in_a_larger_one(
    tmp_path: Path,
) -> None:
    await keep(tmp_path, talk("hello", "hi"))
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await house.pilot.resize_terminal(50, 12)
            await wait_until(lambda: "This window is too small" in house.screen_text())
            assert "hello" not in house.screen_text()
            await house.pilot.resize_terminal(60, 16)
            await wait_until(lambda: "hello" in house.screen_text())


async def test_lines_take_the_rows_that_their_width_needs_when_the_window_changes(
    tmp_path: Path,
) -> None:
    await keep(tmp_path, talk("first", "needle"), talk("second", "needle"))
    with FakeServer() as server:
        async with open_house(tmp_path, server, size=(120, 30)) as house:
            await open_review(house)
            await look_for(house, "needle", "2 hits")

            def rows_apart() -> int:
                rows = house.screen_text().splitlines()
                first, second = (
                    next(n for n, row in enumerate(rows) if title in row[:60] and n > 3)
                    for title in ("first", "second")
                )
                return first - second

            assert rows_apart() == 3
            await house.pilot.resize_terminal(80, 24)
            await wait_until(lambda: rows_apart() == 2)
            assert "2 hits · newest first" in house.screen_text()
            await house.pilot.resize_terminal(60, 16)
            await house.press("ctrl+u")
            await wait_until(
                lambda: house.screen_text().splitlines()[0].rstrip().endswith("  2 conversations")
            )
            await look_for(house, "needle", "2 hits")
            await house.pilot.resize_terminal(120, 30)
            await wait_until(lambda: rows_apart() == 3)


@pytest.mark.parametrize(
    ("width", "words"), [(120, "is: title:"), (80, "F1 lists all"), (60, "F1")]
)
async def test_the_help_line_names_filters_as_far_as_there_is_room(
    tmp_path: Path, width: int, words: str
) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server, size=(width, 24)) as house:
            await open_review(house)
            await wait_until(lambda: words in house.screen_text().splitlines()[2])
            (line,) = [row for row in house.screen_text().splitlines() if "role:" in row]
            assert set(line.split()) & {"role:", "model:", "temperature>"} == {
                *("role:", "model:", "temperature>")
            }


async def test_while_the_index_is_built_its_progress_is_shown_and_counts_are_true(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep(tmp_path, *(talk(f"question {n}", f"a needle {n}") for n in range(4)))
    go_on = threading.Event()
    batch = index.Index._batch
    batches = []

    def held(self: index.Index, building: str) -> tuple[int, int]:
        batches.append(building)
        assert len(batches) < 2 or go_on.wait(20)
        return batch(self, building)

    # Two messages at a time, counting gives up at once, and searches leave the index to its builder.
    monkeypatch.setattr(index.Index, "_batch", held)
    monkeypatch.setattr(index, "BATCH", 2)
    monkeypatch.setattr(index, "READ", 2)
    monkeypatch.setattr(search, "AT_ONCE", 1)
    monkeypatch.setattr(finding, "CHUNK", 2)
    monkeypatch.setattr(finding, "PATIENCE", -1)
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await wait_until(lambda: "indexing 25 %" in house.screen_text())
            await look_for(house, "needle", "4 hits · newest", "a needle 3")
            await look_for(house, "s", "Nothing matches.", "0 hits · newest")
            assert "very many" not in house.screen_text()
            assert "indexing 25 %" in house.screen_text()
            go_on.set()
            await wait_until(lambda: "indexing" not in house.screen_text())


async def test_where_nobody_counted_to_the_end_it_says_at_least(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep(tmp_path, *(talk(f"question {n}", f"a needle {n}") for n in range(6)))
    monkeypatch.setattr(finding, "PATIENCE", -1)
    monkeypatch.setattr(finding, "FIRST", 2)
    monkeypatch.setattr(finding, "CHUNK", 2)
    monkeypatch.setattr(page, "PAGE", 3)
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await look_for(house, "needle", "at least 3 hits · newest first")


async def test_enter_opens_what_was_typed_also_where_it_overtakes_that(tmp_path: Path) -> None:
    await keep(tmp_path, talk("Newest", "Hay only."), talk("Explain", "A needle in a haystack."))
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            room = house.app.screen
            assert isinstance(room, ReviewScreen)
            room._field.value = "needle"
            room.action_open()
            await wait_until(lambda: house.app.screen is house.chat)
            await wait_until(
                lambda: house.thread and house.thread[-1].content.startswith("A needle")
            )
