"""The beat of the loop: a thread that counts time, and a main thread that does the work."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from masklet_nuke.api import AnyThread


class Ticking:
    """Calls something in Nuke's main thread until it says that nothing is left to do.

    Args:
        main_thread: Takes calls for it.
        beat: Called in the main thread; False ends the calls.
        every_s: Between two calls.
        has_windows: Without any, nobody waits for beats.
    """

    def __init__(
        self, main_thread: AnyThread, beat: Callable[[], bool], every_s: float, *, has_windows: bool
    ) -> None:
        self._main_thread = main_thread
        self._has_windows = has_windows
        self._beat = beat
        self._every_s = every_s
        self._thread: threading.Thread | None = None
        self._is_over = False

    def keep_on(self) -> None:
        """Begin, if it does not run. Main thread only."""
        if not self._has_windows or self._thread is not None or self._is_over:
            return
        self._thread = threading.Thread(target=self._run, daemon=True, name="masklet-beat")
        self._thread.start()

    def end(self) -> None:
        """Never again: Nuke is closing."""
        self._is_over = True

    def _run(self) -> None:
        while not self._is_over:
            time.sleep(self._every_s)
            # Waited for, so that beats do not pile up behind a render.
            if not self._main_thread.executeInMainThreadWithResult(self._tick):
                return

    def _tick(self) -> bool:
        goes_on = not self._is_over and self._beat()
        if not goes_on:
            # In the main thread, so that whoever asks for beats now begins anew.
            self._thread = None
        return goes_on
