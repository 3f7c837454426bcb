"""Opens clips for sessions, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from masklet.errors import PathNotAllowedError
from masklet.types import ClipInfo
from masklet_server.service.roots import Roots
from masklet_server.service.uploads import Upload
from masklet_server.sessions.desk import ClosingSource


class ClipOpener(Protocol):
    """What the service needs of :mod:`masklet_server.media`."""

    def path(self, path: Path, *, colour: str | None) -> ClosingSource:
        """The clip at a path."""
        ...

    def pictures(
        self, folder: Path, files: dict[int, str], *, name: str, colour: str | None
    ) -> ClosingSource:
        """The clip that uploaded pictures make."""
        ...


class Clips:
    """The way from a request to an open clip.

    Args:
        opener: Reads headers; the pictures come later.
        roots: Which paths may be named.
    """

    def __init__(self, opener: ClipOpener, roots: Roots) -> None:
        self._opener = opener
        self.roots = roots

    async def by_path(self, text: str, colour_space: str) -> Callable[[], ClosingSource]:
        """Something that opens the clip at a path.

        Raises:
            PathNotAllowedError: The server opens no paths, or not this one; see :meth:`Roots.clip`.
        """
        if not self.roots.any:
            raise PathNotAllowedError("this server opens uploaded clips only: send the clip's files")
        path = await asyncio.get_running_loop().run_in_executor(None, self.roots.clip, text)
        return lambda: self._opener.path(path, colour=colour_space or None)

    def by_upload(self, upload: Upload, colour_space: str) -> Callable[[], ClosingSource]:
        """Something that opens the clip of an upload."""
        colour = colour_space or None
        if upload.movie:
            path = upload.folder / upload.movie
            return lambda: NamedClip(self._opener.path(path, colour=colour), upload.clip_name)
        return lambda: self._opener.pictures(
            upload.folder, upload.pictures, name=upload.clip_name, colour=colour
        )


class NamedClip:
    """A clip under the name its owner knows, whatever the file on the server is called."""

    def __init__(self, clip: ClosingSource, name: str) -> None:
        self._clip = clip
        self._info = replace(clip.info, name=name)

    @property
    def info(self) -> ClipInfo:
        """As the file says, but for the name."""
        return self._info

    def read(self, frame: int) -> NDArray[np.uint8] | NDArray[np.float32]:
        """The picture; see :class:`FrameSource`."""
        return self._clip.read(frame)

    def close(self) -> None:
        """Give the file back."""
        self._clip.close()
