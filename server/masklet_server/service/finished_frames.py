"""What an export that broke off had finished: the same export made again goes on behind it.

A file beside the session's journal has a line for each frame that is done: a digest of the masks that it was
made of, and its files with their digests. A frame is left as it is where its masks are the same still, and
every file lies where it was put, byte for byte. The file goes when the export is through.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import astuple, dataclass, replace
from pathlib import Path

from masklet.delivery_folder import checked_relative
from masklet.errors import BadInputError
from masklet.matte_settings import CALM_SPAN
from masklet_server.mattes.files import RenderedFile
from masklet_server.sessions.session import Session

MAX_BYTES = 64 << 20
"""A longer file is not read: nothing of it is ours."""
MOST_KEPT = 16
"""Exports that broke off, of one session; what there is of earlier ones is given up."""
_PREFIX = "export-"

_log = logging.getLogger("masklet_server.service")


@dataclass(frozen=True)
class FinishedFile:
    """A file that lies in its place.

    Attributes:
        relative_name: Below the export's folder.
        frame: Whose it is.
    """

    relative_name: str
    size_bytes: int
    sha256: str
    frame: int

    @classmethod
    def of(cls, file: RenderedFile, frame: int) -> FinishedFile:
        """What a file is once it is in its place."""
        return cls(file.relative_name, len(file.data), file.sha256, frame)


class FinishedFrames:
    """Frames of one export that are done. Methods run in threads that may wait for disks.

    Args:
        journal: Folder of the session's journal.
        whole: Everything that decides about the export's files besides the masks, and where they go.
        folder: Where they go.
        allowed: Told each file before it is read, links followed.
    """

    def __init__(
        self, journal: Path, whole: Iterable[object], folder: Path, allowed: Callable[[Path], bool]
    ) -> None:
        digest = hashlib.sha256(repr((*whole, str(folder))).encode()).hexdigest()
        self._file = journal / f"{_PREFIX}{digest[:32]}.jsonl"
        self._folder = folder
        self._allowed = allowed
        self._done: dict[int, tuple[str, tuple[FinishedFile, ...]]] = {}

    def read(self) -> None:
        """Find out what was done before."""
        self._done = self._noted()

    @property
    def frames(self) -> frozenset[int]:
        """Frames that were done once."""
        return frozenset(self._done)

    def still(self, session: Session, frame: int) -> tuple[FinishedFile, ...] | None:
        """The files of a frame that was done once and need not be made again; None where it does."""
        digest, files = self._done[frame]
        if digest == masks_sha256(session, frame) and all(map(self._is_whole, files)):
            return files
        return None

    def note(self, session: Session, frame: int, made_of: str, files: Iterable[FinishedFile]) -> None:
        """A frame is done. Where that cannot be written, it would only be made again.

        Args:
            session: Whose.
            frame: Which.
            made_of: Digest of its masks before the files were made; where they are others now, nobody knows
                which of them the files show, and nothing is noted.
            files: Those of the frame.
        """
        if masks_sha256(session, frame) != made_of:
            return
        line = json.dumps([frame, made_of, [astuple(each)[:3] for each in files]])
        try:
            if not self._file.exists():
                self._make_room()
            with self._file.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")
        except OSError as error:
            _log.warning("what an export has finished could not be noted: %s", error)

    def close(self) -> None:
        """The export is through: made again, it is another."""
        with suppress(OSError):
            self._file.unlink(missing_ok=True)

    def _noted(self) -> dict[int, tuple[str, tuple[FinishedFile, ...]]]:
        noted: dict[int, tuple[str, tuple[FinishedFile, ...]]] = {}
        lines: list[str] = []
        with suppress(OSError, UnicodeDecodeError):
            if self._file.stat().st_size <= MAX_BYTES:
                lines = self._file.read_text(encoding="utf-8").splitlines()
        for line in lines:
            # The last one may be torn.
            with suppress(ValueError, TypeError, RecursionError):
                frame, digest, files = json.loads(line)
                noted[int(frame)] = (
                    str(digest),
                    tuple(
                        FinishedFile(str(name), int(size), str(sha), int(frame)) for name, size, sha in files
                    ),
                )
        return noted

    def _is_whole(self, file: FinishedFile) -> bool:
        with suppress(OSError, BadInputError):
            path = self._folder.joinpath(*checked_relative(file.relative_name).parts)
            if path.is_file() and path.stat().st_size == file.size_bytes and self._allowed(path.resolve()):
                return hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256
        return False

    def _make_room(self) -> None:
        others = sorted(self._file.parent.glob(f"{_PREFIX}*.jsonl"), key=lambda path: path.stat().st_mtime)
        for path in others[: max(0, len(others) - MOST_KEPT + 1)]:
            path.unlink(missing_ok=True)


def masks_sha256(session: Session, frame: int) -> str:
    """A digest of the masks that a frame's files are made of, as tracking left them.

    Overlap is settled among all objects, and edges are calmed by the masks of frames around.
    """
    digest = hashlib.sha256()
    for object_id in sorted(info.object_id for info in session.objects()):
        for near in range(frame - CALM_SPAN, frame + CALM_SPAN + 1):
            mask = session.results.packed(object_id, near)
            if mask is not None:
                digest.update(repr((object_id, near, astuple(replace(mask, logits=b"")))).encode())
                digest.update(mask.logits)
    return digest.hexdigest()
