"""Who appears in composed clips: frozen shares, without anything that draws them."""

from __future__ import annotations

from dataclasses import dataclass

from masklet.errors import BadInputError


@dataclass(frozen=True)
class CastConfig:
    """Who appears; a share is a probability per clip or per layer.

    Attributes:
        layers: Cut-outs per clip at most; those beyond the object slots only occlude and distract.
        lookalike_share: The second layer is a clone of the first one's cut-out.
        scene_share: A photograph's own objects are the targets, in their place.
        leave_share: The first target leaves the frame or is covered, and mostly comes back.
        leaving_frames: Frames that leaving takes, and coming back, from the first to the second; None for
            at once, as between frames that lie apart.
        cut_share: The camera jumps once.
        fastest: Fastest motion of a layer per frame, as a share of the frame's height.
        fastest_growth: Fastest change of a layer's size per frame, as a logarithm.
        camera: Pace of the camera's pans, zooms and rolls, 1 for as lively as in training.
    """

    layers: int = 4
    lookalike_share: float = 0.4
    scene_share: float = 0.3
    leave_share: float = 0.15
    leaving_frames: tuple[float, float] | None = None
    cut_share: float = 0.03
    fastest: float = 0.12
    fastest_growth: float = 0.1
    camera: float = 1.0

    def __post_init__(self) -> None:
        if self.leaving_frames is not None:
            rising = len(self.leaving_frames) == 2 and 0 < self.leaving_frames[0] <= self.leaving_frames[1]
            if not rising:
                raise BadInputError(
                    "cast.leaving_frames is two numbers of frames above 0, the smaller one first, "
                    f"got {list(self.leaving_frames)}."
                )
