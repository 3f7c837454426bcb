"""A decoder: a process with one open clip, which answers questions until nobody asks any more."""

from __future__ import annotations

import mmap
import os
import traceback
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
_MOST_OPENING_BYTES = 64 << 20
_MOST_FAULT_CHARACTERS = 8_000


class Worker:
    """Answers the server's questions about one clip.

    Args:
        line: To the server.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._clip: Clip | None = None
        self._shared: mmap.mmap | None = None

    def serve(self) -> None:
        """Answer until the server hangs up."""
        while True:
            try:
                asked, descriptor = self._line.receive(
                    with_descriptor=True, most_words_bytes=_MOST_OPENING_BYTES
                )
            except GoneError:
                return
            self._line.send(self._answer(asked.words, descriptor))

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
            walls = confine([*(folders or ("/",)), *studio_folders()], Bounds(**words["bounds"]))
            self._clip = opening.open()
            return Message({"missing_walls": walls}, codec.clip_to_wire(self._clip.info).SerializeToString())
        clip = self._clip
        assert clip is not None, "open comes first"
        if what == "share":
            self._shared = mmap.mmap(descriptor, words["bytes"])
            os.close(descriptor)
        elif what == "read":
            self._show(clip.read(words["frame"]))
        elif what == "read_shown":
            self._show(clip.read_shown(words["frame"], Grade(*words["grade"])))
        elif what == "marks":
            marks = clip.marks(words["frame"])
            return Message({"timecode": marks.timecode, "reel": marks.reel, "owner": marks.owner})
        elif what == "refresh":
            clip.refresh()
            return Message({}, codec.clip_to_wire(clip.info).SerializeToString())
        return Message()

    def _show(self, picture: NDArray[Any]) -> None:
        """Put a picture, ``(H, W, 3)`` uint8, where the server sees it."""
        assert self._shared is not None, "share comes before read"
        assert picture.dtype == np.uint8, picture.dtype
        np.frombuffer(self._shared, np.uint8).reshape(picture.shape)[...] = picture
