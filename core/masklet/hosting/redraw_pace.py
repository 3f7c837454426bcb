"""How often a host can afford to draw again what changed, while results stream in."""

from __future__ import annotations

import time
from collections.abc import Callable

_EVERY_S = 0.1
"""Least time between two redraws while results stream in."""
_PANELS_EVERY_S = 0.5
_SHARE = 3.0
"""A redraw that takes long is made no oftener than so many times its length."""


class RedrawPace:
    """Paces redraws by how long a host takes for one, which is far longer than taking the results.

    Args:
        redraw: Has viewers drawn again; told whether with their panels.
        pause_s: How long the host waits between two calls of :meth:`follow` when it has nothing to draw.
    """

    def __init__(self, redraw: Callable[[bool], None], pause_s: float) -> None:
        self._redraw = redraw
        self._pause_s = pause_s
        self._every_s = _EVERY_S
        self._is_outdated = False
        self._drawn_s = 0.0
        self._panels_s = 0.0
        self._seen_s = 0.0

    def measure(self) -> None:
        """Learn how long the last redraw took; called first thing when the host comes back."""
        now_s = time.perf_counter()
        if self._drawn_s > self._seen_s:
            self._every_s = max(_EVERY_S, _SHARE * (now_s - self._drawn_s - self._pause_s))
        self._seen_s = now_s

    def follow(self, *, came: bool, is_busy: bool, is_awaited: bool = False) -> None:
        """Have what came drawn when it is time, and at once when nothing more is to come.

        Args:
            came: Something came since the last call.
            is_busy: More is to come.
            is_awaited: A hand waits for it, as for the mask of a click.
        """
        self._is_outdated = self._is_outdated or came
        now_s = time.perf_counter()
        is_early = now_s - self._drawn_s < self._every_s
        if not self._is_outdated or (is_busy and is_early and not is_awaited):
            return
        self._is_outdated, self._drawn_s = False, now_s
        with_panels = not is_busy or now_s - self._panels_s > _PANELS_EVERY_S
        if with_panels:
            self._panels_s = now_s
        self._redraw(with_panels)
