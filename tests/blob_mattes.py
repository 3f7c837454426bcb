"""A blob with a hole that turns, bends and half leaves the picture: mattes and what they should give."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet_server.shapes.raster import coverage

Matte = NDArray[np.float32]

WIDTH_PX, HEIGHT_PX = 480, 270
FIRST_FRAME, LAST_FRAME = 1001, 1012


def blob_mattes(*, softness_px: float, pixel_aspect: float = 1.0) -> dict[int, Matte]:
    """Mattes by frame.

    Args:
        softness_px: Standard deviation of the blur of their edges; 0 for sharp.
        pixel_aspect: The blob is drawn as wide pixels hold it.
    """
    return {frame: _blob(frame, softness_px, pixel_aspect) for frame in range(FIRST_FRAME, LAST_FRAME + 1)}


def centroid(alpha: NDArray[np.floating]) -> tuple[float, float]:
    """The centre of coverage, in the plate's pixels."""
    rows, columns = np.mgrid[: alpha.shape[0], : alpha.shape[1]] + 0.5
    total = alpha.sum()
    return float((alpha * columns).sum() / total), float((alpha * rows).sum() / total)


def _blob(frame: int, softness_px: float, pixel_aspect: float) -> Matte:
    progress = (frame - FIRST_FRAME) / (LAST_FRAME - FIRST_FRAME)
    turn = 1.2 * progress
    centre = np.array([120 + 340 * progress, 130 + 20 * np.sin(3 * progress)])
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    radius_px = 60 + 12 * np.cos(3 * angle + 0.4) + 6 * np.sin(5 * angle)
    outline = np.stack([np.cos(angle + turn), np.sin(angle + turn)], axis=1) * radius_px[:, None]
    hole = np.stack([22 * np.cos(angle) + 18 * np.cos(turn), 14 * np.sin(angle) + 18 * np.sin(turn)], axis=1)
    squeeze = np.array([1 / pixel_aspect, 1.0])
    matte = _covered(centre + outline * squeeze) * (1 - _covered(centre + hole * squeeze))
    if softness_px:
        # What lies outside the picture goes on as it is at the border.
        margin = int(np.ceil(4 * softness_px))
        wide = cv2.copyMakeBorder(matte, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
        matte = cv2.GaussianBlur(wide, (0, 0), softness_px)[margin:-margin, margin:-margin]
    return np.ascontiguousarray(matte, np.float32)


def _covered(points: NDArray[np.float64]) -> Matte:
    picture = np.zeros((HEIGHT_PX, WIDTH_PX), np.float32)
    (top, left), part = coverage(points, WIDTH_PX, HEIGHT_PX)
    picture[top : top + part.shape[0], left : left + part.shape[1]] = part
    return picture
