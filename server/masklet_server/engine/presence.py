"""The verdict on one object on one frame: present, uncertain or absent."""

from __future__ import annotations

from masklet.types import Presence

# The network itself empties a mask at a presence logit of 0 or less, so nothing else can be
# called absent. Between 0 and 2 (a probability of 0.88) it hesitates, and a mask of which it
# expects less than half to be right is not to be trusted however sure it is of the object.
ABSENT_AT_LOGIT = 0.0
CERTAIN_FROM_LOGIT = 2.0
CERTAIN_FROM_IOU = 0.5


def presence_of(presence_logit: float, predicted_iou: float, *, empty: bool) -> Presence:
    """The verdict from the network's two scores.

    Args:
        presence_logit: Positive when the network believes the object visible.
        predicted_iou: Its estimate of its own mask, 0 to 1.
        empty: True when no pixel of the mask is inside. A visible object without a pixel is a
            contradiction and never certain.
    """
    if presence_logit <= ABSENT_AT_LOGIT:
        return Presence.ABSENT
    if empty or presence_logit < CERTAIN_FROM_LOGIT or predicted_iou < CERTAIN_FROM_IOU:
        return Presence.UNCERTAIN
    return Presence.PRESENT
