"""A decoder: a process with one open clip, which answers questions until nobody asks any more."""

from __future__ import annotations

import mmap
import os
import signal
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from masklet import codec
from masklet.errors import MaskletError
from masklet.pictures import Grade
from masklet_server.media.colour import studio_folders
from masklet_server.sandbox.confinement import Bounds, confine
from masklet_server.sandbox.opening import Opening
from masklet_server.sandbox.wire import GoneError, Line, Message

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from masklet_server.media.clip import Clip

FAULT = "fault"
MEMORY = "memory"
SLOTS = 2
"""Pictures that there is shared memory for: one is read by the server while the next is made."""
_MOST_OPENING_BYTES = 64 << 20
_MOST_FAULT_CHARACTERS = 8_000


@dataclass(frozen=True)
class _Ready:
    """A picture that was made before it was asked for; it lies in the slot that was not shown last.

    Attributes:
        question: To which it is the answer.
        stamp: Of its file, before it was read.
    """

    question: dict[str, Any]
    stamp: object


class Worker:
    """Answers the server's questions about one clip.

    Args:
        line: To the server.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._clip: Clip | None = None
        self._shared: mmap.mmap | None = None
        self._bounds = Bounds()
        self._ready: _Ready | None = None
        self._slot = 0

    def serve(self) -> None:
        """Answer until the server hangs up."""
        while True:
            try:
                asked, descriptor = self._line.receive(
                    with_descriptor=True, most_words_bytes=_MOST_OPENING_BYTES
                )
            except GoneError:
                return
            coming = asked.words.pop("ahead", None)
            answer = self._answer(asked.words, descriptor)
            self._line.send(answer)
            if coming is not None and "error" not in answer.words:
                self._make_ready({**asked.words, "frame": coming})

    def _answer(self, words: dict[str, Any], descriptor: int) -> Message:
        try:
            return self._done(words, descriptor)
        except MaskletError as error:
            return Message({"error": error.kind, "message": str(error)})
        except MemoryError:
            return Message({"error": MEMORY, "message": ""})
        except Exception:  # noqa: BLE001  (told to the server, which writes it to its log)
            return Message({"error": FAULT, "message": traceback.format_exc()[-_MOST_FAULT_CHARACTERS:]})

    def _done(self, words: dict[str, Any], descriptor: int) -> Message:
        what = words["do"]
        if what == "open":
            opening = Opening.from_words(words["opening"])
            folders = opening.fence.folders
            self._bounds = Bounds(**words["bounds"])
            walls = confine([*(folders or ("/",)), *studio_folders()], self._bounds)
            self._clip = opening.open()
            return Message({"missing_walls": walls}, codec.clip_to_wire(self._clip.info).SerializeToString())
        clip = self._clip
        assert clip is not None, "open comes first"
        if what == "share":
            self._shared = mmap.mmap(descriptor, words["bytes"])
            os.close(descriptor)
        elif what in ("read", "read_shown"):
            return Message({"slot": self._slot_with(clip, words)})
        elif what == "marks":
            marks = clip.marks(words["frame"])
            return Message({"timecode": marks.timecode, "reel": marks.reel, "owner": marks.owner})
        elif what == "refresh":
            clip.refresh()
            return Message({}, codec.clip_to_wire(clip.info).SerializeToString())
        return Message()

    def _slot_with(self, clip: Clip, words: dict[str, Any]) -> int:
        """Where the picture lies that is asked for."""
        ready = self._ready
        if ready is not None and ready.question == words:
            self._ready = None
            if clip.stamp(words["frame"]) == ready.stamp:
                self._slot = 1 - self._slot
                return self._slot
        frame, grade = words["frame"], words.get("grade")
        picture = clip.read(frame) if grade is None else clip.read_shown(frame, Grade(*grade))
        # Whoever asks has done with what lies there.
        self._show(picture, self._slot)
        return self._slot

    def _make_ready(self, question: dict[str, Any]) -> None:
        """Answer what is probably asked next, in the other slot. What fails is tried again when asked for."""
        clip, frame, grade = self._clip, question["frame"], question.get("grade")
        assert clip is not None, "open comes first"
        self._ready = None
        # Nobody waits for it yet, so nobody would end it.
        signal.setitimer(signal.ITIMER_REAL, self._bounds.answer_s / 2)
        try:
            stamp = clip.stamp(frame)
            picture = clip.look_ahead(frame, None if grade is None else Grade(*grade))
            if picture is not None:
                self._show(picture, 1 - self._slot)
                self._ready = _Ready(question, stamp)
        except Exception:  # noqa: BLE001  (whoever asks for it is told)
            self._ready = None
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _show(self, picture: NDArray[Any], slot: int) -> None:
        """Put a picture, ``(H, W, 3)`` uint8, where the server sees it."""
        assert self._shared is not None, "share comes before read"
        assert picture.dtype == np.uint8, picture.dtype
        room = np.frombuffer(self._shared, np.uint8, picture.size, slot * picture.size)
        room.reshape(picture.shape)[...] = picture
