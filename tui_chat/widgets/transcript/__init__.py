"""The transcript: shows a conversation of any length, whole or while a reply streams in.

Other modules use what is named here, and nothing else of this package.
"""

from tui_chat.widgets.transcript.caption import Caption
from tui_chat.widgets.transcript.view import Transcript

__all__ = ["Caption", "Transcript"]
