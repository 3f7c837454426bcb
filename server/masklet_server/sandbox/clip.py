"""A clip whose files are opened by a decoder: pictures come through memory that both sides see."""

from __future__ import annotations

import mmap
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from google.protobuf.message import DecodeError

from masklet import codec
from masklet.errors import (
    BadInputError,
    ClipError,
    ClipWaitsError,
    LimitError,
    MaskletError,
    error_from_wire,
)
from masklet.plate_marks import NO_MARKS, PlateMarks
from masklet.v1 import values_pb2
from masklet_server.media.clip import Clip
from masklet_server.sandbox.confinement import Bounds
from masklet_server.sandbox.foresight import Foresight
from masklet_server.sandbox.picture_pool import PicturePool
from masklet_server.sandbox.wire import GoneError, LateError, Message
from masklet_server.sandbox.worker import FAULT, MEMORY, SLOTS
from masklet_server.sealed_memory import sealed_memory

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from masklet.pictures import Grade
    from masklet.types import ClipInfo
    from masklet_server.sandbox.decoders import Decoder, Decoders
    from masklet_server.sandbox.opening import Opening

ValueT = TypeVar("ValueT")

_CHANNELS = 3
_TRIES = 2
_MOST_MARK_CHARACTERS = 4096
_MOST_BITS = 1 << 32


class SandboxedClip(Clip):
    """Reads pictures of a clip through a decoder of its own, which starts with the first question.

    While frames are read one after the other, the decoder makes the next one ready once it has answered.

    A decoder that ends while it is asked is asked once more, by another one; what ends two is a picture
    that cannot be used. One that does not answer is ended.

    Args:
        opening: The clip.
        decoders: Where decoders come from.
        bounds: What decoding may take; None for the usual.

    Raises:
        ClipError: As for clips that are opened here; or its decoder ended or did not answer.
        LimitError: The same; or decoding takes too much memory.
        BadInputError: As for clips that are opened here.
    """

    def __init__(self, opening: Opening, decoders: Decoders, bounds: Bounds | None = None) -> None:
        self._opening, self._decoders, self._bounds = opening, decoders, bounds or Bounds()
        self._lock = threading.RLock()
        self._decoder: Decoder | None = None
        self._memory: mmap.mmap | None = None
        self._pool: PicturePool | None = None
        self._foresight = Foresight()
        self._ahead: int | None = None
        self._name = opening.shown_name
        self._is_known = False
        try:
            super().__init__(self._asked(self._opened, self._name))
        except BaseException:
            self.close()
            raise
        self._name, self._is_known = self._info.name, True

    def marks(self, frame: int) -> PlateMarks:
        """What the decoder found in the frame's file."""
        try:
            words = self._asked(
                lambda decoder: self._ask(decoder, "marks", {"frame": frame}), "its marks"
            ).words
        except MaskletError:
            # Whoever reads the picture says what is wrong with it.
            return NO_MARKS
        return _marks_in(words)

    def refresh(self) -> frozenset[int]:  # noqa: D102
        before = {each.frame for each in self._info.unreadable}
        if not before:
            return frozenset()
        answer = self._asked(lambda decoder: self._ask(decoder, "refresh"), self._info.name)
        mended = frozenset(before - {each.frame for each in _info_in(answer).unreadable})
        self._take_in(mended)
        return mended

    def close(self) -> None:
        """End the decoder; the next read starts another."""
        with self._lock:
            decoder, self._decoder = self._decoder, None
            memory, self._memory = self._memory, None
            self._pool = None
            self._foresight.forget()
            self._ahead = None
        self._decoders.forget(self)
        if decoder is not None:
            decoder.end()
        if memory is not None:
            memory.close()

    def _read_picture(self, frame: int) -> NDArray[np.uint8]:
        return self._picture(frame, "read", {"frame": frame})

    def _read_graded(self, frame: int, grade: Grade) -> NDArray[np.uint8]:
        words = {"frame": frame, "grade": [grade.exposure_stops, grade.gamma]}
        return self._picture(frame, "read_shown", words)

    def _picture(self, frame: int, what: str, words: dict[str, Any]) -> NDArray[np.uint8]:
        info = self._info
        name = f"frame {frame} of {info.name}"

        def show(decoder: Decoder) -> NDArray[np.uint8]:
            coming = self._foresight.after(frame, info)
            asked = words if coming is None else {**words, "ahead": coming}
            slot = self._ask(decoder, what, asked, name=name, frame=frame).words.get("slot")
            if type(slot) is not int or not 0 <= slot < SLOTS:
                raise GoneError
            self._ahead = coming
            assert self._memory is not None
            assert self._pool is not None
            size_bytes = _CHANNELS * info.width_px * info.height_px
            seen = np.frombuffer(self._memory, np.uint8, size_bytes, slot * size_bytes)
            # A copy: the decoder still sees that memory, and must not change a picture that is in use.
            return self._pool.copy_of(seen).reshape(info.height_px, info.width_px, _CHANNELS)

        return self._asked(show, name)

    def _asked(self, ask: Callable[[Decoder], ValueT], what: str) -> ValueT:
        """What comes of asking a decoder, or a second one where the first has ended."""
        with self._lock:
            for left in reversed(range(_TRIES)):
                try:
                    decoder = self._ready()
                    value = ask(decoder)
                    self._decoders.use(self, self._give_way)
                except GoneError:
                    self.close()
                    if not left:
                        raise ClipError(
                            f"{what} ended the process that reads it, twice: the file is damaged, or made to "
                            "do harm; copy or render it again."
                        ) from None
                else:
                    return value
        raise AssertionError("it returns or raises")

    def _ready(self) -> Decoder:
        """The decoder, with the clip open where it was before."""
        if self._decoder is None:
            self._decoder = self._decoders.hatch()
            if self._is_known:
                self._check_same(self._opened(self._decoder))
        return self._decoder

    def _opened(self, decoder: Decoder) -> ClipInfo:
        words = {"opening": self._opening.to_words(), "bounds": asdict(self._bounds)}
        answer = self._ask(decoder, "open", words, within_s=self._bounds.opening_s)
        self._decoders.tell_missing(answer.words.get("missing_walls"))
        info = _info_in(answer)
        # The decoder has looked at that too; whether it still does what it was made for, nobody knows.
        self._opening.limits.check_size(info.width_px, info.height_px, what=self._opening.shown_name)
        self._opening.limits.check_frame_count(len(info.frames), what=self._opening.shown_name)
        self._share(decoder, _CHANNELS * info.width_px * info.height_px)
        return info

    def _share(self, decoder: Decoder, size_bytes: int) -> None:
        """Memory for pictures, that both see and neither can make shorter.

        There is room for the one that is copied out while the next is made ready.
        """
        whole_bytes = SLOTS * size_bytes
        descriptor = sealed_memory("masklet-picture", whole_bytes)
        try:
            if self._memory is not None:
                self._memory.close()
            self._memory = mmap.mmap(descriptor, whole_bytes, prot=mmap.PROT_READ)
            self._pool = PicturePool(size_bytes)
            self._ask(decoder, "share", {"bytes": whole_bytes}, descriptor=descriptor)
        finally:
            os.close(descriptor)

    def _check_same(self, info: ClipInfo) -> None:
        known = self._info
        if (info.width_px, info.height_px, info.frames) != (known.width_px, known.height_px, known.frames):
            self.close()
            raise ClipError(f"{known.name} has changed since it was opened: open the clip again.")

    def _ask(
        self,
        decoder: Decoder,
        what: str,
        words: Mapping[str, Any] | None = None,
        *,
        within_s: float | None = None,
        descriptor: int | None = None,
        name: str = "",
        frame: int | None = None,
    ) -> Message:
        """The decoder's answer; an error where that is one."""
        within_s = within_s or self._bounds.answer_s
        name = name or self._name
        ahead, self._ahead = self._ahead, None
        try:
            answer = decoder.ask(what, words, within_s=within_s, descriptor=descriptor)
        except LateError:
            computed = decoder.is_computing
            self.close()
            if ahead not in (None, frame):
                # It may be at what nobody has asked for: another one is asked this alone.
                raise GoneError from None
            if computed:
                raise ClipError(
                    f"{name} could not be decoded within {within_s:.0f} seconds: the file is damaged, or "
                    "made to do harm; copy or render it again."
                ) from None
            raise ClipWaitsError(
                f"the plate's disk has not answered for {within_s:.0f} seconds: check the disk or the "
                "network share, then try again"
            ) from None
        kind, message = answer.words.get("error"), answer.words.get("message")
        if kind is None:
            return answer
        if kind == MEMORY:
            self.close()
            gib = self._bounds.memory_bytes / (1 << 30)
            raise LimitError(
                f"{name} takes more than the {gib:.3g} GiB of memory that this server gives to decoding: "
                "scale it down, or write the plate without other layers."
            )
        if kind == FAULT or not (isinstance(kind, str) and isinstance(message, str)):
            self.close()
            raise RuntimeError(f"a decoder failed: {message}")
        error = error_from_wire(kind, "INVALID_ARGUMENT", message)
        # A frame that is missing to the decoder is one that it cannot use: the clip leaves it out.
        raise ClipError(message) if isinstance(error, ClipError) else error

    def _give_way(self) -> bool:
        """End the decoder for another clip's sake, if nobody waits for it."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            self.close()
        finally:
            self._lock.release()
        return True


def _info_in(answer: Message) -> ClipInfo:
    """The clip that a decoder tells of.

    Raises:
        GoneError: It is none.
    """
    try:
        return codec.clip_from_wire(values_pb2.ClipInfo.FromString(answer.data))
    except (DecodeError, BadInputError) as error:
        raise GoneError from error


def _marks_in(words: Mapping[str, Any]) -> PlateMarks:
    timecode, texts = words.get("timecode"), (words.get("reel"), words.get("owner"))
    if not all(isinstance(text, str) and len(text) <= _MOST_MARK_CHARACTERS for text in texts):
        return NO_MARKS
    if timecode is not None:
        if not (isinstance(timecode, list) and len(timecode) == 2):
            return NO_MARKS
        if not all(type(part) is int and 0 <= part < _MOST_BITS for part in timecode):
            return NO_MARKS
        timecode = (timecode[0], timecode[1])
    return PlateMarks(timecode, str(texts[0]), str(texts[1]))
