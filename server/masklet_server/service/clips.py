"""Opens clips for sessions, off the event loop."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from masklet.clip_reading import ClipReading
from masklet.errors import PathNotAllowedError
from masklet_server.fence import Fence
from masklet_server.service.roots import TenantRoots
from masklet_server.sessions.clip_reference import ClipReference
from masklet_server.sessions.session_tracker import ClosingSource
from masklet_server.sessions.worker_threads import WorkerThreads


class ClipOpener(Protocol):
    """What the service needs of :mod:`masklet_server.media`."""

    def path(
        self, path: Path, *, reading: ClipReading, fence: Fence, name: str | None = None
    ) -> ClosingSource:
        """The clip at a path in the fence, under another name for people where one is given."""
        ...

    def pictures(
        self, folder: Path, files: dict[int, str], *, name: str, reading: ClipReading
    ) -> ClosingSource:
        """The clip that uploaded pictures make."""
        ...

    def close(self) -> None:
        """Give back what clips are opened with; none is open any more."""
        ...


class Clips:
    """The way from a request to an open clip.

    Args:
        opener: Reads headers; the pictures come later.
        roots: Which paths may be named, by tenant.
        workers: Threads that look at disks.
    """

    def __init__(self, opener: ClipOpener, roots: TenantRoots, workers: WorkerThreads) -> None:
        self._opener = opener
        self._workers = workers
        self.roots = roots

    def close(self) -> None:
        """For when the last session is closed."""
        self._opener.close()

    async def by_path(self, text: str, reading: ClipReading, *, user: str) -> ClipReference:
        """The clip at a path.

        Raises:
            PathNotAllowedError: The server opens no paths, or not this one; see :meth:`Roots.clip`.
        """
        roots = self.roots.of(user)
        if not roots.any:
            raise PathNotAllowedError("this server opens uploaded clips only: send the clip's files")
        path = await self._workers.run(roots.clip, text, whose=user, at_disk=True)
        return ClipReference(path, reading=reading, owner=user)

    def open(self, clip: ClipReference) -> ClosingSource:
        """Open a clip; in a thread, as disks take their time.

        Raises:
            ClipError: It is not there, or cannot be read.
            PathNotAllowedError: It does not lie under the roots any more.
        """
        reading, upload = clip.reading, clip.upload
        if upload is None:
            assert clip.path is not None
            return self._opener.path(clip.path, reading=reading, fence=self.roots.of(clip.owner).fence)
        if upload.movie:
            fence = Fence.around([upload.folder])
            path = upload.folder / upload.movie
            return self._opener.path(path, reading=reading, fence=fence, name=upload.clip_name)
        return self._opener.pictures(
            upload.folder, dict(upload.pictures), name=upload.clip_name, reading=reading
        )
