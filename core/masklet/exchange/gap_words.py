"""What anchors and shapes did on frames without a matte, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.anchors import GapWay
from masklet.frame_runs import shown

if TYPE_CHECKING:
    from masklet.anchors import AnchorTrack
    from masklet.shapes import ObjectShapes

_DID = {
    GapWay.HELD: "held where it was",
    GapWay.EXTRAPOLATED: "carried on as it moved",
    GapWay.FADED: "held and faded out",
    GapWay.CUT: "held and switched off",
    GapWay.CARRIED: "without a key, straight from one side to the other",
}


def anchor_gaps(track: AnchorTrack) -> str:
    """``not seen on 1004-1007: held where it was``, or nothing where the object was seen throughout."""
    by_way: dict[GapWay, list[str]] = {}
    for gap in track.gaps:
        by_way.setdefault(gap.way, []).append(shown((gap.frames,)))
    return "; ".join(f"not seen on {', '.join(frames)}: {_DID[way]}" for way, frames in by_way.items())


def shape_gaps(shapes: ObjectShapes) -> str:
    """``no matte on 1004-1007: nothing is drawn there``, or nothing where every frame has one."""
    gaps = shapes.report.gaps
    return f"no matte on {shown(gaps)}: nothing is drawn there" if gaps else ""
