"""The demo's clip as files: a PNG sequence and its true masks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from masklet_server.demo import scene


@dataclass(frozen=True)
class DemoClip:
    """Where the clip lies and where to click.

    Attributes:
        pattern: ``…/duck.%04d.png``.
        truth: A compressed NumPy archive; each key is a frame number, each value a boolean
            ``(height, width)`` array.
        clicks: Frame, x and y in pixels, all on the object.
    """

    pattern: Path
    truth: Path
    clicks: tuple[tuple[int, float, float], ...]


def write_clip(folder: Path, *, frame_count: int = scene.FRAME_COUNT) -> DemoClip:
    """Render the first ``frame_count`` frames into ``folder``, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    truth = {}
    for picture in scene.render(frame_count):
        cv2.imwrite(str(folder / f"duck.{picture.frame:04d}.png"), picture.rgb[..., ::-1])
        truth[str(picture.frame)] = picture.truth > 0.5
    truth_file = folder / "duck_truth.npz"
    # The keys are digits, so none of them can be one of the function's own parameters.
    np.savez_compressed(truth_file, **truth)  # type: ignore[arg-type]
    clicks = tuple((scene.FIRST_FRAME, click.x_px, click.y_px) for click in scene.first_clicks())
    return DemoClip(folder / "duck.%04d.png", truth_file, clicks)
