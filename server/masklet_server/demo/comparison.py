"""How close written mattes come to the demo's true masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenImageIO as oiio

from masklet.errors import ClipError


def compare_mattes(mattes: dict[int, Path], truth: Path) -> dict[int, float]:
    """Intersection over union by frame, of mattes thresholded at half coverage.

    Args:
        mattes: EXR files by frame, each with the object's coverage as its only alpha.
        truth: The archive of true masks that the clip's writer made.

    Raises:
        ClipError: A matte cannot be read.
    """
    scores = {}
    with np.load(truth) as archive:
        for frame, path in sorted(mattes.items()):
            buffer = oiio.ImageBuf(str(path))
            alpha = buffer.get_pixels(oiio.FLOAT)
            if alpha is None:
                raise ClipError(f"{path.name} cannot be read: {buffer.geterror()}")
            inside = alpha[..., -1] >= 0.5
            true = archive[str(frame)]
            union = int((inside | true).sum())
            scores[frame] = float((inside & true).sum() / union) if union else 1.0
    return scores
