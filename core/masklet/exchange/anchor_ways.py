"""Anchors for tools whose text cannot say that a curve is straight."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from masklet.anchors import AnchorKey, Corners


def on_every_frame(keys: Sequence[AnchorKey]) -> tuple[AnchorKey, ...]:
    """The keys, and between those of frames that do not touch, one a frame on the straight way."""
    found: list[AnchorKey] = []
    for key in keys:
        if found:
            before = found[-1]
            length = key.frame - before.frame
            found += [_between(before, key, step / length, before.frame + step) for step in range(1, length)]
        found.append(key)
    return tuple(found)


def _between(before: AnchorKey, after: AnchorKey, share: float, frame: int) -> AnchorKey:
    def way(a: float, b: float) -> float:
        return a + (b - a) * share

    corners: Corners | None = None
    if before.corners is not None and after.corners is not None:
        one, two, three, four = (
            (way(a[0], b[0]), way(a[1], b[1]))
            for a, b in zip(before.corners, after.corners)  # noqa: B905 (Python 3.9)
        )
        corners = (one, two, three, four)
    return replace(
        before,
        frame=frame,
        x_px=way(before.x_px, after.x_px),
        y_px=way(before.y_px, after.y_px),
        rotation_deg=way(before.rotation_deg, after.rotation_deg),
        scale_x=way(before.scale_x, after.scale_x),
        scale_y=way(before.scale_y, after.scale_y),
        shear=way(before.shear, after.shear),
        corners=corners,
        confidence=way(before.confidence, after.confidence),
        weight=way(before.weight, after.weight),
        jump_px=0.0,
        keyed=False,
    )
