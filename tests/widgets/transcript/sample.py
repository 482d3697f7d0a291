"""Texts and messages that the tests of the transcript share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tui_chat.core.conversation import Message, new_id, said
from tui_chat.widgets.transcript.caption import Caption
from tui_chat.widgets.transcript.document import Document

EVERYTHING = """# Title

The **bold** and *slanted* text with `code`, ~~struck~~ and a [link](https://example.com/a), \
long enough to wrap on every screen that is narrower than this. 日本語のテキスト also wraps.

1. first
   ```sh
   ls  # in a list

   pwd
   ```
2. second
   - nested
     - deeper, and again long enough to wrap on a narrow screen
- other

> quoted
> text

| Name | Value |
|:-----|------:|
| one  | 1 |
| a rather long name that has to wrap | 22 |

```python
def f(x: int) -> int:
    return x + 1


print(f(1))
```

***

<div>html</div> &#x202e; https://example.com/bare. ![alt](https://example.com/i.png)
"""


def caption(message: Message) -> Caption:
    if message.role == "user":
        return Caption("You")
    return Caption("model · 0.7", "‹ 1/2 ›", f"{message.status}", message.error)


def reply(content: str, reasoning: str = "") -> Message:
    return Message(new_id(), None, "assistant", content, reasoning=reasoning)


def streaming() -> Message:
    return Message(new_id(), None, "assistant", "", status="streaming")


def finished(message: Message, content: str, reasoning: str = "") -> Message:
    return replace(message, content=content, reasoning=reasoning, status="complete")


def conversation(count: int) -> list[Message]:
    """As many messages of very different heights, each with its number in it."""
    return [
        said("user", f"question {n}\n" * (1 + n % 5))
        if n % 2 == 0
        else reply(f"answer {n}\n\n" + EVERYTHING * (n % 3) + "word " * (n * 37 % 300), "thought")
        for n in range(count)
    ]


def drawn(document: Document) -> list[str]:
    """Every row of a document as text, all of it opened and measured."""
    index = 0
    while index < len(document.items):
        document.make_exact(index)
        index += document.heights.is_exact(index)
    rows: list[str] = []
    for item in document.items:
        laid = document.laid(item)
        for row in laid.rows:
            line = laid.lines[row.line]
            before = "".join(span.text for span in (line.hang if row.start else line.lead))
            rows.append(before + line.text[row.start : row.stop])
    return rows


def loaded(messages: Sequence[Message], width: int = 60) -> Document:
    document = Document(caption)
    document.resize(width)
    document.load(messages)
    return document
