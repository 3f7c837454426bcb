"""A contact sheet of the frames where masks are worst."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.errors import OutputError

_TILE_WIDTH_PX = 480
_COLUMNS = 3
_OURS = (255, 140, 0)
_TRUTH = (60, 220, 90)


@dataclass(frozen=True, eq=False)
class Tile:
    """One frame on the sheet.

    Attributes:
        title: Printed in the corner.
        picture: ``(h, w, 3)`` uint8 sRGB.
        mask: What the tracker made, shown in orange.
        truth: What it should be, outlined in green.
        j: Intersection over union, 0 to 1.
    """

    title: str
    picture: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    truth: NDArray[np.bool_]
    j: float


def contact_sheet(tiles: Sequence[Tile]) -> NDArray[np.uint8]:
    """``(H, W, 3)`` uint8 sRGB picture of one or more tiles, three in a row."""
    drawn = [_draw(tile) for tile in tiles]
    height_px = max(tile.shape[0] for tile in drawn)
    width_px = _TILE_WIDTH_PX
    padded = [cv2.copyMakeBorder(t, 0, height_px - t.shape[0], 0, 0, cv2.BORDER_CONSTANT) for t in drawn]
    blank = np.zeros((height_px, width_px, 3), np.uint8)
    padded += [blank] * (-len(padded) % _COLUMNS)
    rows = [np.concatenate(padded[at : at + _COLUMNS], axis=1) for at in range(0, len(padded), _COLUMNS)]
    return np.concatenate(rows, axis=0).astype(np.uint8, copy=False)


def write_sheet(path: Path, tiles: Sequence[Tile]) -> None:
    """Write the contact sheet as PNG.

    Raises:
        OutputError: The file cannot be written.
    """
    encoded = cv2.imencode(".png", cv2.cvtColor(contact_sheet(tiles), cv2.COLOR_RGB2BGR))[1]
    try:
        path.write_bytes(encoded.tobytes())
    except OSError as error:
        raise OutputError(
            f"{path.name} cannot be written: check that its folder exists and has room."
        ) from error


def _draw(tile: Tile) -> NDArray[np.uint8]:
    height_px, width_px = tile.picture.shape[:2]
    size_px = (_TILE_WIDTH_PX, max(1, round(height_px * _TILE_WIDTH_PX / width_px)))
    picture = cv2.resize(tile.picture, size_px, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(tile.mask.view(np.uint8), size_px, interpolation=cv2.INTER_NEAREST)
    truth = cv2.resize(tile.truth.view(np.uint8), size_px, interpolation=cv2.INTER_NEAREST)
    inside = mask > 0
    picture[inside] = (0.55 * picture[inside] + 0.45 * np.array(_OURS)).astype(np.uint8)
    for shape, colour in ((mask, _OURS), (truth, _TRUTH)):
        outlines, _ = cv2.findContours(shape, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, outlines, -1, colour, 1, cv2.LINE_AA)
    label = f"{tile.title}  J {100 * tile.j:.0f}"
    cv2.rectangle(picture, (0, 0), (10 + 8 * len(label), 20), (0, 0, 0), -1)
    cv2.putText(picture, label, (5, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
    return picture.astype(np.uint8, copy=False)
