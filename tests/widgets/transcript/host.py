"""What the tests of the transcript's widget share: an app of the smallest kind around it."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tests.widgets.transcript.sample import caption
from tui_chat.core.conversation import Message
from tui_chat.widgets.transcript import Caption, Transcript

SIZE = (63, 20)


class Host(App[None]):
    AUTO_FOCUS = None

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.moved: list[str | None] = []
        self.opened: list[str] = []

    def compose(self) -> ComposeResult:
        yield Transcript(self.caption)

    def caption(self, message: Message) -> Caption:
        self.asked += 1
        return caption(message)

    @property
    def transcript(self) -> Transcript:
        return self.query_one(Transcript)

    @property
    def rows(self) -> list[str]:
        """The rows on the screen, without the mark of the cursor."""
        height = self.transcript.size.height
        return [self.transcript.render_line(y).text[2:].rstrip() for y in range(height)]

    @property
    def marked(self) -> list[str]:
        """The rows that carry the mark of the cursor."""
        strips = [self.transcript.render_line(y) for y in range(self.transcript.size.height)]
        return [strip.text[2:].rstrip() for strip in strips if strip.text[0] == "▌"]

    def on_transcript_moved(self, event: Transcript.Moved) -> None:
        self.moved.append(event.id)

    def on_transcript_link_opened(self, event: Transcript.LinkOpened) -> None:
        self.opened.append(event.url)


def lines(word: str, count: int) -> str:
    return "\n".join(f"{word} {n}" for n in range(count))


async def settled(pilot: Pilot[None]) -> None:
    await pilot.pause()
