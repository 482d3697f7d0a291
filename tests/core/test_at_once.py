"""Several programs that save at the same moment lose nothing of each other's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tui_chat.core.key_store import KeyStore
from tui_chat.core.learned import Lessons
from tui_chat.core.presets import Presets
from tui_chat.core.toml import read_table

WINDOWS, TIMES = 4, 6
SAVING = """
import sys
from pathlib import Path
from tui_chat.core.conversation import Setup
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.key_store import KeyStore
from tui_chat.core.learned import Lessons
from tui_chat.core.presets import Presets
from tui_chat.core.secrets import Secret
from tui_chat.core.settings import remember_endpoint, remember_setting
import tomlkit

place, name = Path(sys.argv[1]), sys.argv[2]
presets, keys = Presets(place / "presets"), KeyStore(place / "keys.toml")
lessons = Lessons(place / "learned.json")
print("ready", flush=True)
input()
for number in range(int(sys.argv[3])):
    one = f"{name}-{number}"
    presets.save(one, Setup(model=one))
    keys.keep(f"https://{one}.example/v1", Secret(f"key-{one}"), "file")
    remember_setting(place / "settings.toml", f"of-{name}", str(number))
    remember_endpoint(place / "settings.toml", Endpoint(one, f"https://{one}.example/v1"))
    lessons.of("https://host/v1", one, False).forget("top_k", "top_k", "unsupported parameter")
    lessons.of("https://host/v1", "shared", False).forget(one, "seed", "unsupported parameter")
    lessons.save()
"""


def test_what_several_windows_save_at_once_is_all_there(tmp_path: Path) -> None:
    windows = [
        subprocess.Popen(
            [sys.executable, "-c", SAVING, str(tmp_path), f"w{number}", str(TIMES)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(WINDOWS)
    ]
    for window in windows:
        assert window.stdout is not None
        assert window.stdout.readline() == "ready\n"
    for window in windows:
        assert window.stdin is not None
        window.stdin.write("\n")
        window.stdin.flush()
    for window in windows:
        assert window.communicate(timeout=60)[1] == ""

    names = {f"w{window}-{number}" for window in range(WINDOWS) for number in range(TIMES)}
    own = {one.name: one for one in Presets(tmp_path / "presets").all() if not one.shipped}
    assert {name: own[name].model for name in own} == {name: name for name in names}
    keys = KeyStore(tmp_path / "keys.toml")
    for name in names:
        kept = keys.find(f"https://{name}.example/v1")
        assert kept is not None
        assert kept.key.reveal() == f"key-{name}"
    settings, _ = read_table(tmp_path / "settings.toml")
    assert {settings[f"of-w{window}"] for window in range(WINDOWS)} == {str(TIMES - 1)}
    endpoints = settings["endpoints"]
    assert isinstance(endpoints, dict)
    assert set(endpoints) == names
    lessons = Lessons(tmp_path / "learned.json")
    lessons.load()
    assert all(lessons.of("https://host/v1", name, False).is_something for name in names)
    assert lessons.of("https://host/v1", "shared", False).left_out == names
    assert len(json.loads((tmp_path / "learned.json").read_text())) == len(names) + 1
