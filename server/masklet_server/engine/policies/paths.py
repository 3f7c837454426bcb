"""Which hypotheses are followed: of every path's masks those that make the likeliest paths so far.

After S. Ding et al., "SAM2Long: Enhancing SAM 2 for Long Video Segmentation with a Training-Free Memory Tree"
(arXiv 2410.16268), section 3: a path's score is the sum of the logarithms of the IoU that the network expects
of its masks, and the few best go on. Written from the paper. Left out: keys of the attention weighted by
scores. Added: masks of one path that hardly differ are one hypothesis, so that what is easy costs no more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ALIKE_FROM_IOU = 0.95
_LEAST_IOU = 1e-5


@dataclass(frozen=True)
class Branch:
    """One way on.

    Attributes:
        parent: Which path it goes on from.
        mask: Which of that path's masks is taken.
        score: Of the path with it.
    """

    parent: int
    mask: int
    score: float


def branches(
    scores: Sequence[float],
    ious: NDArray[np.float32],
    inside: NDArray[np.bool_],
    *,
    limit: int,
) -> list[Branch]:
    """The ways on that are followed, the likeliest first.

    Args:
        scores: Of P paths so far.
        ious: ``(P, K)``, what the network expects of each mask, 0 to 1.
        inside: ``(P, K, h, w)``, the masks.
        limit: How many at most.
    """
    found = [
        Branch(parent, mask, score + math.log(min(max(float(ious[parent, mask]), 0.0) + _LEAST_IOU, 1.0)))
        for parent, score in enumerate(scores)
        for mask in range(ious.shape[1])
    ]
    chosen: list[Branch] = []
    for branch in sorted(found, key=lambda branch: (-branch.score, branch.parent, branch.mask)):
        siblings = [other for other in chosen if other.parent == branch.parent]
        mine = inside[branch.parent, branch.mask]
        if any(alike(mine, inside[other.parent, other.mask]) for other in siblings):
            continue
        chosen.append(branch)
        if len(chosen) == limit:
            break
    return chosen


def alike(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> bool:
    """Whether two masks are the same but for a rim; two empty ones are."""
    either = int(np.count_nonzero(one | other))
    return either == 0 or int(np.count_nonzero(one & other)) >= ALIKE_FROM_IOU * either
