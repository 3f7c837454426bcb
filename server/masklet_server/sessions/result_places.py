"""What is known of a result, and where its logits lie: fresh, packed in memory, or on a disk."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from masklet.errors import OutputError
from masklet.types import Presence, TrackedMask
from masklet_server.sessions.masks import pack_logits
from masklet_server.tracking import ObjectFrame


@dataclass(frozen=True, eq=False)
class ResultEntry:
    """A result without its logits."""

    presence_logit: float
    predicted_iou: float
    presence: Presence
    pointer: NDArray[np.float16]
    prompted: bool
    shape: tuple[int, int]
    rival: float = 0.0

    @staticmethod
    def of(result: ObjectFrame) -> ResultEntry:
        """What is known of a result beside its logits."""
        height, width = result.logits.shape
        return ResultEntry(
            result.presence_logit,
            result.predicted_iou,
            result.presence,
            result.pointer,
            result.prompted,
            (height, width),
            result.rival,
        )

    def tracked(self, packed: bytes) -> TrackedMask:
        """The result as a prompt document holds it, with its packed logits."""
        rows, columns = self.shape
        return TrackedMask(
            columns,
            rows,
            packed,
            self.presence,
            self.presence_logit,
            self.predicted_iou,
            self.pointer.astype("<f2").tobytes(),
            self.rival,
        )

    def result(self, object_id: int, frame: int, logits: NDArray[np.float16]) -> ObjectFrame:
        """The result with its logits."""
        return ObjectFrame(
            object_id,
            frame,
            logits,
            self.presence_logit,
            self.predicted_iou,
            self.presence,
            self.pointer,
            self.prompted,
            self.rival,
        )


class Packing:
    """Logits that are packed once, by whoever needs that first. Safe to use from any thread."""

    def __init__(self, logits: NDArray[np.float16]) -> None:
        self.logits = logits
        self._packed: bytes | None = None
        self._lock = threading.Lock()

    def packed(self) -> bytes:
        """The logits as :func:`pack_logits` makes them."""
        with self._lock:
            if self._packed is None:
                self._packed = pack_logits(self.logits)
            return self._packed


class LostResultError(OutputError):
    """A disk does not give a result back as it was: there is none any more."""


class Place(Protocol):
    """Where packed logits lie outside of memory."""

    @property
    def size_bytes(self) -> int:
        """How many there are."""
        ...

    def read(self) -> bytes | None:
        """The bytes; None where others have taken their place.

        Raises:
            LostResultError: They are not what they were.
            OutputError: The disk does not give them back.
        """
        ...


class ResultWitness(Protocol):
    """Told of every change of results, in order, by the thread that makes it; it must not take long."""

    def put(self, object_id: int, frame: int, entry: ResultEntry, packing: Packing) -> None:
        """A result is there now, in place of any other."""
        ...

    def gone(self, object_id: int, frame: int) -> None:
        """There is none any more."""
        ...

    def moved(self, object_id: int, frame: int, to_id: int) -> None:
        """It is another object's now."""
        ...
