"""Presets: one file each, kept with care."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from tui_chat.core.conversation import Setup
from tui_chat.core.errors import ChatError
from tui_chat.core.params import Params
from tui_chat.core.presets import Preset, Presets, check_name

SETUP = Setup("lab", "m", "Be brief.", Params({"temperature": 0.3, "stop": ["11", "\n"]}))


@pytest.fixture
def presets(tmp_path: Path) -> Presets:
    return Presets(tmp_path / "presets")


def named(presets: Presets, name: str) -> Preset:
    return next(preset for preset in presets.all() if preset.name == name)


def test_five_come_along_each_with_a_sentence(presets: Presets) -> None:
    shipped = presets.all()
    assert [one.name for one in shipped] == ["Course", "Precise", "Balanced", "Creative", "Chaos"]
    assert all(one.about.endswith(".") and one.shipped for one in shipped)
    assert dict(shipped[0].params) == {"temperature": 1.0, "top_p": 1.0}


def test_a_shipped_preset_leaves_endpoint_model_and_system_alone(presets: Presets) -> None:
    changed = named(presets, "Precise").applied_to(SETUP)
    assert (changed.endpoint, changed.model, changed.system) == ("lab", "m", "Be brief.")
    assert dict(changed.params) == {"temperature": 0.0}


def test_what_is_saved_is_read_back(presets: Presets) -> None:
    presets.save("Mine", SETUP, "What to observe.")
    mine = named(presets, "Mine")
    assert mine.applied_to(Setup()) == SETUP
    assert mine.matches(SETUP)
    assert mine.about == "What to observe."
    assert not mine.shipped


def test_an_own_preset_replaces_a_shipped_one_of_its_name(presets: Presets) -> None:
    presets.save("chaos", SETUP)
    assert [one.name for one in presets.all()][-1] == "chaos"
    assert len(presets.all()) == 5


def test_names_that_differ_in_case_or_composition_are_one_file(
    presets: Presets, tmp_path: Path
) -> None:
    presets.save("Lição", SETUP)
    presets.save(unicodedata.normalize("NFD", "LIÇÃO"), Setup())
    assert len(list((tmp_path / "presets").glob("*.toml"))) == 1


def test_saving_again_keeps_comments_and_unknown_keys(presets: Presets, tmp_path: Path) -> None:
    presets.save("Mine", SETUP)
    path = tmp_path / "presets" / "Mine.toml"
    path.write_text("# a note\nfuture = 1\n" + path.read_text())
    presets.save("Mine", Setup("other", "n"))
    assert "# a note\nfuture = 1\n" in path.read_text()
    assert named(presets, "Mine").model == "n"


def test_a_broken_file_is_named_and_the_others_load(presets: Presets, tmp_path: Path) -> None:
    presets.save("Good", SETUP)
    (tmp_path / "presets" / "Bad.toml").write_text('about = "x"\nmodel = \n')
    assert named(presets, "Bad").problem.startswith("Bad.toml:2:")
    assert not named(presets, "Good").problem
    with pytest.raises(ChatError, match="not changed"):
        presets.save("Bad", SETUP)
    assert "model = \n" in (tmp_path / "presets" / "Bad.toml").read_text()


def test_wrong_values_are_named_and_the_right_ones_kept(presets: Presets, tmp_path: Path) -> None:
    presets.save("Odd", SETUP)
    (tmp_path / "presets" / "Odd.toml").write_text(
        "model = 3\n[parameters]\ntemperature = 9\ntop_p = 0.5\nwarmth = 1\nseed = nan\n"
    )
    odd = named(presets, "Odd")
    assert dict(odd.params) == {"top_p": 0.5}
    for words in ("model takes a text", "9 is outside", "warmth", "Seed"):
        assert words in odd.problem


def test_renaming_moves_the_file_and_never_onto_another(presets: Presets) -> None:
    presets.save("One", SETUP)
    presets.save("Two", Setup())
    presets.rename("One", "Three")
    assert named(presets, "Three").matches(SETUP)
    with pytest.raises(ChatError, match="already"):
        presets.rename("Three", "two")
    presets.rename("Three", "three")
    assert named(presets, "three").matches(SETUP)


@pytest.mark.parametrize("name", ["Chaos", "chaos", " CHAOS "])
def test_renaming_hides_no_preset_that_comes_along(presets: Presets, name: str) -> None:
    presets.save("Mine", SETUP)
    with pytest.raises(ChatError, match=f"^There is a preset “{name.strip()}” already"):
        presets.rename("Mine", name)
    assert named(presets, "Chaos").shipped
    assert named(presets, "Mine").matches(SETUP)


def test_an_own_preset_in_place_of_a_shipped_one_can_be_renamed(presets: Presets) -> None:
    presets.save("chaos", SETUP)
    presets.rename("chaos", "Chaos")
    assert named(presets, "Chaos").matches(SETUP)
    presets.rename("Chaos", "Order")
    assert named(presets, "Chaos").shipped


def test_what_is_deleted_can_be_brought_back(presets: Presets) -> None:
    presets.save("Mine", SETUP)
    deleted = presets.delete("Mine")
    assert len(presets.all()) == 5
    presets.restore(deleted)
    assert named(presets, "Mine").matches(SETUP)
    with pytest.raises(ChatError, match="by now"):
        presets.restore(deleted)


def test_what_is_not_there_cannot_be_renamed_or_deleted(presets: Presets) -> None:
    for doing in (lambda: presets.rename("No", "X"), lambda: presets.delete("Chaos")):
        with pytest.raises(ChatError, match="no preset of yours"):
            doing()


@pytest.mark.parametrize(
    "name", ["", " ", "a/b", "..", ".hidden", "dot.", "con", "COM1", "nul.txt", "x" * 65, "a\nb:c"]
)
def test_names_that_cannot_be_files_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"name|reserved"):
        check_name(name)


@pytest.mark.parametrize("name", ["Lição 1", "v1.2_final-x", "日本"])
def test_other_names_are_taken(name: str) -> None:
    assert check_name(f" {name} ") == name
