"""Where the mattes of objects lie, as the .blend file keeps it: relative, so that a project may move."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from masklet.errors import BadInputError
from masklet.patterns import FramePattern
from masklet.phrases import phrase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .natives.mattes import MatteFiles
    from .properties import MaskletObject


def kept_path(path: Path) -> str:
    """The path as the file keeps it: relative to it where both are on one drive."""
    if not bpy.data.filepath:
        return str(path)
    try:
        return str(bpy.path.relpath(str(path)))
    except ValueError:
        # Another drive of Windows.
        return str(path)


def known_mattes(item: MaskletObject) -> Iterator[MatteFiles]:
    """Where the mattes of an object lie as far as the file knows; they may be gone."""
    from .natives.mattes import MatteFiles, find_matte

    if not item.matte_folder:
        return
    image = find_matte(item.uid)
    if image is not None and image.filepath:
        # When a file is saved elsewhere, Blender corrects the paths of images and of nothing else.
        file = Path(bpy.path.abspath(image.filepath))
        pattern = FramePattern.parse(item.matte_pattern)
        if pattern is not None and pattern.frame_of(file.name) is not None:
            yield MatteFiles(file.parent, item.matte_pattern)
            return
    yield MatteFiles(Path(bpy.path.abspath(item.matte_folder)), item.matte_pattern)


def matte_files_of(item: MaskletObject) -> MatteFiles:
    """Where the mattes of an object lie.

    Raises:
        BadInputError: It has none yet.
    """
    found = next(known_mattes(item), None)
    if found is None:
        raise BadInputError(phrase("{name} has no mattes yet: get them first", name=item.name))
    return found
