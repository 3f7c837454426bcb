"""Which picture will be asked for next: the one after, where the last two followed each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from masklet.types import ClipInfo

_MOST_AHEAD_BYTES = 64 << 20
_CHANNELS = 3


class Foresight:
    """Guesses from what was asked. A wrong guess costs the decoder a picture that nobody wants."""

    def __init__(self) -> None:
        self._last: int | None = None

    def after(self, frame: int, info: ClipInfo) -> int | None:
        """The frame to make ready once ``frame`` is read; None where nothing is foreseen.

        Args:
            frame: What is asked for now.
            info: The clip. Of very large pictures none is made ready: it would lie there unused for long.
        """
        last, self._last = self._last, frame
        if last is None or abs(frame - last) != 1:
            return None
        coming = 2 * frame - last
        if coming not in info.frames or coming in info.missing:
            return None
        fits = _CHANNELS * info.width_px * info.height_px <= _MOST_AHEAD_BYTES
        return coming if fits else None

    def forget(self) -> None:
        """Foresee nothing until two more have been asked for."""
        self._last = None
