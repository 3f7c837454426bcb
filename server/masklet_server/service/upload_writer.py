"""One upload on the server's disk, and the writing of its files."""

from __future__ import annotations

import hashlib
import re
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from masklet.errors import BadInputError, LimitError
from masklet.v1 import session_pb2
from masklet_server.service.contents import DIGEST_BYTES, ContentKey, ContentStore, GrowingContent
from masklet_server.service.limits import CHUNK_BYTES
from masklet_server.sessions.clip_reference import UploadedFiles

_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")


@dataclass(eq=False)
class Upload:
    """A clip's files on the server's disk, under names of the server's own.

    Attributes:
        upload_id: 32 hexadecimal digits.
        user: Only this user can open it.
        clip_name: For people, never a path.
        folder: Holds the files and nothing else.
        pictures: File name by frame number; empty for a movie.
        movie: File name of a movie, empty for pictures.
        size_bytes: Of all files.
        contents: Of the files that are links to contents.
    """

    upload_id: str
    user: str
    clip_name: str
    folder: Path
    pictures: dict[int, str] = field(default_factory=dict)
    movie: str = ""
    size_bytes: int = 0
    received_s: float = 0.0
    readers: int = 0
    contents: list[ContentKey] = field(default_factory=list)

    @property
    def files(self) -> int:
        """How many files it has."""
        return len(self.pictures) + bool(self.movie)

    @property
    def files_sent(self) -> UploadedFiles:
        """Its files, for whoever opens the clip."""
        return UploadedFiles(self.folder, self.clip_name, dict(self.pictures), self.movie, self.size_bytes)


class UploadWriter:
    """Writes the files of one upload, one after the other; what disagrees raises BadInputError.

    Args:
        upload: Gets the files.
        contents: Where files with a digest are kept for others.
        digests_of_files: Each file tells its digest, so that of all chunks is not made.
    """

    def __init__(self, upload: Upload, contents: ContentStore, *, digests_of_files: bool = False) -> None:
        self._upload = upload
        self._digests_of_files = digests_of_files
        self._contents = contents
        self._digest = hashlib.sha256()
        self._file: BinaryIO | None = None
        self._growing: GrowingContent | None = None
        self._start: session_pb2.UploadFileStart | None = None
        self._path = Path()
        self._missing_bytes = 0
        # A call that breaks off closes the file in hand while its last chunk may still be on its way into it.
        self._writing = threading.Lock()

    def start(self, start: session_pb2.UploadFileStart) -> None:
        """Begin a file."""
        upload = self._upload
        if not _SUFFIX.fullmatch(start.suffix):
            raise BadInputError(
                "a file of the upload has no usable suffix: give its files names like plate.exr"
            )
        if start.size_bytes == 0 and not start.HasField("frame"):
            raise BadInputError("a file of the upload is empty: render it again, or leave it out")
        if start.held_bytes > start.size_bytes or len(start.sha256) not in (0, DIGEST_BYTES):
            raise BadInputError("a file of the upload is announced with a wrong size: update the client")
        if self._digests_of_files and start.size_bytes and not start.sha256:
            raise BadInputError("a file of the upload is announced without its digest: update the client")
        if start.held_bytes and not start.sha256:
            raise BadInputError("a file of the upload is held under no digest: update the client")
        name = f"{upload.files:08d}{start.suffix.lower()}"
        if not start.HasField("frame"):
            if upload.files:
                raise BadInputError("a movie is uploaded alone: send one file without a frame number")
            upload.movie = name
        elif upload.movie or start.frame in upload.pictures:
            raise BadInputError(f"frame {start.frame} was uploaded twice, or beside a movie: send each once")
        else:
            upload.pictures[start.frame] = name
        upload.folder.mkdir(mode=0o700, exist_ok=True)
        self.close()
        self._start, self._path = start, upload.folder / name
        self._missing_bytes = start.size_bytes - start.held_bytes
        if not start.size_bytes:
            # One picture that was never written is no reason to refuse the others: whoever opens the clip
            # leaves it out.
            self._path.touch()
            return
        if start.sha256 and self._missing_bytes:
            self._growing = self._contents.grow(self._key(start), start.held_bytes)
        if not self._missing_bytes:
            self._link(start)
        elif self._growing is None:
            if start.held_bytes:
                raise BadInputError("another upload sends the same file now: send the clip again")
            self._file = self._path.open("xb")

    def write(self, chunk: bytes | memoryview) -> None:
        """Add a chunk that came in a message."""
        if len(chunk) > CHUNK_BYTES:
            raise LimitError("a chunk of an upload has at most 1 MiB: update the client")
        self._check_room(chunk)
        if not self._digests_of_files:
            self._digest.update(chunk)
        self._add(chunk)

    def write_shared(self, chunk: memoryview) -> None:
        """Add a chunk that lies in shared memory, where nothing can damage it on its way."""
        self._check_room(chunk)
        # The client can still change it: what is held under a digest has to be what the digest was made of.
        self._add(bytes(chunk) if self._growing is not None else chunk)

    def _check_room(self, chunk: bytes | memoryview) -> None:
        if self._start is None:
            raise BadInputError("bytes of an upload came before their file: update the client")
        if len(chunk) > self._missing_bytes:
            raise BadInputError(
                "a file of the upload is longer than announced: it changed meanwhile, send it again"
            )

    def _add(self, chunk: bytes | memoryview) -> None:
        with self._writing:
            self._missing_bytes -= len(chunk)
            if self._file is not None:
                self._file.write(chunk)
            elif self._growing is not None and self._start is not None:
                self._growing.write(chunk)
                if not self._missing_bytes:
                    self._growing.finish()
                    self._link(self._start)

    def check_complete(self) -> None:
        """See that the file in hand has come whole."""
        if self._missing_bytes:
            raise BadInputError(
                "a file of the upload is shorter than announced: it changed meanwhile, send it again"
            )

    def check_commit(self, commit: session_pb2.UploadCommit) -> None:
        """See that what came is what was sent."""
        self.check_complete()
        if commit.files != self._upload.files or not commit.files:
            raise BadInputError(
                f"the upload has {self._upload.files} files and should have {commit.files}: send it again"
            )
        if not self._digests_of_files and commit.sha256 != self._digest.digest():
            raise BadInputError("the upload was damaged on its way, its digest is wrong: send it again")

    def close(self) -> None:
        """Stop the file in hand."""
        with self._writing:
            if self._file is not None:
                self._file.close()
            if self._growing is not None:
                self._growing.stop()
            self._file = self._growing = None

    def _key(self, start: session_pb2.UploadFileStart) -> ContentKey:
        return ContentKey(self._upload.user, start.sha256)

    def _link(self, start: session_pb2.UploadFileStart) -> None:
        self._contents.link(self._key(start), start.size_bytes, self._path)
        self._upload.contents.append(self._key(start))
