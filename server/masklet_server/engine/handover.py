"""From the network's tensors to results: one transfer per frame, whatever the number of objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from masklet.types import Presence
from masklet_server.engine.cleaning import Wanted, clean_logits
from masklet_server.engine.policies.rivals import beside, rivalry
from masklet_server.engine.presence import Calibration, presence_of, steadiness
from masklet_server.engine.profile import Profile
from masklet_server.model.devices import Operation, fetched, perform
from masklet_server.model.network import Decoded
from masklet_server.tracking import ObjectFrame

# Absent objects carry -1024; float16 holds 65504 and a runaway logit must not become infinite.
_LARGEST_LOGIT = 60000.0
# Rivals are large things: their masks are looked at in cells.
_COARSE_SIDE = 60


@dataclass(frozen=True, eq=False)
class Likeness:
    """Where a picture looks like objects.

    Attributes:
        maps: ``(B, h, w)``.
        least: From which value on a cell may be of something of the object's kind.
    """

    maps: Tensor
    least: float


def hand_over(
    decoded: Decoded,
    object_ids: Sequence[int],
    frame: int,
    profile: Profile,
    *,
    prompted: bool,
    clean: bool = True,
    share: float = 0.0,
    wanted: Wanted | None = None,
    least_steadiness: float = 0.0,
    calibration: Calibration | None = None,
    likeness: Likeness | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> tuple[list[ObjectFrame], NDArray[np.float32]]:
    """Results of B objects on one frame, and their cleaned logits ``(B, s, s)`` unrounded.

    Args:
        decoded: Of the network, batch B or more; what follows is padding.
        object_ids: B of them.
        frame: The plate's own number.
        profile: Says what is cleaned.
        prompted: The frame carries prompts for these objects.
        clean: False leaves holes and specks where they are.
        share: Holes and islands up to this share of a mask are cleaned away too.
        wanted: What clicks on this frame asked for, and cleaning leaves.
        least_steadiness: Masks below are uncertain, see :func:`masklet_server.engine.presence.steadiness`.
        calibration: Of the network's scores, None where they were not measured.
        likeness: Where the picture looks like each of the objects; None where nobody has measured that.
        meanwhile: Called when all work of this frame is with the device: what it gives the device to do
            is done while results are copied and cleaned here.
    """
    batch, side = len(object_ids), decoded.best_logits.shape[-1]
    hints = _hints(decoded, likeness, prompted=prompted)
    packed = torch.cat(
        (
            decoded.best_logits.flatten(1).float(),
            decoded.presence_logit.float(),
            decoded.best_iou[:, None].float(),
            decoded.pointer.float(),
            hints.flatten(1).float(),
        ),
        dim=1,
    )  # (B, s * s + 1 + 1 + C + hints)
    arrived = fetched(packed[:batch])
    if meanwhile is not None:
        meanwhile()
    # The only point of a frame at which the processor waits for the device.
    values = arrived()
    logits = values[:, : side * side].reshape(batch, side, side)
    raw = logits
    if clean:
        logits = np.stack(
            [
                clean_logits(
                    one,
                    hole_area_px=profile.hole_area_px,
                    speck_area_px=profile.speck_area_px,
                    share=share,
                    wanted=wanted,
                )
                for one in logits
            ]
        )
    frames = []
    for index, object_id in enumerate(object_ids):
        presence_logit, predicted_iou = (
            float(value) for value in values[index, side * side : side * side + 2]
        )
        width = decoded.pointer.shape[1]
        pointer, rest = np.split(values[index, side * side + 2 :], [width])
        rounded = np.clip(logits[index], -_LARGEST_LOGIT, _LARGEST_LOGIT).astype(np.float16)
        presence = presence_of(
            presence_logit,
            predicted_iou,
            empty=not bool((rounded > 0).any()),
            calibration=calibration,
        )
        if least_steadiness and presence is Presence.PRESENT and steadiness(raw[index]) < least_steadiness:
            presence = Presence.UNCERTAIN
        frames.append(
            ObjectFrame(
                object_id=object_id,
                frame=frame,
                logits=rounded,
                presence_logit=presence_logit,
                predicted_iou=predicted_iou,
                presence=presence,
                pointer=pointer.astype(np.float16),
                prompted=prompted,
                rival=_rival(logits[index] > 0, rest.reshape(hints.shape[1:]), likeness)
                if presence_logit > 0
                else 0.0,
            )
        )
    return frames, logits


def _hints(decoded: Decoded, likeness: Likeness | None, *, prompted: bool) -> Tensor:
    """``(B, K, h, w)``: what tells of rivals, the likeness or the insides of all masks on a coarse grid.

    Nothing where somebody said what the object is.
    """
    batch = len(decoded.best_logits)
    if likeness is not None:
        shown: Tensor = functional.pad(likeness.maps, (0, 0, 0, 0, 0, batch - len(likeness.maps)))
        return shown[:, None]
    if prompted or decoded.logits.shape[1] < 2:
        return decoded.best_logits.new_zeros(batch, 0, 1, 1)
    masks = torch.cat((decoded.best_logits, decoded.logits), dim=1)
    return perform(Operation.UNEVEN_POOLING, _coarse, (masks > 0).float())


def _coarse(masks: Tensor) -> Tensor:
    return functional.adaptive_avg_pool2d(masks, _COARSE_SIDE)


def _rival(taken: NDArray[np.bool_], hints: NDArray[np.float32], likeness: Likeness | None) -> float:
    if not len(hints):
        return 0.0
    if likeness is not None:
        return beside(taken, hints[0], likeness.least)
    coarse = hints > 0.5
    return rivalry(coarse[0], list(coarse[1:]))
