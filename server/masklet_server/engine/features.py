"""Image features of the last few frames, shared by all objects, and the next frame read and encoded ahead."""

from __future__ import annotations

import atexit
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from masklet_server.aside import waiting_for_disk
from masklet_server.engine import beside
from masklet_server.engine.picture import DeviceResizer, normalised, square_of, whole
from masklet_server.model.network import ImageFeatures, Network
from masklet_server.tracking import FrameSource

Prepare = Callable[[NDArray[np.uint8] | NDArray[np.float32]], Tensor]
"""What the reading thread does with a picture."""
_END_WITHIN_S = 2.0


class FrameReader:
    """Reads pictures of a source and prepares them, one of them ahead of time.

    At most one thread at a time is inside the source. A reading thread lives for one picture:
    there is nothing to close, and a parked tracker has no thread.
    """

    def __init__(self, source: FrameSource, prepare: Prepare) -> None:
        self._source = source
        self._prepare = prepare
        self._ahead: _ReadAhead | None = None

    def read(self, frame: int) -> Tensor:
        """The picture of ``frame``, prepared.

        Raises:
            ClipError: The picture is missing or cannot be read.
        """
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            with waiting_for_disk():
                ahead.join()
            if ahead.frame == frame and ahead.picture is not None:
                return ahead.picture
        return self._prepare(self._source.read(frame))

    def is_ready(self, frame: int) -> bool:
        """Whether ``frame`` was read ahead, so that reading it takes no time."""
        ahead = self._ahead
        return ahead is not None and ahead.frame == frame and ahead.picture is not None

    def read_ahead(self, frame: int) -> None:
        """Start to read ``frame`` in the background, unless something is being read already."""
        if frame not in self._source.info.frames or frame in self._source.info.missing:
            return
        if self._ahead is not None and (self._ahead.is_alive() or self._ahead.frame == frame):
            return
        self._ahead = _ReadAhead(self._source, frame, self._prepare)
        self._ahead.start()

    def drop(self) -> None:
        """Wait for the background thread and forget what it read."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            with waiting_for_disk():
                ahead.join()

    @property
    def held_bytes(self) -> int:
        """What was read ahead and not yet taken."""
        picture = self._ahead.picture if self._ahead is not None else None
        return 0 if picture is None else picture.nbytes


class _ReadAhead(threading.Thread):
    """Reads one picture; keeps None where that fails, so that whoever needs it meets the error."""

    def __init__(self, source: FrameSource, frame: int, prepare: Prepare) -> None:
        super().__init__(name=f"masklet-read-ahead-{frame}", daemon=True)
        self.frame = frame
        self.picture: Tensor | None = None
        self._source = source
        self._prepare = prepare

    def run(self) -> None:
        try:
            self.picture = self._prepare(self._source.read(self.frame))
        except Exception:  # noqa: BLE001  (see below)
            # Whoever needs the picture reads it again and meets the error, in a thread that can tell it.
            self.picture = None


def let_readers_end(within_s: float = _END_WITHIN_S) -> None:
    """Wait for pictures that are being read ahead, but for none whose disk does not answer.

    A thread that comes back from torch when the interpreter is gone ends the process with a signal.
    """
    until_s = time.monotonic() + within_s
    for thread in threading.enumerate():
        if isinstance(thread, _ReadAhead):
            thread.join(max(0.0, until_s - time.monotonic()))


atexit.register(let_readers_end)


@dataclass(frozen=True, eq=False)
class _Encoding:
    """A frame whose features are being made beside."""

    frame: int
    made: Future[ImageFeatures]


class FeatureCache:
    """Features of the most recently used frames.

    Args:
        network: Its image encoder makes them.
        source: Pictures.
        capacity: Frames held.
        by_device: The network's device resizes pictures too, and :meth:`encode_ahead` has it encode them:
            right for a device that works while the processor does something else.
        encodes_beside: On a processor with several cores: :meth:`encode_beside` and :meth:`encode_ahead` use
            another thread.
    """

    def __init__(
        self,
        network: Network,
        source: FrameSource,
        *,
        capacity: int,
        by_device: bool,
        encodes_beside: bool = False,
    ) -> None:
        self._network = network
        self._encodes_beside = encodes_beside
        self._encoding: _Encoding | None = None
        side_px = network.config.image_side_px
        self._resizer = DeviceResizer(side_px=side_px, device=network.device) if by_device else None
        prepare = partial(whole, device=network.device) if by_device else partial(square_of, side_px=side_px)
        self._reader = FrameReader(source, prepare)
        self._capacity = capacity
        self._held: OrderedDict[int, ImageFeatures] = OrderedDict()

    def features(self, frame: int) -> ImageFeatures:
        """The features of ``frame``, batch 1: held ones, or read and encoded now.

        Raises:
            ClipError: The picture is missing or cannot be read.
        """
        found = self._held.get(frame)
        if found is None:
            found = self._made_beside(frame)
            if found is None:
                found = self._encode(self._reader.read(frame))
            while len(self._held) >= self._capacity:
                self._held.popitem(last=False)
            self._held[frame] = found
        self._held.move_to_end(frame)
        return found

    def read_ahead(self, frame: int) -> None:
        """Have the picture of ``frame`` read in the background, unless its features are held."""
        if frame not in self and not self._is_encoding(frame):
            self._reader.read_ahead(frame)

    def encode_ahead(self, frame: int, *, then: int) -> None:
        """Have ``frame`` encoded if its picture is there already, and ``then`` read meanwhile.

        A device other than the processor is asked for it now: call this when it has nothing better to do.
        """
        if self._resizer is None:
            self.encode_beside(frame, then=then)
        elif frame not in self and self._reader.is_ready(frame):
            self.features(frame)
            self.read_ahead(then)

    def encode_beside(self, frame: int, *, then: int) -> None:
        """On processors: as :meth:`encode_ahead`, by another thread, while the caller works on."""
        if not self._encodes_beside or frame in self or not self._reader.is_ready(frame):
            return
        slot = beside.free_slot()
        if slot is not None:
            picture = self._reader.read(frame)
            self._encoding = _Encoding(frame, slot.encode(partial(self._encode, picture)))
            self.read_ahead(then)

    def _encode(self, picture: Tensor) -> ImageFeatures:
        square = picture if self._resizer is None else self._resizer.square_of(picture)
        image = normalised(square, device=self._network.device, dtype=self._network.dtype)
        return self._network.encode_image(image)

    def _is_encoding(self, frame: int) -> bool:
        return self._encoding is not None and self._encoding.frame == frame

    def _made_beside(self, frame: int) -> ImageFeatures | None:
        """What the other thread makes of ``frame``; None if it was not asked for it, or failed."""
        encoding = self._encoding
        if encoding is None or encoding.frame != frame:
            return None
        self._encoding = None
        return encoding.made.result() if encoding.made.exception() is None else None

    def forget(self) -> None:
        """Give all features back."""
        self._held.clear()
        self._encoding = None

    def drop(self) -> None:
        """Give all features and pictures back."""
        self.forget()
        self._reader.drop()

    def __contains__(self, frame: object) -> bool:
        return frame in self._held

    @property
    def ahead_bytes(self) -> int:
        """What was read ahead."""
        return self._reader.held_bytes

    @property
    def held_bytes(self) -> int:
        """What features and read-ahead hold together."""
        held = [*self._held.values()]
        encoding = self._encoding
        if encoding is not None and encoding.made.done() and encoding.made.exception() is None:
            held.append(encoding.made.result())
        return self._reader.held_bytes + sum(
            level.nbytes
            for features in held
            for level in (features.embedding, features.skip8, features.skip4)
        )
