"""In the rooms' tests a screen is drawn every five seconds at most, and at the end of each test; the first of its kind in
a test process also when it opens.

There is no terminal that would show it, and drawing each step of each key was half of what these tests took. What
`screen_text` says is always drawn for it; a fault in drawing ends the test as ever, a little later.
"""

from __future__ import annotations

import time

import pytest
from textual.app import App
from textual.screen import Screen

SECONDS = 5.0

_draw = Screen._compositor_refresh
_seen: set[type[Screen[object]]] = set()
"""The kinds of screens that were drawn as they opened."""


class _Seldom:
    """When one screen was drawn last, and whether it will be."""

    def __init__(self, drawn: float) -> None:
        self.drawn = drawn
        self.waiting = False


def _refresh(screen: Screen[object]) -> None:
    app = screen.app
    if not app.is_headless or screen is not app.screen:
        _draw(screen)
        return
    now = time.monotonic()
    kept = screen.__dict__.get("_seldom")
    if kept is None:
        kept = screen.__dict__["_seldom"] = _Seldom(now if type(screen) in _seen else 0.0)
        _seen.add(type(screen))
    wait = kept.drawn + SECONDS - now
    if wait <= 0:
        kept.drawn = now
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
