"""Lists of saved conversations, and what keeps them in order: stars, tags, the archive, the trash."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.core.stored import by_hand, loaded, saved
from tui_chat.core.conversation import Conversation, Setup, Shelf, State, said
from tui_chat.core.search import Search
from tui_chat.core.store import Store

DAY = 86_400_000


async def test_headlines_come_newest_first_with_model_and_count(store: Store) -> None:
    older = await saved(store, "old", "reply")
    newer = await saved(store, "new")
    await asyncio.sleep(0.002)
    await store.add(older.id, said("user", "again", older.leaf))

    found = await store.headlines()

    assert [(each.id, each.model, each.messages) for each in found] == [
        (older.id, "qwen3", 3),
        (newer.id, "", 1),
    ]
    assert await store.latest() == older.id


@pytest.mark.parametrize(
    ("matching", "titles"),
    [
        ("", ["Straße nach Köln", "Avaliação de crédito", "量子力学の話"]),
        ("KOLN", ["Straße nach Köln"]),
        ("strasse", ["Straße nach Köln"]),
        ("avaliacao", ["Avaliação de crédito"]),
        ("CRÉDITO avali", ["Avaliação de crédito"]),
        ("avaliacao köln", []),
        ("力学", ["量子力学の話"]),
        ("%", []),
        ("'; DROP TABLE conversation; --", []),
        ("   ", ["Straße nach Köln", "Avaliação de crédito", "量子力学の話"]),
    ],
)
async def test_filtering_folds_case_and_accents_and_wants_every_word(
    store: Store, matching: str, titles: list[str]
) -> None:
    for title in ("量子力学の話", "Avaliação de crédito", "Straße nach Köln"):
        await saved(store, "hello", title=title)

    found = await store.headlines(Shelf(title=matching))

    assert [each.title for each in found] == titles


async def test_a_renamed_conversation_is_found_by_its_new_title_only(store: Store) -> None:
    conversation = await saved(store, "hello", title="Old name")

    await store.rename(conversation.id, "Résumé")

    assert [each.title for each in await store.headlines(Shelf(title="resume"))] == ["Résumé"]
    assert await store.headlines(Shelf(title="old")) == ()


async def test_a_list_goes_on_after_its_last_line_even_within_one_millisecond(
    store: Store, path: Path
) -> None:
    for number in range(25):
        await saved(store, f"number {number}")
    by_hand(path, "UPDATE conversation SET updated_at=1000+seq/10")

    pages = []
    after = None
    while page := await store.headlines(limit=7, after=after):
        pages.append(page)
        after = page[-1]

    assert [len(page) for page in pages] == [7, 7, 7, 4]
    assert [each.title for page in pages for each in page] == [
        f"number {number}" for number in reversed(range(25))
    ]


async def test_a_deleted_conversation_is_gone_from_view_until_it_is_restored(store: Store) -> None:
    conversation = await saved(store, "hello", "hi")

    await store.delete([conversation.id])

    assert await store.headlines() == ()
    assert await store.load(conversation.id) is None
    assert await store.latest() is None
    assert [each async for each in store.conversations()] == []
    await store.restore([conversation.id])
    assert (await loaded(store, conversation.id)).messages == conversation.messages


async def test_a_deleted_conversation_that_is_added_to_comes_back(store: Store) -> None:
    conversation = await saved(store, "hello")
    await store.delete([conversation.id])

    await store.add(conversation.id, said("user", "still here", conversation.leaf))

    assert len(await loaded(store, conversation.id)) == 2
    assert await store.latest() == conversation.id


# Order


@pytest.mark.parametrize(
    ("shelf", "titles"),
    [
        (Shelf(), ["kept", "starred"]),
        (Shelf(starred=True), ["starred"]),
        (Shelf(starred=False), ["kept"]),
        (Shelf(("archived",)), ["archived"]),
        (Shelf(("deleted",)), ["deleted"]),
        (Shelf(("kept", "archived")), ["archived", "kept", "starred"]),
        (Shelf(("kept", "archived", "deleted")), ["deleted", "archived", "kept", "starred"]),
        (Shelf(()), []),
        (Shelf(tags=("Lesson",)), ["kept"]),
        (Shelf(tags=("lesson", "week-2")), ["kept"]),
        (Shelf(tags=("lesson", "absent")), []),
        (Shelf(preset="c*"), ["kept"]),
        (Shelf(preset="COURSE"), ["kept"]),
        (Shelf(preset="%"), []),
        (Shelf(preset="_ourse"), []),
        (Shelf(after=3000), []),
        (Shelf(after=2000), ["kept"]),
        (Shelf(before=2000), ["starred"]),
    ],
)
async def test_a_shelf_shows_what_fits_all_its_conditions(
    store: Store, path: Path, shelf: Shelf, titles: list[str]
) -> None:
    made = {name: await saved(store, name) for name in ("starred", "kept", "archived", "deleted")}
    await store.star([made["starred"].id])
    await store.archive([made["archived"].id])
    await store.delete([made["deleted"].id])
    await store.tag([made["kept"].id, made["archived"].id], "#Lesson")
    await store.tag([made["kept"].id], " Week 2 ")
    by_hand(path, "UPDATE conversation SET updated_at=seq*1000")
    by_hand(path, "UPDATE conversation SET preset='Course' WHERE title='kept'")

    assert [each.title for each in await store.headlines(shelf)] == titles
    assert await store.count(shelf) == len(titles)
    assert await store.ids(shelf) == [made[title].id for title in reversed(titles)]


async def test_several_are_starred_tagged_and_archived_at_once_and_back(store: Store) -> None:
    ids = [(await saved(store, f"number {number}")).id for number in range(3)]
    for on in (True, True, False, True):
        await store.star(ids[:2], on)
        await store.tag(ids[1:], "week 1", on)
        await store.archive(ids[2:], on)
    await store.tag(ids, " , # ")

    found = [await store.headline(one) for one in ids]

    assert [(each.state, each.starred, each.tags) for each in found if each] == [
        ("kept", True, ()),
        ("kept", True, ("week-1",)),
        ("archived", False, ("week-1",)),
    ]
    conversation = await loaded(store, ids[2])
    assert (conversation.archived, conversation.starred, conversation.tags) == (
        True,
        False,
        ("week-1",),
    )
    assert await store.tags() == ("week-1",)
    assert await store.headline("absent") is None


async def test_the_tags_given_most_often_come_first(store: Store) -> None:
    ids = [(await saved(store, f"number {number}")).id for number in range(3)]
    await store.tag(ids[:1], "rare")
    await store.tag(ids, "common")

    assert await store.tags() == ("common", "rare")


# The trash


def state(path: Path) -> bytes:
    """Every byte that lies beside the database, too."""
    return b"".join(each.read_bytes() for each in path.parent.iterdir() if each.is_file())


async def test_what_is_purged_leaves_no_word_in_the_file(store: Store, path: Path) -> None:
    conversation = Conversation(title="Canary title")
    first = said("user", "canary question")
    await store.create(conversation, first)
    reply = said("assistant", "canary reply", first.id, setup=Setup("home", "m", "canary system"))
    await store.add(conversation.id, reply)
    await store.tag([conversation.id], "canary-tag")
    await store.save_draft(conversation.id, "canary draft")
    kept = await saved(store, "stays", "also stays")
    assert state(path).lower().count(b"canary") >= 6

    assert await store.purge([conversation.id, kept.id]) == 0, "neither is in the trash"
    await store.delete([conversation.id])
    assert await store.purge([conversation.id, kept.id]) == 1

    assert b"canary" not in state(path).lower()
    assert await store.load(conversation.id, also_deleted=True) is None
    assert (await loaded(store, kept.id)).messages == kept.messages


async def test_a_system_prompt_that_others_use_is_not_purged(store: Store) -> None:
    setup = Setup("home", "m", "Be brief.")
    ids = []
    for _ in range(2):
        conversation = Conversation(title="x")
        first = said("user", "hi")
        await store.create(conversation, first)
        await store.add(conversation.id, said("assistant", "ho", first.id, setup=setup))
        ids.append(conversation.id)
    await store.delete(ids[:1])

    assert await store.purge(ids[:1]) == 1

    assert (await loaded(store, ids[1])).latest_setup() == setup


async def test_the_trash_is_emptied_of_what_has_been_there_for_its_days(
    store: Store, path: Path
) -> None:
    old, new = await saved(store, "old"), await saved(store, "new")
    branched = await saved(store, "question", "canary reply", "canary more")
    await store.delete([old.id, new.id])
    await store.delete_messages(branched.branch(branched.messages[1].id))
    assert await store.purge_expired() == 0
    by_hand(path, f"UPDATE conversation SET deleted_at=deleted_at-31*{DAY} WHERE id='{old.id}'")
    by_hand(path, f"UPDATE message SET deleted_at=deleted_at-31*{DAY}")

    assert await store.purge_expired() == 3

    assert await store.load(old.id, also_deleted=True) is None
    assert await store.load(new.id, also_deleted=True) is not None
    assert [each.content for each in (await loaded(store, branched.id)).messages] == ["question"]
    assert b"canary" not in state(path)


async def test_a_deleted_branch_is_gone_until_it_is_restored(store: Store) -> None:
    conversation = await saved(store, "question", "reply", "more", "end")
    branch = conversation.branch(conversation.messages[2].id)

    await store.delete_messages(branch)

    found = await loaded(store, conversation.id)
    assert [each.content for each in found.messages] == ["question", "reply"]
    assert found.leaf == conversation.messages[1].id
    (line,) = await store.headlines()
    assert line.messages == 2
    await store.restore_messages(branch)
    assert (await loaded(store, conversation.id)).messages == conversation.messages


async def test_a_deleted_branch_is_read_and_purged_without_the_rest(
    store: Store, path: Path
) -> None:
    conversation = await saved(store, "question", "canary reply", "canary more")
    kept = said("assistant", "other reply", conversation.messages[0].id)
    await store.add(conversation.id, kept)
    branch = conversation.branch(conversation.messages[1].id)
    await store.delete_messages(branch)
    everything = await store.load(conversation.id, at=branch[1])
    assert everything is not None
    assert list(everything.messages) == [*conversation.messages, kept]
    present = ["question", "other reply"]
    for at in ("", kept.id, "absent"):
        found = await store.load(conversation.id, at=at)
        assert found is not None
        assert [one.content for one in found.messages] == present

    assert await store.purge_branches([kept.id, "absent"]) == 0
    assert await store.purge_branches([branch[0], branch[1]]) == 2

    assert b"canary" not in state(path)
    assert [one.content for one in (await loaded(store, conversation.id)).messages] == present


async def test_two_branches_deleted_in_the_same_millisecond_stay_two(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = await saved(store, "question", "reply")
    others = [said("assistant", text, conversation.messages[0].id) for text in ("other", "third")]
    for other in others:
        await store.add(conversation.id, other)
    monkeypatch.setattr("tui_chat.core.store.now", lambda: 1_790_000_000_000)

    for other in others:
        await store.delete_messages([other.id])
    search = Search(path, path.with_name("index.db"))
    found = await search.branches(Shelf(states=("deleted",)))
    await search.close()

    assert [hit.message for hit in found] == [others[1].id, others[0].id]
    await store.restore_branches([others[0].id])
    present = (await loaded(store, conversation.id)).messages
    assert [one.content for one in present] == ["question", "reply", "other"]


async def test_what_was_added_below_a_purged_message_is_not_lost(store: Store, path: Path) -> None:
    conversation = await saved(store, "question", "reply")
    reply = conversation.messages[1]
    await store.add(conversation.id, said("user", "from another window", reply.id))
    # As by a window that deleted it, and did not know of what is below.
    by_hand(path, "UPDATE message SET deleted_at=1 WHERE content='reply'")

    assert await store.purge_expired() == 1

    found = await loaded(store, conversation.id)
    assert [each.content for each in found.messages] == ["question", "from another window"]


async def test_what_is_added_below_a_deleted_message_brings_back_what_it_follows(
    store: Store,
) -> None:
    conversation = await saved(store, "question", "reply", "more", "another")
    _, first, *below = conversation.messages
    await store.delete_messages([one.id for one in (first, *below)])
    await store.add(conversation.id, said("user", "from another window", below[0].id))

    found = await loaded(store, conversation.id)
    assert [one.content for one in found.thread()] == [
        "question",
        "reply",
        "more",
        "from another window",
    ]
    assert not found.has(below[1].id)


@pytest.mark.parametrize("expired", [False, True])
async def test_what_rows_edited_by_hand_tie_to_another_conversation_can_be_purged(
    store: Store, path: Path, expired: bool
) -> None:
    gone, kept = await saved(store, "canary", "canary reply"), await saved(store, "kept", "reply")
    by_hand(path, "UPDATE message SET parent=2 WHERE seq=3", "UPDATE conversation SET leaf=2")
    await store.delete([gone.id])

    removed = store.purge_expired(-1) if expired else store.purge([gone.id])
    assert await removed == 1

    assert b"canary" not in state(path)
    assert [one.content for one in (await loaded(store, kept.id)).messages] == ["kept", "reply"]


@pytest.mark.parametrize("states", [("deleted",), ("kept", "deleted")])
async def test_what_is_in_the_trash_says_since_when(store: Store, states: Sequence[State]) -> None:
    conversation = await saved(store, "hello")
    assert (await store.headlines())[0].deleted == 0

    await store.delete([conversation.id])

    (line,) = await store.headlines(Shelf(tuple(states)))
    assert line.state == "deleted"
    assert line.deleted >= conversation.created
    found = await store.load(conversation.id, also_deleted=True)
    assert found is not None
    assert found.messages == conversation.messages
