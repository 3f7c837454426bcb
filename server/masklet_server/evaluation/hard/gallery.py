"""Pictures of what contenders made of hard clips, frame by frame, a row for each contender."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.errors import OutputError
from masklet_server.evaluation.hard.contest import TRUTH, Watcher
from masklet_server.evaluation.hard.stage import Scene

_COLUMNS = 8
_TILE_PX = (192, 144)
_OURS = (255, 140, 0)
_TRUTH = (60, 220, 90)


class Gallery:
    """Collects tiles of each scene. A tile shows the mask in orange and the truth outlined in green.

    Args:
        names: Contenders, a row each.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._sheets: list[NDArray[np.uint8]] = []

    def watcher(self, scene: Scene) -> Watcher:
        """Takes the frames of a scene that are shown: eight, evenly spread."""
        shown = {int(frame) for frame in np.linspace(1, scene.frames - 1, _COLUMNS)}
        tiles: dict[str, list[NDArray[np.uint8]]] = {name: [] for name in self._names}

        def watch(frame: int, picture: NDArray[np.uint8], masks: Mapping[str, NDArray[np.bool_]]) -> None:
            if frame not in shown:
                return
            for name in self._names:
                title = f"{scene.name}: {name}" if not tiles[name] else str(frame)
                tiles[name].append(_tile(title, picture, masks[name], masks[TRUTH]))
            if frame == max(shown):
                self._sheets += [np.concatenate(row, axis=1) for row in tiles.values()]

        return watch

    def write(self, path: Path) -> None:
        """Write all rows as one PNG or JPEG.

        Raises:
            OutputError: The file cannot be written.
        """
        width_px = max(sheet.shape[1] for sheet in self._sheets)
        rows = [
            cv2.copyMakeBorder(sheet, 0, 0, 0, width_px - sheet.shape[1], cv2.BORDER_CONSTANT)
            for sheet in self._sheets
        ]
        picture = cv2.cvtColor(np.concatenate(rows, axis=0).astype(np.uint8), cv2.COLOR_RGB2BGR)
        encoded = cv2.imencode(path.suffix or ".png", picture)[1]
        try:
            path.write_bytes(encoded.tobytes())
        except OSError as error:
            raise OutputError(
                f"{path.name} cannot be written: check that its folder exists and has room."
            ) from error


def _tile(
    title: str, picture: NDArray[np.uint8], mask: NDArray[np.bool_], truth: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    tile = picture.copy()
    tile[mask] = (0.5 * tile[mask] + 0.5 * np.array(_OURS)).astype(np.uint8)
    outlines, _ = cv2.findContours(truth.view(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(tile, outlines, -1, _TRUTH, 2, cv2.LINE_AA)
    tile = cv2.resize(tile, _TILE_PX, interpolation=cv2.INTER_AREA).astype(np.uint8)
    cv2.rectangle(tile, (0, 0), (8 + 7 * len(title), 16), (0, 0, 0), -1)
    cv2.putText(tile, title, (4, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (255, 255, 255), 1, cv2.LINE_AA)
    return tile
