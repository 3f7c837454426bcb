"""Streams: a pipe of raw frames, and a sequence that is still being written."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from masklet.clip_reading import AS_FILES_SAY, ClipReading
from masklet.errors import BadInputError, ClipError
from masklet.patterns import FramePattern, frames_matching
from masklet_server.media.source import open_clip

Picture = NDArray[np.uint8] | NDArray[np.float32]

_SETTLED_S = 0.2
_LOOK_EVERY_S = 0.1


class RawPipe:
    """Frames of 8-bit RGB, one after the other without anything in between.

    Args:
        pipe: Read to its end.
        width_px: Of every frame.
        height_px: Likewise.
        first_frame: Number of the first.
    """

    def __init__(self, pipe: BinaryIO, width_px: int, height_px: int, *, first_frame: int = 0) -> None:
        self._pipe, self._shape, self._first = pipe, (height_px, width_px, 3), first_frame

    def frames(self) -> Iterator[tuple[int, Picture]]:
        """Each frame once it is whole.

        Raises:
            ClipError: The pipe ends within a frame.
        """
        size_bytes = int(np.prod(self._shape))
        frame = self._first
        while data := _filled(self._pipe, size_bytes):
            if len(data) < size_bytes:
                size = f"{self._shape[1]} x {self._shape[0]}"
                raise ClipError(f"the pipe ended within frame {frame}: is the size {size} right?")
            yield frame, np.frombuffer(data, np.uint8).reshape(self._shape)
            frame += 1

    def close(self) -> None:
        """Nothing: a pipe ends with who writes it."""


class GrowingSequence:
    """Picture files that a renderer or an ingest is still writing, read in the order of their numbers.

    A file counts as whole once its size has stood still for a moment and it can be read. Farms finish frames
    in any order, so the next number is waited for; once that has not come for a while, it is stepped over.

    Args:
        folder: Where the files are.
        pattern: Of their names.
        read: Gives a picture, or raises ClipError while it is not whole.
        first_frame: The number to begin with; None for the lowest that is there first.
        last_frame: The last one to expect; None to end when nothing new has come for a while.
        patience_s: That while.
    """

    def __init__(
        self,
        folder: Path,
        pattern: FramePattern,
        read: Callable[[Path], Picture],
        *,
        first_frame: int | None = None,
        last_frame: int | None = None,
        patience_s: float = 60.0,
    ) -> None:
        self._folder, self._pattern, self._read = folder, pattern, read
        self._next, self._last, self._patience_s = first_frame, last_frame, patience_s
        self._closed = threading.Event()
        self._sizes: dict[int, tuple[int, float]] = {}

    def frames(self) -> Iterator[tuple[int, Picture]]:
        """Each picture once its file is whole.

        Raises:
            BadInputError: Nothing has come at all.
        """
        waited_from_s, came = time.monotonic(), False
        while not self._closed.is_set() and not self._is_done:
            waited_s = time.monotonic() - waited_from_s
            found = self._whole(any_later=waited_s > self._patience_s)
            if found is None:
                # What is there and not whole yet has as long again: it may just have begun to come.
                if waited_s > self._patience_s * (2 if self._is_coming else 1):
                    if not came:
                        raise BadInputError(
                            f"no picture has come within {self._patience_s:g} s: check the path"
                        )
                    return
                self._closed.wait(_LOOK_EVERY_S)
                continue
            frame, picture = found
            self._sizes = {number: size for number, size in self._sizes.items() if number > frame}
            yield frame, picture
            came, waited_from_s, self._next = True, time.monotonic(), frame + 1

    def close(self) -> None:
        """Have it end."""
        self._closed.set()

    @property
    def _is_coming(self) -> bool:
        return any(self._next is None or frame >= self._next for frame in self._sizes)

    @property
    def _is_done(self) -> bool:
        return self._last is not None and self._next is not None and self._next > self._last

    def _whole(self, *, any_later: bool) -> tuple[int, Picture] | None:
        """The next frame, if its file is whole; the first whole one behind it with ``any_later``."""
        names = frames_matching(self._pattern, os.listdir(self._folder) if self._folder.is_dir() else ())
        low = min(names, default=0) if self._next is None else self._next
        wanted = sorted(number for number in names if number >= low) if any_later else [low]
        for frame in wanted:
            if frame not in names or (self._last is not None and frame > self._last):
                continue
            file = self._folder / names[frame]
            try:
                if self._is_settled(frame, file.stat().st_size):
                    return frame, self._read(file)
            except (ClipError, OSError):
                continue
        return None

    def _is_settled(self, frame: int, size_bytes: int) -> bool:
        now_s = time.monotonic()
        known = self._sizes.get(frame)
        if known is None or known[0] != size_bytes:
            self._sizes[frame] = (size_bytes, now_s)
            return False
        return size_bytes > 0 and now_s - known[1] >= _SETTLED_S


class PlateReader:
    """Reads one file of a plate as the finished clip reads it.

    Args:
        reading: What the artist said of colour, layer and view.
        tell: Told what was assumed of the first picture, a sentence each.
    """

    def __init__(
        self, reading: ClipReading = AS_FILES_SAY, tell: Callable[[str], None] = lambda sentence: None
    ) -> None:
        self._reading, self._tell = reading, tell
        self._has_told = False

    def __call__(self, file: Path) -> Picture:
        """The picture.

        Raises:
            ClipError: It is not whole, or damaged.
            BadInputError: There is no such colour space, layer or view.
        """
        said = self._reading
        with open_clip(
            file, colour=said.colour_space, layer=said.layer, view=said.view, overscan=said.overscan
        ) as clip:
            picture = clip.read(clip.info.first_frame)
            if not self._has_told:
                self._has_told = True
                for notice in clip.info.notices:
                    self._tell(notice)
        return picture


def _filled(pipe: BinaryIO, size_bytes: int) -> bytes:
    """So many bytes, or fewer where the pipe ends."""
    parts, missing = [], size_bytes
    while missing and (part := pipe.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
