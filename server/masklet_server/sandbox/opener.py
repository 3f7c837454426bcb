"""Opens clips for the service: in decoders where the system has them, else in the server's own process."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.clip_reading import ClipReading
from masklet_server.fence import Fence
from masklet_server.media.limits import Limits
from masklet_server.sandbox.opening import Opening

if TYPE_CHECKING:
    from masklet_server.media.clip import Clip
    from masklet_server.sandbox.confinement import Bounds
    from masklet_server.sandbox.decoders import Decoders

_log = logging.getLogger("masklet_server.sandbox")


class MediaOpener:
    """Opens clips with the server's own readers.

    Args:
        limits: Sizes that are accepted.
        decoders: Where processes to decode in come from; None decodes here.
        bounds: What decoding may take; None for the usual.
    """

    def __init__(
        self, limits: Limits, *, decoders: Decoders | None = None, bounds: Bounds | None = None
    ) -> None:
        self._limits, self._decoders, self._bounds = limits, decoders, bounds

    def path(self, path: Path, *, reading: ClipReading, fence: Fence, name: str | None = None) -> Clip:
        """The clip at a path."""
        return self._opened(Opening(path, fence, self._limits, reading, name))

    def pictures(self, folder: Path, files: Mapping[int, str], *, name: str, reading: ClipReading) -> Clip:
        """The clip that uploaded pictures make."""
        return self._opened(Opening(folder, Fence.around([folder]), self._limits, reading, name, files))

    def close(self) -> None:
        """End all processes."""
        if self._decoders is not None:
            self._decoders.close()

    def _opened(self, opening: Opening) -> Clip:
        if self._decoders is None:
            return opening.open()
        from masklet_server.sandbox.clip import SandboxedClip

        return SandboxedClip(opening, self._decoders, self._bounds)


def opener_for(limits: Limits, *, disk_s: float) -> MediaOpener:
    """The opener of a server on this system, warmed up.

    Args:
        limits: Sizes that are accepted.
        disk_s: How long a disk may take for one picture.
    """
    from masklet_server.sandbox.decoders import Decoders

    if not Decoders.are_possible():
        _log.warning("files of clients are decoded in the server's own process: this system has no sandbox")
        return MediaOpener(limits)
    from masklet_server.sandbox.confinement import Bounds

    decoders = Decoders()
    decoders.warm_up()
    # A little sooner than whoever waits for the disk gives up: then no thread is left behind.
    own_s = 0.9 * disk_s
    return MediaOpener(limits, decoders=decoders, bounds=replace(Bounds(), answer_s=own_s, opening_s=own_s))
