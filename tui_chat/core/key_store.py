"""Keys that a person gave in the program: for this run, in the system's keyring, or in a file of their own.

Each is bound to the origin it was given for, scheme, host and port, and found for no other.
"""

from __future__ import annotations

import importlib
import os
import stat
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tui_chat.core.errors import ChatError
from tui_chat.core.files import Unread, again_if_changed, write_text
from tui_chat.core.secrets import Secret, checked_key
from tui_chat.core.text import one_line
from tui_chat.core.toml import editable, parsed, read_table
from tui_chat.core.unsaved import not_written
from tui_chat.core.urls import origin

Where = Literal["run", "keyring", "file"]
PLACES: Mapping[Where, str] = {
    "run": "the key dialog",
    "keyring": "the keyring",
    "file": "keys.toml",
}
"""Where a key can be kept, in the order in which they are looked at; and what that is called."""
_SERVICE = "tui-chat"
_ABOUT = "# Keys that tui-chat keeps, each for one server. Only you may read this file.\n"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True)
class Kept:
    """A key that was found, and where."""

    key: Secret
    where: Where


class KeyStore:
    """The keys that a person gave. All but keeping one for this run blocks: disk, or the system's keyring."""

    def __init__(self, path: Path, *, kept: bool = True) -> None:
        """Without `kept` a key can be given for this run only, and none that is kept is touched."""
        self._path = path
        self._kept = kept
        self._run: dict[str, Secret] = {}
        self._keyring: Any = None
        self._looked_for_keyring = False
        self._one_at_a_time = threading.Lock()

    def places(self) -> tuple[Where, ...]:
        """Where a key can be kept on this machine."""
        if not self._kept:
            return ("run",)
        return ("run", "keyring", "file") if self._usable_keyring() else ("run", "file")

    def find(self, base_url: str, *, needed: bool = True) -> Kept | None:
        """The key that was given for this server. ChatError when the file cannot be trusted, or, for a
        server that needs a key, cannot be read."""
        if not base_url:
            return None
        whom = origin(base_url)
        if whom in self._run:
            return Kept(self._run[whom], "run")
        if value := self._in_keyring(whom):
            return Kept(checked_key(value, PLACES["keyring"]), "keyring")
        try:
            written = self._table().get(whom)
        except ChatError:
            if needed:
                raise
            return None
        if isinstance(written, str) and written.strip():
            self._check_alone()
            return Kept(checked_key(written, PLACES["file"]), "file")
        return None

    def keep(self, base_url: str, key: Secret, where: Where) -> None:
        """Keep the key for this server, there and nowhere else. ChatError when it cannot be."""
        whom, key = origin(base_url), Secret(key.reveal(), PLACES[where])
        if where == "run":
            self._run[whom] = key
            if not self._kept:
                return  # What is kept elsewhere comes after it.
        elif not self._kept:
            raise not_written("the key was not kept")
        elif where == "keyring":
            self._to_keyring(whom, key)
        elif where == "file":
            self._write(whom, key.reveal())
        self.forget(base_url, but=where)

    def forget(self, base_url: str, *, but: Where | None = None) -> tuple[Where, ...]:
        """Forget the key for this server wherever one is kept, and say where that was. ChatError."""
        whom = origin(base_url)
        gone: list[Where] = []
        if but != "run" and self._run.pop(whom, None) is not None:
            gone.append("run")
        if not self._kept:
            if not gone and self.find(base_url, needed=False) is not None:
                raise not_written("the key was not forgotten")
            return tuple(gone)
        if but != "keyring" and self._in_keyring(whom):
            self._from_keyring(whom)
            gone.append("keyring")
        try:
            if but != "file" and whom in self._table():
                self._write(whom, None)
                gone.append("file")
        except ChatError:
            # What is kept elsewhere is found before what is in the file.
            if but is None and not gone:
                raise
        return tuple(gone)

    # The file

    def _table(self) -> Mapping[str, object]:
        try:
            return read_table(self._path)[0]
        except FileNotFoundError:
            return {}
        except Unread:
            raise  # Nothing of it was read, so its words hold nothing of a key.
        except ChatError:
            pass
        # Raised out here, and without the parser's words: they may hold a piece of a key.
        raise ChatError(
            f"{one_line(str(self._path))} cannot be read.", "Is it TOML: lines of “origin” = “key”?"
        )

    def _check_alone(self) -> None:
        """ChatError where others than this user can read or change the file."""
        try:
            found = self._path.stat()
        except OSError:
            return
        if os.name != "posix":
            return
        name = one_line(str(self._path))
        if found.st_uid != os.geteuid():
            raise ChatError(
                f"{name} belongs to another user, so no key is taken from it.",
                "Whose keys are these?",
            )
        if found.st_mode & _OTHERS:
            raise ChatError(
                f"Others can read {name}, so no key is taken from it.", f"chmod 600 {name}"
            )

    @again_if_changed
    def _write(self, whom: str, value: str | None) -> None:
        with self._one_at_a_time:
            self._table()
            self._check_alone()
            document, before = editable(self._path)
            if value is None:
                document.pop(whom, None)
            else:
                document[whom] = value
            after = ("" if before else _ABOUT) + document.as_string()
            if parsed(after, self._path.name).get(whom) != value:
                raise ChatError(f"The key could not be kept in {one_line(str(self._path))}.")
            write_text(self._path, after, expected=before)

    # The keyring

    def _usable_keyring(self) -> Any:
        """The package `keyring` where it is installed and has a place to keep keys in; else None."""
        if not self._looked_for_keyring:
            self._looked_for_keyring = True
            try:
                found: Any = importlib.import_module("keyring")
                # Below 1 are those that keep nothing, or keep it in plain sight.
                self._keyring = found if found.get_keyring().priority >= 1 else None
            except Exception:  # noqa: BLE001  # an optional package, and whatever its backends raise
                self._keyring = None
        return self._keyring

    def _in_keyring(self, whom: str) -> str:
        keyring = self._usable_keyring()
        if keyring is None:
            return ""
        try:
            return str(keyring.get_password(_SERVICE, whom) or "").strip()
        except Exception:  # noqa: BLE001  # its backends raise what they like; then it has no key for us
            return ""

    def _to_keyring(self, whom: str, key: Secret) -> None:
        try:
            self._usable_keyring().set_password(_SERVICE, whom, key.reveal())
            return
        except Exception:  # noqa: BLE001, S110  # raised out here: what it says may hold the key
            pass
        raise ChatError("The keyring did not take the key.", "Keep it elsewhere, or unlock it.")

    def _from_keyring(self, whom: str) -> None:
        try:
            self._usable_keyring().delete_password(_SERVICE, whom)
            return
        except Exception:  # noqa: BLE001, S110  # as above
            pass
        raise ChatError("The keyring did not forget the key.", "Is it locked?")
