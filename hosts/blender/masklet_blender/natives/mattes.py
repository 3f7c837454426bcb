"""A matte sequence as an Image datablock, on the right frames, as data and not as colour."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from masklet.errors import OutputError
from masklet.patterns import FramePattern, frames_matching, group_sequences
from masklet.phrases import phrase

from .tags import Role, Tag, find, write_tag

if TYPE_CHECKING:
    from .coordinates import FrameMap

_DATA_SPACES = ("Non-Color", "Raw", "Utility - Raw", "raw", "data")
"""What colour configurations without a role for data call numbers that are no colours."""


@dataclass(frozen=True)
class MatteFiles:
    """Where the mattes of one object lie.

    Attributes:
        folder: Holds the files.
        pattern: Their names, ``ball.%04d.exr``.
    """

    folder: Path
    pattern: str

    @staticmethod
    def of_file(file: Path) -> MatteFiles:
        """The sequence to which a numbered file belongs.

        Raises:
            OutputError: The file name has no number.
        """
        sequences, _ = group_sequences([file.name])
        if not sequences:
            raise OutputError(
                phrase(
                    "{name} has no frame number, so it is no matte of a clip: export it again", name=file.name
                )
            )
        return MatteFiles(file.parent, next(iter(sequences)))

    def by_frame(self) -> dict[int, Path]:
        """The files that exist, by the plate's own frame number, ascending.

        Raises:
            OutputError: There is none.
        """
        pattern = FramePattern.parse(self.pattern)
        try:
            names = [entry.name for entry in self.folder.iterdir()]
        except OSError:
            names = []
        found = frames_matching(pattern, names) if pattern is not None else {}
        if not found:
            raise OutputError(
                phrase(
                    "no mattes {names} lie in {folder}: get them again, or bring the folder back",
                    names=self.pattern,
                    folder=self.folder,
                )
            )
        return {frame: self.folder / name for frame, name in found.items()}


@dataclass(frozen=True)
class ShownFrames:
    """How an image user shows a sequence: what an editor, a node or a strip needs.

    Attributes:
        frame_start: Of the scene.
        frame_offset: The number of the first file, less one.
        frame_duration: How many frames are shown.
    """

    frame_start: int
    frame_offset: int
    frame_duration: int

    def apply(self, user: Any) -> None:
        """Set an ``ImageUser``, or a node that has the same attributes."""
        user.frame_start = self.frame_start
        user.frame_offset = self.frame_offset
        user.frame_duration = self.frame_duration
        user.use_cyclic = False
        user.use_auto_refresh = True


def find_matte(owner: str) -> bpy.types.Image | None:
    """The image that was made for ``owner``; None where there is none any more."""
    return find(bpy.data.images, Role.MATTE, owner)


def load_matte(files: MatteFiles, *, name: str, owner: str) -> bpy.types.Image:
    """Make the image of an object's mattes, or let the one that exists read them anew.

    Args:
        files: One file a frame, each with the plate's own number.
        name: For a new image.
        owner: Whose mattes they are; finds the image again.

    Raises:
        OutputError: No file of the sequence is there.
    """
    first = next(iter(files.by_frame().values()))
    image = find_matte(owner)
    if image is None:
        image = bpy.data.images.load(str(first), check_existing=False)
        image.name = name
        # Blender saves nothing that nobody uses, and the artist may use it only next week.
        image.use_fake_user = True
    else:
        image.filepath = str(first)
    image.source = "SEQUENCE"
    if bpy.data.filepath:
        # Another drive of Windows has no relative path.
        with suppress(ValueError):
            image.filepath = bpy.path.relpath(str(first))
    # Alpha holds the matte once more in EXR files; nothing may be multiplied by it.
    image.alpha_mode = "CHANNEL_PACKED"
    _read_as_data(image)
    image.reload()
    write_tag(image, Tag(Role.MATTE, owner))
    return image


def shown_frames(files: MatteFiles, frames: FrameMap) -> ShownFrames:
    """Which frames of the scene show which files. A frame in between that has no file shows nothing.

    Raises:
        OutputError: There is no file.
    """
    numbers = list(files.by_frame())
    return ShownFrames(frames.scene_frame(numbers[0]), numbers[0] - 1, numbers[-1] - numbers[0] + 1)


def _read_as_data(image: bpy.types.Image) -> None:
    settings: Any = image.colorspace_settings
    settings.is_data = True
    known = settings.bl_rna.properties["name"].enum_items.keys()
    for space in _DATA_SPACES:
        if settings.is_data:
            return
        if space in known:
            settings.name = space
