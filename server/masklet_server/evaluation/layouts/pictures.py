"""Numbered picture files, and masks in PNG files: palette, grey or one object a file."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from masklet.errors import BadInputError

_PICTURES = {".jpg", ".jpeg", ".png"}
_VOID = 255


def numbered_files(folder: Path, suffixes: set[str] | None = None) -> dict[int, Path]:
    """Files of a folder by the last number in their names, ascending.

    Raises:
        BadInputError: Two files have the same number.
    """
    found: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in (suffixes or _PICTURES) or path.name.startswith("."):
            continue
        digits = re.findall(r"\d+", path.stem)
        if not digits:
            continue
        frame = int(digits[-1])
        if frame in found:
            raise BadInputError(
                f"{folder.name} has two files for frame {frame}, {found[frame].name} and {path.name}: "
                "remove one."
            )
        found[frame] = path
    return dict(sorted(found.items()))


def read_labels(path: Path) -> tuple[NDArray[np.uint8], bool]:
    """``(h, w)`` labels of a PNG, and True when they are indices of a palette.

    Raises:
        BadInputError: The file cannot be read.
    """
    try:
        with Image.open(path) as picture:
            indexed = picture.mode == "P"
            labels = np.asarray(picture if indexed else picture.convert("L"), dtype=np.uint8)
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
        raise BadInputError(
            f"the mask {path.parent.name}/{path.name} cannot be read: the file is damaged or no picture."
        ) from error
    return labels, indexed


def read_binary(path: Path) -> NDArray[np.bool_]:
    """``(h, w)`` mask of a PNG with one object: every label but zero, and the lighter half of grey.

    Raises:
        BadInputError: The file cannot be read.
    """
    labels, indexed = read_labels(path)
    if not indexed and int(labels.max(initial=0)) > 1:
        return labels > 127
    return labels > 0


def split_labels(
    labels: NDArray[np.uint8], *, indexed: bool
) -> tuple[dict[int, NDArray[np.bool_]], NDArray[np.bool_] | None]:
    """Masks by object id, and the void pixels or None.

    255 means void among palette indices and "inside" in a picture of black and white, which is
    how DAVIS 2016 stores its only object (returned as object 1).
    """
    present = [int(label) for label in np.unique(labels) if label]
    if not indexed and present in ([], [_VOID]):
        return {1: labels == _VOID}, None
    masks = {label: labels == label for label in present if label != _VOID}
    void = labels == _VOID
    return masks, void if void.any() else None
