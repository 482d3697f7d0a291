"""What other windows do to the conversation that is open here: found out in microseconds, and taken over.

Nothing that is open here goes away: what another window deleted stays until it is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tui_chat.core.conversation import Headline, Message
from tui_chat.core.talk import Talk
from tui_chat.core.unsaved import gone
from tui_chat.core.world import World


@dataclass(frozen=True)
class News:
    """What another window did to the open conversation since it was last looked at."""

    added: tuple[Message, ...] = ()
    changed: tuple[Message, ...] = ()
    """Replies that another window received, as they ended."""
    begun: bool = False
    """Whether some of what was added follows what was known here."""
    renamed: bool = False
    lost: int = 0
    """How many of its messages were deleted there."""
    state: Literal["", "deleted", "gone"] = ""
    """Whether it was put into the trash, or deleted for good."""

    def __bool__(self) -> bool:
        return self != News()


class OtherWindows:
    """Looks whether another window changed what this talk is about."""

    def __init__(self, world: World, talk: Talk) -> None:
        self._world = world
        self._talk = talk
        self._version: int | None = None
        self._id = ""
        self._seen: Headline | None = None
        self._lost = frozenset[str]()

    async def look(self) -> News:
        """Take over what is new, and tell it; nothing while a reply arrives. ChatError."""
        self._begin_anew()
        talk, open_now = self._talk, self._talk.saved_id
        store = await self._world.store()
        version = await store.version()
        if not open_now or talk.answering or version is None or version == self._version:
            return News()
        headline = await store.headline(open_now)
        if headline is None:
            # Said again by whatever would write to it.
            self._world.unsaved.failed(self, gone())
            self._version = version
            return News(state="gone")
        if headline == self._seen:
            self._version = version
            return News()
        found = await store.load(open_now, also_deleted=True)
        if found is None or talk.saved_id != open_now or talk.answering:
            return News()  # Once more the next time.
        here = talk.conversation
        known = {message.id for message in here.messages}
        added = tuple(one for one in found.messages if one.id not in known)
        changed = tuple(
            one
            for one in found.messages
            if one.id in known and here.message(one.id).status == "streaming"
            if one != here.message(one.id)
        )
        for message in (*added, *changed):
            here.add(message, follow=here.leaf is None)
        lost = frozenset(known - {one.id for one in found.messages})
        if self._world.unsaved.failing:
            lost = self._lost  # What is not there may be what is not written.
        was_there = self._seen is None or self._seen.state != "deleted"
        news = News(
            added,
            changed,
            begun=any(one.parent is None or one.parent in known for one in added),
            renamed=here.title != found.title,
            lost=len(lost - self._lost),
            state="deleted" if headline.state == "deleted" and was_there else "",
        )
        here.title = found.title
        self._version, self._seen, self._lost = version, headline, lost
        return news

    def _begin_anew(self) -> None:
        """Where another conversation is open by now, nothing is known of it."""
        if self._talk.saved_id != self._id:
            self._id = self._talk.saved_id
            self._version, self._seen, self._lost = None, None, frozenset()
            self._world.unsaved.written(self)
