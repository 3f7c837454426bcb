"""Which clip a session is about, as a value: what it takes to open the clip again, now or after a restart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from masklet.clip_reading import AS_FILES_SAY, ClipReading
from masklet_server.sessions.session_tracker import ClosingSource


@dataclass(frozen=True)
class UploadedFiles:
    """A clip's files that a client sent, under names of the server's own.

    Attributes:
        folder: Holds them and nothing else.
        clip_name: For people, never a path.
        pictures: File name by frame number; empty for a movie.
        movie: File name of a movie, empty for pictures.
        size_bytes: Of all files.
    """

    folder: Path
    clip_name: str
    pictures: Mapping[int, str] = field(default_factory=dict)
    movie: str = ""
    size_bytes: int = 0


@dataclass(frozen=True)
class ClipReference:
    """A clip, and how it is read; one of ``path`` and ``upload`` is set.

    Attributes:
        path: As the server sees it, links followed; it is opened under the server's roots only.
        upload: What a client sent.
        reading: Colour space, first frame, rate, layer, view and the like, as the artist said.
        owner: Whose account may open the path.
    """

    path: Path | None = None
    upload: UploadedFiles | None = None
    reading: ClipReading = AS_FILES_SAY
    owner: str = ""


ClipOpening = Callable[[ClipReference], ClosingSource]
"""Opens a clip; called in threads."""
