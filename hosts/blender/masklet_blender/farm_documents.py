"""Where the documents that were submitted to a farm lie: beside the .blend, one for each plate."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from masklet.errors import BadInputError
from masklet.hosting import kept_plate
from masklet.names import clip_stem
from masklet.phrases import phrase

from .plates import props, source_of

if TYPE_CHECKING:
    from .plates import PlateBlock


def document_of(block: PlateBlock) -> Path:
    """The document of a plate, which may not be there yet; never that of another plate.

    Raises:
        BadInputError: The file was not saved yet, or the plate cannot be used.
    """
    if not bpy.data.filepath:
        raise BadInputError(phrase("save this file first: what the farm gets lies beside it"))
    folder, stem = _folder(), clip_stem(source_of(block).path)
    names = (f"{stem}_{number}" if number > 1 else stem for number in count(1))
    files = (folder / f"{name}{kept_plate.SUFFIX}" for name in names)
    return next(file for file in files if not file.exists() or _uid_in(file) == props(block).uid)


def were_submitted() -> bool:
    """True where anything of this file went to a farm."""
    return bool(bpy.data.filepath) and any(_folder().glob(f"*{kept_plate.SUFFIX}.farm.json"))


def _folder() -> Path:
    blend = Path(bpy.data.filepath)
    return blend.parent / "masklet" / blend.stem


def _uid_in(file: Path) -> str:
    try:
        return kept_plate.read(file)[0].uid
    except BadInputError:
        return ""
