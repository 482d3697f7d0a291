"""Changing the setup: presets, endpoints, models, typed commands."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.fake_server import Answer, FakeServer, words
from tests.local_model import put_model
from tests.rooms.house import open_house, wait_until
from tests.rooms.library import open_review
from tui_chat.app import help_sections
from tui_chat.core.opening import Opening
from tui_chat.core.params import Params


async def test_a_preset_is_saved_renamed_deleted_and_brought_back(tmp_path: Path) -> None:
    directory = tmp_path / "config" / "presets"
    opening = Opening(params=Params({"temperature": 0.3, "stop": ["11", "\n"]}))
    with FakeServer() as server:
        async with open_house(tmp_path, server, opening=opening) as house:
            await house.press("f6")
            await wait_until(lambda: "Chaos" in house.screen_text())
            await house.press("ctrl+s")
            await wait_until(lambda: "Under which name?" in house.screen_text())
            await house.write("Mine")
            await house.press("enter")
            await wait_until((directory / "Mine.toml").exists)
            await wait_until(lambda: house.app.screen is house.chat)
            saved = tomllib.loads((directory / "Mine.toml").read_text())
            assert saved["parameters"] == {"temperature": 0.3, "stop": ["11", "\n"]}
            await wait_until(lambda: "Mine" in house.screen_text())
            await house.press("f6")
            await wait_until(lambda: "● Mine" in house.screen_text())
            await house.press("f2")
            await wait_until(lambda: "Rename the preset" in house.screen_text())
            await house.write("2")
            await house.press("enter")
            await wait_until((directory / "Mine2.toml").exists)
            await wait_until(lambda: "Mine2" in house.screen_text())
            await house.write("mine2")
            await house.pilot.pause()
            await house.press("delete")
            await wait_until(lambda: not (directory / "Mine2.toml").exists())
            await house.press("ctrl+z")
            await wait_until((directory / "Mine2.toml").exists)


async def test_a_changed_preset_has_a_star(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.command("/preset precise")
            assert "Precise ─╮" in house.screen_text()
            await house.command("/temperature 0.1")
            assert "Precise * ─╮" in house.screen_text()


async def test_a_shipped_preset_is_not_deleted(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.press("f6")
            await wait_until(lambda: "Chaos" in house.screen_text())
            assert "del Delete" not in house.screen_text()
            await house.press("delete")
            await house.pilot.pause()
            assert "Course" in house.screen_text()


async def test_models_are_listed_and_any_name_can_be_typed(tmp_path: Path) -> None:
    with FakeServer(models=["alpha", "beta"]) as server:
        async with open_house(tmp_path, server) as house:
            house.chat.sidebar.cursor = "model"
            await house.press("f2", "enter")
            await wait_until(lambda: "beta" in house.screen_text())
            await house.write("bet")
            await house.press("enter")
            await wait_until(lambda: house.chat.setup.model == "beta")
            await wait_until(lambda: house.app.screen is house.chat)
            await house.pilot.pause()
            await house.press("enter")
            await wait_until(lambda: "alpha" in house.screen_text())
            await house.write("gamma-9")
            await house.press("enter")
            await wait_until(lambda: house.chat.setup.model == "gamma-9")
            await house.press("escape")
            await house.send("hi")
        assert server.chats[0]["model"] == "gamma-9"


async def test_a_server_without_a_list_still_takes_a_typed_model(tmp_path: Path) -> None:
    with FakeServer(models=None) as server:
        async with open_house(tmp_path, server) as house:
            await house.command("/model my-own")
            reply = await house.send("hi")
        assert reply.status == "complete"
        assert server.chats[0]["model"] == "my-own"


async def test_the_first_listed_model_is_used_where_none_was_chosen(tmp_path: Path) -> None:
    with FakeServer(models=["only-one"]) as server:
        async with open_house(tmp_path, server) as house:
            await house.send("hi")
            assert house.chat.setup.model == "only-one"
            assert "only-one" in house.screen_text()


async def test_a_typed_url_becomes_the_endpoint_and_is_known_at_the_next_start(
    tmp_path: Path,
) -> None:
    with FakeServer() as first, FakeServer(Answer(words("from the second"))) as second:
        async with open_house(tmp_path, first) as house:
            await house.command(f"/endpoint {second.base_url}")
            reply = await house.send("hi")
            assert reply.content == "from the second"
        assert not first.chats
        async with open_house(tmp_path, first) as house:
            assert house.chat.setup.endpoint == second.base_url.split("/")[2]
            reply = await house.send("again")
            assert reply.content == "from the second"


async def test_typed_commands_set_and_unset_parameters(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.command("/temperature 0,7")
            await house.command('/stop "11" "\\n"')
            await house.command("/top-k 40")
            await house.command("/seed 5")
            await house.command("/seed off")
            await house.send("hi")
        sent = server.chats[0]
    assert sent["temperature"] == 0.7
    assert sent["stop"] == ["11", "\n"]
    assert sent["top_k"] == 40
    assert "seed" not in sent


async def test_a_wrong_command_says_what_is_wrong_and_stays(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.write("/temperature 9")
            await house.press("enter")
            await wait_until(lambda: "outside" in house.notices())
            assert house.chat.prompt.text_to_send == "/temperature 9"
            assert "temperature" not in house.chat.setup.params
        assert not server.chats


async def test_two_slashes_send_a_line_that_begins_with_one(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("//etc/passwd is a file")
        assert server.chats[0]["messages"][0]["content"] == "/etc/passwd is a file"


async def test_the_system_prompt_is_edited_and_sent_first(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            house.chat.sidebar.cursor = "system"
            await house.press("f2", "enter")
            await wait_until(lambda: "System prompt" in house.screen_text())
            await house.write("Be brief")
            await house.press("ctrl+s", "escape")
            await wait_until(lambda: house.chat.setup.system == "Be brief")
            await house.send("hi")
        assert server.chats[0]["messages"][0] == {"role": "system", "content": "Be brief"}


async def test_advice_appears_when_temperature_and_top_p_are_both_changed(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            house.chat.sidebar.cursor = "temperature"
            await house.press("f2", "right")
            await house.pilot.pause()
            assert "How random" in house.screen_text()
            await house.press("down", "left")
            await house.pilot.pause()
            assert "Alter temperature or top p" in house.screen_text()


async def test_a_value_outside_its_range_is_said_and_not_taken(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            house.chat.sidebar.cursor = "temperature"
            await house.press("f2", "9")
            await house.pilot.pause()
            assert "outside." in house.screen_text()
            assert "temperature" not in house.chat.setup.params


async def test_an_extension_an_endpoint_does_not_know_is_shown_as_not_sent(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    with FakeServer() as server:
        (tmp_path / "config" / "settings.toml").write_text(
            f'[endpoints.lab]\nbase_url = "{server.base_url}"\naccepts = []\nmodel = "m"\n'
        )
        opening = Opening(params=Params({"top_k": 40}))
        async with open_house(tmp_path, server, opening=opening) as house:
            await house.command("/endpoint lab")
            house.chat.sidebar.unfolded = True
            house.chat.sidebar.cursor = "top_k"
            await house.pilot.pause()
            assert "Not sent: lab does not know it." in house.screen_text()
            reply = await house.send("hi")
            assert reply.setup is not None
            assert [one.name for one in reply.refused] == ["top_k"]
            assert "Top K was not sent: lab does not know it." in house.screen_text()
            assert house.chat.setup.params["top_k"] == 40
        assert "top_k" not in server.chats[0]


async def test_export_writes_a_new_file_and_never_overwrites(tmp_path: Path) -> None:
    target = tmp_path / "out.md"
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("keep this")
            await house.command(f"/export {target}")
            text = target.read_text()
            assert "keep this" in text
            assert "Hello, world." in text
            await house.write(f"/export {target}")
            await house.press("enter")
            await wait_until(lambda: "there already" in house.notices())
            assert target.read_text() == text


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40)])
async def test_the_sidebar_over_a_small_chat_leaves_the_bottom_line_alone(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server, size=size) as house:
            await house.press("f2")
            await wait_until(lambda: "Temperature" in house.screen_text())
            rows = house.screen_text().splitlines()
            assert rows[-1].startswith(" ← → Change  enter Choose")
            assert rows[-1].rstrip().endswith("F1 Help")
            assert rows[-2].endswith("╯")


async def test_the_help_scrolls_by_each_key_of_a_burst_and_names_remapped_keys(
    tmp_path: Path,
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.toml").write_text(
        '[keys]\n"app.saved" = "f9"\n"prompt.send" = "f8"\n'
    )
    with FakeServer() as server:
        async with open_house(tmp_path, server, size=(60, 16)) as house:
            await house.press("f1")
            await wait_until(lambda: "Everywhere" in house.screen_text())
            assert re.search("F9 +Saved conversations", house.screen_text())
            sending = next(s for s in help_sections({"prompt.send": "f8"}) if s.title == "Writing")
            assert sending.rows[0] == ("F8", "Send")
            first = house.screen_text().splitlines()[6][:50]
            await house.write("jjjj")
            await wait_until(lambda: house.screen_text().splitlines()[2][:50] == first)
            await house.press("end")
            await wait_until(lambda: "repetition, 1 is none." in house.screen_text())
            await house.press("escape")
            await wait_until(lambda: house.app.screen is house.chat)


async def test_a_narrow_list_has_the_facts_on_a_row_of_their_own(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server, size=(60, 16)) as house:
            await house.send("a question that is rather long for a title")
            await open_review(house)
            rows = house.screen_text().splitlines()
            place = next(n for n, row in enumerate(rows) if "● a ques" in row)
            assert re.search(r"\d\d:\d\d +│$", rows[place])
            assert "fake-1 · 2 messages" in rows[place + 1]


async def test_nothing_is_asked_of_a_server_before_a_question_is(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    with FakeServer(context=4096, counted=7) as server:
        (tmp_path / "config" / "settings.toml").write_text(
            'endpoint = "lab"\n[endpoints.lab]\ncounts_tokens = true\nmodel = "fake-1"\n'
            f'base_url = "{server.base_url}"\n'
        )
        async with open_house(tmp_path) as house:
            await house.write("a secret thought")
            await wait_until(lambda: re.search(r"draft ≈?[1-9]", house.screen_text()))
            assert house.chat.setup.endpoint == "lab"
            assert not server.requests
            await house.send("")
            await wait_until(lambda: "/ 4\u202f096" in house.screen_text())


async def test_the_servers_usage_replaces_the_estimate_of_the_context(tmp_path: Path) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 77}
    with FakeServer(Answer(usage=usage)) as server:
        async with open_house(tmp_path, server) as house:
            await house.send("hi")
            await wait_until(lambda: re.search(r"Context .*\b1\u202f077", house.screen_text()))
            await house.command("/system Be brief.")
            await wait_until(lambda: re.search(r"Context .*≈", house.screen_text()))


async def test_a_server_that_does_not_answer_gives_way_to_one_that_does(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.toml").write_text(
        'endpoint = "far"\n[endpoints.far]\nbase_url = "https://far.invalid/v1"\nkey_env = "NONE"\n'
    )
    with FakeServer() as server:
        async with open_house(tmp_path) as house:
            await wait_until(lambda: "○ failed" in house.screen_text())
            await house.command(f"/endpoint {server.base_url}")
            await wait_until(lambda: "● ready" in house.screen_text())


async def test_typed_servers_of_older_conversations_are_known_at_the_next_start(
    tmp_path: Path,
) -> None:
    with FakeServer() as first, FakeServer() as second, FakeServer() as third:
        async with open_house(tmp_path, first) as house:
            await house.command(f"/endpoint {second.base_url}")
            await house.command("/temperature 0.3")
            await house.send("old")
            old = house.chat.talk.conversation.id
            await house.press("ctrl+n")
            await house.command(f"/endpoint {third.base_url}")
            await house.command("/temperature 1.5")
            await house.send("new")
        async with open_house(tmp_path, first) as house:
            house.chat.open(old)
            await wait_until(lambda: house.chat.talk.conversation.id == old)
            await house.answered()
            await house.send("more")
            assert house.chat.setup.params["temperature"] == 0.3
        assert len(second.chats) == 2


async def test_the_setup_of_an_unknown_endpoint_is_taken_over_but_for_the_endpoint(
    tmp_path: Path,
) -> None:
    settings = tmp_path / "config" / "settings.toml"
    settings.parent.mkdir()
    with FakeServer() as first, FakeServer() as second:
        settings.write_text(f'[endpoints.lab]\nbase_url = "{second.base_url}"\nmodel = "m"\n')
        async with open_house(tmp_path, first) as house:
            await house.command("/endpoint lab")
            await house.command("/temperature 0.3")
            await house.send("old")
            old = house.chat.talk.conversation.id
        settings.unlink()
        async with open_house(tmp_path, first) as house:
            await house.command("/temperature 1")
            house.chat.open(old)
            await wait_until(lambda: "“lab” is not known any more" in house.notices())
            assert house.chat.setup.params["temperature"] == 0.3
            await house.send("more")
        assert len(first.chats) == 1


async def test_any_model_file_can_be_talked_to_and_is_known_at_the_next_start(
    tmp_path: Path,
) -> None:
    file = put_model(tmp_path).rename(tmp_path / "Mine.gguf")
    async with open_house(tmp_path) as house:
        await house.press("escape")
        await house.command(f"/endpoint {file}")
        await house.command("/max-tokens 1")
        await wait_until(lambda: house.chat.topline.state == "ready")
        reply = await house.send("Hello?")
        assert (reply.status, reply.usage.completion_tokens) == ("length", 1)
        assert house.chat.topline.place == "Mine · Mine"
        await wait_until(lambda: "/ 8\u202f192" in house.screen_text())
    async with open_house(tmp_path) as house:
        assert house.chat.setup.endpoint == "Mine"
        assert (await house.send("Again?")).status == "length"


async def test_a_model_file_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "page.gguf").write_text("<html>")
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.write(f"/endpoint {tmp_path}/nothing.gguf")
            await house.press("enter")
            await wait_until(lambda: "There is no model file" in house.notices())
            house.chat.prompt.set_draft("")
            await house.command(f"/endpoint {tmp_path}/page.gguf")
            await wait_until(lambda: "page.gguf is not a model file" in house.notices())
