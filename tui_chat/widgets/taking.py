"""Taking conversations elsewhere: which, in what form, and where to, asked one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui_chat.core import exporting
from tui_chat.core.errors import ChatError
from tui_chat.core.exporting import FORMATS, Source
from tui_chat.core.text import one_line
from tui_chat.widgets.dialogs import LineDialog, YesDialog
from tui_chat.widgets.picker import Line, Picker

if TYPE_CHECKING:
    from textual.app import App


TO_CLIPBOARD = "clipboard:"


@dataclass(frozen=True)
class Choice:
    """Some conversations that can be taken along."""

    name: str
    ids: Callable[[], Awaitable[Sequence[str]]]
    title: str = ""
    """What a file of them is called after."""


class _What(Picker):
    title_words = "Export: which?"


class _How(Picker):
    title_words = "Export: as what?"


async def take_away(app: App[Any], source: Source, choices: Sequence[Choice]) -> None:
    """Ask, and write or copy. For workers; Esc at any question leaves all as it was. ChatError."""
    choice = await _chosen(app, choices)
    if choice is None:
        return
    way = await app.push_screen_wait(_How(_ways()))
    if way is None:
        return
    if way.startswith(TO_CLIPBOARD):
        await _copied(app, source, await choice.ids(), way.removeprefix(TO_CLIPBOARD))
    else:
        await _written(app, source, choice, way)


async def _chosen(app: App[Any], choices: Sequence[Choice]) -> Choice | None:
    if len(choices) == 1:
        return choices[0]
    lines = [Line(str(place), choice.name) for place, choice in enumerate(choices)]
    answer = await app.push_screen_wait(_What(lines))
    return None if answer is None else choices[int(answer)]


def _ways() -> list[Line]:
    files = [
        Line(name, f"{one.label} file", (one.suffix,), one.explanation)
        for name, one in FORMATS.items()
    ]
    copies = [
        Line(f"{TO_CLIPBOARD}{name}", f"{one.label} to the clipboard", (), one.explanation)
        for name, one in FORMATS.items()
    ]
    return files + copies


async def _copied(app: App[Any], source: Source, ids: Sequence[str], format: str) -> None:
    from tui_chat.widgets.copying import copy

    await copy(
        app,
        await exporting.text(source, ids, format),
        "1 conversation" if len(ids) == 1 else f"{len(ids)} conversations",
    )


async def _written(app: App[Any], source: Source, choice: Choice, format: str) -> None:
    words = exporting.suggested_name(choice.title, format)
    wrong, overwrite = "", False
    while True:
        note = (
            f"To which file? A name without a place is put into {one_line(str(Path.cwd()), 200)}."
        )
        answer = await app.push_screen_wait(LineDialog("Export", note, words, wrong))
        if not answer:
            return
        words = answer
        try:
            path = placed(words)
            if await asyncio.to_thread(path.is_file):
                question = YesDialog("Replace this file?", one_line(str(path), 400))
                overwrite = await app.push_screen_wait(question) is not None
                if not overwrite:
                    continue
            ids = await choice.ids()
            report = await exporting.write(source, ids, format, path, overwrite=overwrite)
        except ChatError as error:
            wrong = str(error)
            continue
        app.notify(report.words, markup=False, timeout=8)
        return


def placed(words: str) -> Path:
    """The path in typed words; ChatError for a home directory that there is not."""
    try:
        return Path(words).expanduser().absolute()
    except RuntimeError as error:
        raise ChatError(f"There is no such home directory: {one_line(words, 80)}.") from error
