"""Contents of files that clients sent, by their digests: what need not be sent twice.

A content belongs to the user who sent it, since knowing a digest must not be a way to somebody else's
pictures. It may be there in part: what a broken upload left, from the file's beginning.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from masklet.errors import BadInputError

DIGEST_BYTES = 32
_READ_BYTES = 1 << 20


class ContentKey(NamedTuple):
    """Whose content, and which."""

    user: str
    sha256: bytes


@dataclass(eq=False)
class _Content:
    """A content on the disk: whole, or so far."""

    path: Path
    size_bytes: int
    used_s: float
    whole: bool = False
    readers: int = 0
    growing: bool = False

    @property
    def is_idle(self) -> bool:
        return self.readers == 0 and not self.growing


class ContentStore:
    """Keeps contents for a while after their last use. Safe to use from several threads.

    Args:
        folder: Made on the first content; the store's own.
        kept_s: How long a content without use is kept.
        max_contents: More than these are not kept: the longest unused go first.
        clock_s: Tells the time.
    """

    def __init__(
        self, folder: Path, *, kept_s: float, max_contents: int, clock_s: Callable[[], float]
    ) -> None:
        self._folder = folder
        self._kept_s = kept_s
        self._max_contents = max_contents
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._contents: dict[ContentKey, _Content] = {}
        self._made = 0
        # Counted anew after a change only: it is asked for with every chunk that arrives.
        self._idle_bytes: int | None = 0

    @property
    def idle_bytes(self) -> int:
        """Of contents that nothing uses now."""
        with self._lock:
            if self._idle_bytes is None:
                self._idle_bytes = sum(each.size_bytes for each in self._contents.values() if each.is_idle)
            return self._idle_bytes

    def held_bytes(self, key: ContentKey) -> int:
        """How much of a content's beginning is there and can be built on."""
        with self._lock:
            content = self._contents.get(key)
            if content is None or content.growing:
                return 0
            content.used_s = self._clock_s()
            return content.size_bytes

    def is_growing(self, key: ContentKey) -> bool:
        """Whether an upload writes it just now."""
        with self._lock:
            content = self._contents.get(key)
            return content is not None and content.growing

    def grow(self, key: ContentKey, held_bytes: int) -> GrowingContent | None:
        """A content to be written behind its first ``held_bytes``; None while another upload writes it.

        Raises:
            BadInputError: Less than that is held.
        """
        self._folder.mkdir(mode=0o700, exist_ok=True)
        with self._lock:
            content = self._contents.get(key)
            if held_bytes and (content is None or content.growing or content.size_bytes < held_bytes):
                raise _not_held()
            if content is not None and (content.growing or content.whole):
                return None
            if content is None:
                digest = hashlib.sha256(key.user.encode() + b"\0" + key.sha256).hexdigest()
                # A number of its own: the file of an earlier one may be about to be deleted.
                self._made += 1
                path = self._folder / f"{digest}-{self._made}"
                content = self._contents[key] = _Content(path, 0, self._clock_s())
            content.growing = True
            self._idle_bytes = None
        return GrowingContent(self, key, content.path, held_bytes)

    def link(self, key: ContentKey, size_bytes: int, path: Path) -> None:
        """Put a whole content where an upload wants it; :meth:`release` says that it is gone there.

        Raises:
            BadInputError: It is not held, or has another size.
        """
        with self._lock:
            content = self._contents.get(key)
            if content is None or not content.whole or content.size_bytes != size_bytes:
                raise _not_held()
            content.readers += 1
            self._idle_bytes = None
            content.used_s = self._clock_s()
        try:
            os.link(content.path, path)
        except OSError:
            # Not every disk has links; a copy costs room and nothing else.
            shutil.copyfile(content.path, path)

    def release(self, keys: list[ContentKey]) -> None:
        """An upload that had these contents is gone."""
        with self._lock:
            self._idle_bytes = None
            for key in keys:
                content = self._contents.get(key)
                if content is not None:
                    content.readers -= 1
                    content.used_s = self._clock_s()

    def settle(self, key: ContentKey, size_bytes: int, *, whole: bool) -> None:
        """A content has stopped growing; of no size, it is forgotten."""
        with self._lock:
            self._idle_bytes = None
            content = self._contents[key]
            content.growing, content.whole, content.size_bytes = False, whole, size_bytes
            content.used_s = self._clock_s()
            going = [self._forget(key)] if size_bytes == 0 else []
        _delete(going)

    def tidy(self) -> None:
        """Delete what was not used for long, and what there is too many of."""
        with self._lock:
            idle = sorted((content.used_s, key) for key, content in self._contents.items() if content.is_idle)
            surplus = max(0, len(self._contents) - self._max_contents)
            going = [
                self._forget(key)
                for index, (used_s, key) in enumerate(idle)
                if index < surplus or self._clock_s() - used_s >= self._kept_s
            ]
        _delete(going)

    def drop_idle(self, size_bytes: int, user: str) -> None:
        """Make room by deleting what nothing uses now: what this user has first, then what is oldest."""
        going = []
        with self._lock:
            idle = [
                (key.user != user, each.used_s, key) for key, each in self._contents.items() if each.is_idle
            ]
            for _, _, key in sorted(idle):
                if size_bytes <= 0:
                    break
                size_bytes -= self._contents[key].size_bytes
                going.append(self._forget(key))
        _delete(going)

    def _forget(self, key: ContentKey) -> Path:
        """Know nothing of a content any more; its file is to be deleted by who lets go of the lock."""
        self._idle_bytes = None
        return self._contents.pop(key).path


class GrowingContent:
    """A content that is being written, by one upload.

    Args:
        store: Told when it is whole or has stopped growing.
        key: Whose and which.
        path: Its file.
        held_bytes: What is there already and stays.
    """

    def __init__(self, store: ContentStore, key: ContentKey, path: Path, held_bytes: int) -> None:
        self._store = store
        self._key = key
        self._digest = hashlib.sha256()
        self._size_bytes = 0
        self._file: BinaryIO | None = None
        try:
            self._file = path.open("r+b" if held_bytes else "wb")
            self._take_up(self._file, held_bytes)
        except BaseException:
            if self._file is not None:
                self._file.close()
                self._file = None
            store.settle(key, self._size_bytes, whole=False)
            raise

    def write(self, chunk: bytes | memoryview) -> None:
        """Add bytes at the end."""
        assert self._file is not None
        self._file.write(chunk)
        self._digest.update(chunk)
        self._size_bytes += len(chunk)

    def finish(self) -> None:
        """All is there: see that it is what it was said to be.

        Raises:
            BadInputError: It is something else, and was deleted.
        """
        assert self._file is not None
        self._file.close()
        self._file = None
        is_right = self._digest.digest() == self._key.sha256
        self._store.settle(self._key, self._size_bytes if is_right else 0, whole=is_right)
        if not is_right:
            raise BadInputError(
                "a file of the upload is not what its digest says: it changed meanwhile or was damaged on "
                "its way, send it again"
            )

    def stop(self) -> None:
        """No more comes now; what is there is kept for another time. After :meth:`finish` nothing happens."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None
            self._store.settle(self._key, self._size_bytes, whole=False)

    def _take_up(self, file: BinaryIO, held_bytes: int) -> None:
        while self._size_bytes < held_bytes:
            piece = file.read(min(_READ_BYTES, held_bytes - self._size_bytes))
            if not piece:
                raise _not_held()
            self._digest.update(piece)
            self._size_bytes += len(piece)
        file.truncate(held_bytes)


def _delete(paths: Sequence[Path]) -> None:
    """Without the lock: a disk takes its time, and everybody asks what is there."""
    for path in paths:
        with suppress(OSError):
            path.unlink()


def _not_held() -> BadInputError:
    return BadInputError("the server does not hold what the upload builds on any more: send the clip again")
