"""Quieter shades of a theme's text colour, for styles of content.

`$text-muted` stands for a colour with a share of it, and in a content's style Textual forgets the
share of a variable; a share that is written out counts.
"""

from __future__ import annotations

MUTED = "$foreground 60%"
FAINT = "$foreground 38%"
