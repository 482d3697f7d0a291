"""In the rooms' tests a screen is drawn when it opens, then once a second at most, and at the end of each test.

There is no terminal that would show it, and drawing each step of each key was half of what these tests took. What
`screen_text` says is always drawn for it; a fault in drawing ends the test as ever, a little later.
"""

from __future__ import annotations

import time

import pytest
from textual.app import App
from textual.screen import Screen

SECONDS = 1.0

_draw = Screen._compositor_refresh


class _Seldom:
    """When one screen was drawn last, and whether it will be."""

    def __init__(self) -> None:
        self.drawn = 0.0
        self.waiting = False


def _refresh(screen: Screen[object]) -> None:
    app = screen.app
    if not app.is_headless or screen is not app.screen:
        _draw(screen)
        return
    kept = screen.__dict__.setdefault("_seldom", _Seldom())
    wait = kept.drawn + SECONDS - time.monotonic()
    if wait <= 0:
        kept.drawn = time.monotonic()
        _draw(screen)
        return
    app._update_mouse_over(screen)
    if not kept.waiting:
        kept.waiting = True
        screen.set_timer(wait, lambda: _late(screen, kept))


def _late(screen: Screen[object], kept: _Seldom) -> None:
    kept.waiting = False
    kept.drawn = time.monotonic()
    _draw(screen)


def draw_at_last(app: App[None]) -> None:
    """Draw what was not drawn yet."""
    if app.is_running:
        _draw(app.screen)


def draw_seldom(patch: pytest.MonkeyPatch) -> None:
    """From now on, as long as the patch holds."""
    patch.setattr(Screen, "_compositor_refresh", _refresh)
