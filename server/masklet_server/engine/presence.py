"""The verdict on one object on one frame: present, uncertain or absent."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masklet.types import Presence

# The network itself empties a mask at a presence logit of 0 or less, so nothing else can be
# called absent.
ABSENT_AT_LOGIT = 0.0
# For a network that nobody has measured. Between 0 and 2 (a probability of 0.88) it hesitates, and
# a mask of which it expects less than half to be right is not to be trusted however sure it is of
# the object.
CERTAIN_FROM_LOGIT = 2.0
CERTAIN_FROM_IOU = 0.5

LARGEST_PRESENCE_LOGIT = 20.0
"""Beyond it, being even surer of the object says nothing more about its mask."""
_IOU_MARGIN = 0.01


@dataclass(frozen=True)
class Calibration:
    """How a network's two scores foretell a mask worse than IoU 0.75, measured against true masks.

    The logit of that probability is a weighted sum: ``offset + presence_weight * presence logit +
    quality_weight * logit(predicted IoU)``. ``server/benchmarks/bench_uncertainty.py`` finds the
    numbers and says what they are worth.

    Attributes:
        offset: Of the sum.
        presence_weight: Of the presence logit, which counts up to :data:`LARGEST_PRESENCE_LOGIT`.
        quality_weight: Of the logit of the predicted IoU.
        limit: From this sum on a mask is uncertain.
    """

    offset: float
    presence_weight: float
    quality_weight: float
    limit: float

    def error_logit(self, presence_logit: float, predicted_iou: float) -> float:
        """Logit of the probability that the mask is worse than IoU 0.75."""
        iou = min(max(predicted_iou, _IOU_MARGIN), 1.0 - _IOU_MARGIN)
        presence = min(max(presence_logit, 0.0), LARGEST_PRESENCE_LOGIT)
        quality = math.log(iou / (1.0 - iou))
        return self.offset + self.presence_weight * presence + self.quality_weight * quality


CALIBRATIONS = {
    "masklet_embedded": Calibration(offset=6.249, presence_weight=-0.51, quality_weight=-1.714, limit=-0.3),
}
"""By the name of the network's configuration."""

STEADY_CLICKS = {"masklet_embedded": 0.36}
"""By the name of the network's configuration: the mask of a single click less steady than this is uncertain.

Measured with ``server/benchmarks/bench_first_click.py`` as a sign of an IoU below 0.6: area under the curve
0.78 of 537 clicks on filmed sequences, 0.76 of 378 on generated ones (decision 75).
"""
_STEADINESS_MARGIN = 1.0


def steadiness(logits: NDArray[np.float32]) -> float:
    """How little a mask ``(s, s)`` changes when its threshold moves by 1 either way: a share, 0 to 1."""
    inner = int(np.count_nonzero(logits > _STEADINESS_MARGIN))
    outer = int(np.count_nonzero(logits > -_STEADINESS_MARGIN))
    return inner / outer if outer else 0.0


def presence_of(
    presence_logit: float, predicted_iou: float, *, empty: bool, calibration: Calibration | None = None
) -> Presence:
    """The verdict from the network's two scores.

    Args:
        presence_logit: Positive when the network believes the object visible.
        predicted_iou: Its estimate of its own mask, 0 to 1.
        empty: True when no pixel of the mask is inside. A visible object without a pixel is a
            contradiction and never certain.
        calibration: Of this network; None where it was not measured.
    """
    if presence_logit <= ABSENT_AT_LOGIT:
        return Presence.ABSENT
    if calibration is None:
        certain = presence_logit >= CERTAIN_FROM_LOGIT and predicted_iou >= CERTAIN_FROM_IOU
    else:
        certain = calibration.error_logit(presence_logit, predicted_iou) < calibration.limit
    return Presence.PRESENT if certain and not empty else Presence.UNCERTAIN
