"""The keys of the review room that keep conversations in order."""

from __future__ import annotations

from collections.abc import Sequence

from tui_chat.core.world import World
from tui_chat.rooms.review.catalogue import Catalogue
from tui_chat.rooms.review.keeping import Keeping, Trash
from tui_chat.rooms.review.lines import Line
from tui_chat.rooms.review.preview import PreviewingScreen


class OrderingScreen(PreviewingScreen):
    """Subclasses read the lines and show them."""

    def __init__(self, world: World, catalogue: Catalogue, trash: Trash) -> None:
        super().__init__(world, catalogue)
        self.keeping = Keeping(self, world, trash, self.read_lines)

    async def read_lines(self, at: str = "") -> None:
        """Show what there is now, with the cursor where it was, or on the line `at`."""
        raise NotImplementedError

    def show_lines(self, lines: Sequence[Line], at: str = "", place: int = 0) -> None:
        """Show these lines but for those that are being deleted."""
        raise NotImplementedError

    @property
    def targets(self) -> list[Line]:
        """What is acted on: what is marked, else what is under the cursor."""
        line = self.catalogue.at_cursor
        return list(self.catalogue.marked.values()) or ([] if line is None else [line])

    @property
    def present_targets(self) -> list[Line]:
        """Of these, what is not in the trash."""
        return [line for line in self.targets if line.of.state != "deleted"]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("open", "delete", "export", "rename"):
            return bool(self.targets)
        if action in ("star", "tag", "archive"):
            return bool(self.present_targets)
        if action == "restore":
            return any(line.of.state == "deleted" for line in self.targets)
        if action == "undo":
            return bool(self.keeping.trash.deleted or self.keeping.trash.going)
        return super().check_action(action, parameters)

    def action_rename(self) -> None:
        line = self.catalogue.at_cursor
        if line is not None:
            self.keeping.run(self.keeping.rename(line))

    def action_star(self) -> None:
        if self.present_targets:
            self.keeping.run(self.keeping.star(self.present_targets))

    def action_tag(self) -> None:
        if self.present_targets:
            self.keeping.run(self.keeping.tag(self.present_targets))

    def action_archive(self) -> None:
        if targets := self.present_targets:
            self.catalogue.unmark_all()
            self.keeping.run(self.keeping.archive(targets))

    def action_delete(self) -> None:
        """Into the trash; what is there already, out of it for good."""
        if targets := self.present_targets:
            self.catalogue.unmark_all()
            self.keeping.delete(targets)
            self.show_lines(self.catalogue.entries, place=self.catalogue.highlighted or 0)
        elif targets := self.targets:
            self.keeping.run(self._purge(targets))

    async def _purge(self, targets: Sequence[Line]) -> None:
        if await self.keeping.purge(targets) and not self.leaving:
            self.catalogue.unmark_all()

    def action_restore(self) -> None:
        if targets := self.targets:
            self.catalogue.unmark_all()
            self.keeping.run(self.keeping.restore(targets))

    def action_undo(self) -> None:
        self.keeping.run(self.keeping.undo())
