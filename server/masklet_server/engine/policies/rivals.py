"""How near a rival came: what the masks that were not taken say.

Where something looks like the object, one of the network's other masks often reaches over to it. How far
the box of the object has to grow to hold that piece as well says how much of a rival it is (J. Videnovic et
al., "A Distractor-Aware Memory for Visual Object Tracking with SAM2", arXiv 2411.17576).
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet_server.engine.policies.boxes import box_of

_SMALLEST_SHARE = 0.15


def rivalry(taken: NDArray[np.bool_], others: Sequence[NDArray[np.bool_]]) -> float:
    """0 where no other mask reaches beyond the one taken, towards 1 the farther one does.

    Args:
        taken: ``(h, w)`` the mask that was taken.
        others: ``(h, w)`` each, those that were not.
    """
    own = box_of(taken)
    if own is None:
        return 0.0
    area = int(np.count_nonzero(taken))
    most = 0.0
    for other in others:
        piece = _largest_part(other & ~taken)
        # A rim of a few pixels is doubt about an edge, not somebody else.
        if piece is None or np.count_nonzero(piece) < _SMALLEST_SHARE * area:
            continue
        beside = box_of(piece)
        if beside is not None:
            most = max(most, 1.0 - own.iou(own.union(beside)))
    # As documents and journals keep it: it is the same after a way through them.
    return float(np.float32(most))


def _largest_part(mask: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        return None
    return np.asarray(labels == 1 + int(np.argmax(statistics[1:, cv2.CC_STAT_AREA])), dtype=np.bool_)
