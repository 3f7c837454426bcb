"""Giving sessions back without holding the host."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress

from masklet.errors import MaskletError

Closing = Callable[[], None]
"""Gives one session back."""


def release(closings: Iterable[Closing]) -> threading.Thread | None:
    """Give sessions back in a thread of its own; None where there are none."""
    leaving = list(closings)
    if not leaving:
        return None

    def close() -> None:
        for closing in leaving:
            with suppress(MaskletError):
                closing()

    releasing = threading.Thread(target=close, daemon=True, name="masklet-release")
    releasing.start()
    return releasing
