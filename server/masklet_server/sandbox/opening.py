"""Which clip a decoder opens, and how: values that cross from the server to its decoders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masklet.clip_reading import AS_FILES_SAY, ClipReading
from masklet.types import FrameRange
from masklet_server.fence import Fence
from masklet_server.media.limits import Limits

if TYPE_CHECKING:
    from masklet_server.media.clip import Clip


@dataclass(frozen=True)
class Opening:
    """One clip.

    Attributes:
        path: Of a clip that was named; of the folder of an upload of pictures.
        fence: The folders that its files lie in.
        limits: Sizes that are accepted.
        reading: As the artist said.
        name: What people call it; None for the file's name.
        pictures: File names by frame, for an upload of pictures; None for a path.
    """

    path: Path
    fence: Fence
    limits: Limits = field(default_factory=Limits)
    reading: ClipReading = AS_FILES_SAY
    name: str | None = None
    pictures: Mapping[int, str] | None = None

    @property
    def shown_name(self) -> str:
        """What messages call the clip before it is open."""
        return self.name or self.path.name

    def open(self) -> Clip:
        """The clip, opened here; raises what :func:`open_clip` and :func:`open_upload` raise."""
        limits = replace(self.limits, fence=self.fence)
        if self.pictures is not None:
            from masklet_server.media.upload import open_upload

            return open_upload(
                self.path, self.pictures, name=self.shown_name, limits=limits, reading=self.reading
            )
        from masklet_server.media.source import open_clip

        reading = self.reading
        return open_clip(
            self.path,
            limits=limits,
            colour=reading.colour_space,
            first_frame=reading.first_frame,
            frame_rate=reading.frame_rate,
            layer=reading.layer,
            view=reading.view,
            overscan=reading.overscan,
            frames=reading.frames,
            name=self.name,
        )

    def to_words(self) -> dict[str, Any]:
        """As JSON values."""
        folders = self.fence.folders
        limits = {name: value for name, value in vars(self.limits).items() if name != "fence"}
        return {
            "path": str(self.path),
            "folders": None if folders is None else [str(folder) for folder in folders],
            "limits": limits,
            "reading": asdict(self.reading),
            "name": self.name,
            "pictures": None if self.pictures is None else list(self.pictures.items()),
        }

    @staticmethod
    def from_words(words: Mapping[str, Any]) -> Opening:
        """From JSON values."""
        folders, reading, pictures = words["folders"], words["reading"], words["pictures"]
        frames = reading["frames"]
        return Opening(
            Path(words["path"]),
            Fence(None if folders is None else tuple(map(Path, folders))),
            Limits(**words["limits"]),
            ClipReading(**{**reading, "frames": None if frames is None else FrameRange(**frames)}),
            words["name"],
            None if pictures is None else dict(pictures),
        )
