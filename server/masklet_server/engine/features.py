"""Image features of the last few frames, shared by all objects, and the next frame read ahead."""

from __future__ import annotations

import threading
from collections import OrderedDict

from torch import Tensor

from masklet.errors import MaskletError
from masklet_server.engine.picture import normalised, square_of
from masklet_server.model.network import ImageFeatures, Network
from masklet_server.sessions.tracking import FrameSource


class FrameReader:
    """Reads pictures of a source as squares, one of them ahead of time.

    At most one thread at a time is inside the source. A reading thread lives for one picture:
    there is nothing to close, and a parked tracker has no thread.
    """

    def __init__(self, source: FrameSource, *, side_px: int) -> None:
        self._source = source
        self._side_px = side_px
        self._ahead: _ReadAhead | None = None

    def read(self, frame: int) -> Tensor:
        """``(3, S, S)`` of ``frame``, uint8 or float32.

        Raises:
            ClipError: The picture is missing or cannot be read.
        """
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.join()
            if ahead.frame == frame and ahead.square is not None:
                return ahead.square
        return square_of(self._source.read(frame), self._side_px)

    def read_ahead(self, frame: int) -> None:
        """Start to read ``frame`` in the background, unless something is being read already."""
        if frame not in self._source.info.frames or frame in self._source.info.missing_frames:
            return
        if self._ahead is not None and (self._ahead.is_alive() or self._ahead.frame == frame):
            return
        self._ahead = _ReadAhead(self._source, frame, self._side_px)
        self._ahead.start()

    def drop(self) -> None:
        """Wait for the background thread and forget what it read."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.join()

    @property
    def held_bytes(self) -> int:
        """What was read ahead and not yet taken."""
        square = self._ahead.square if self._ahead is not None else None
        return 0 if square is None else square.nbytes


class _ReadAhead(threading.Thread):
    """Reads one picture; keeps None where that fails, so that whoever needs it meets the error."""

    def __init__(self, source: FrameSource, frame: int, side_px: int) -> None:
        super().__init__(name=f"masklet-read-ahead-{frame}", daemon=True)
        self.frame = frame
        self.square: Tensor | None = None
        self._source = source
        self._side_px = side_px

    def run(self) -> None:
        try:
            self.square = square_of(self._source.read(self.frame), self._side_px)
        except MaskletError:
            self.square = None


class FeatureCache:
    """Features of the most recently used frames."""

    def __init__(self, network: Network, reader: FrameReader, *, capacity: int) -> None:
        self._network = network
        self._reader = reader
        self._capacity = capacity
        self._held: OrderedDict[int, ImageFeatures] = OrderedDict()

    def features(self, frame: int) -> ImageFeatures:
        """The features of ``frame``, batch 1: held ones, or read and encoded now.

        Raises:
            ClipError: The picture is missing or cannot be read.
        """
        found = self._held.get(frame)
        if found is None:
            image = normalised(
                self._reader.read(frame), device=self._network.device, dtype=self._network.dtype
            )
            found = self._network.encode_image(image)
            while len(self._held) >= self._capacity:
                self._held.popitem(last=False)
            self._held[frame] = found
        self._held.move_to_end(frame)
        return found

    def read_ahead(self, frame: int) -> None:
        """Have the picture of ``frame`` read in the background, unless its features are held."""
        if frame not in self._held:
            self._reader.read_ahead(frame)

    def drop(self) -> None:
        """Give all features and pictures back."""
        self._held.clear()
        self._reader.drop()

    def __contains__(self, frame: object) -> bool:
        return frame in self._held

    @property
    def held_bytes(self) -> int:
        """What features and read-ahead hold together."""
        return self._reader.held_bytes + sum(
            level.nbytes
            for features in self._held.values()
            for level in (features.embedding, features.skip8, features.skip4)
        )
