"""Things found on a frame, compared by their masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.types import MaskFormat, MaskUpdate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from masklet.found import Found

    Plane = NDArray[np.bool_]

MASKS = MaskFormat(max_side_px=256, bits=True)
"""Fine enough to tell what lies where."""
_FREE_FROM = 0.6
"""So much of a thing must lie on nothing that is an object already."""
_SAME_FROM = 0.5


def apart(found: Iterable[Found], taken: Sequence[Plane] = ()) -> list[Found]:
    """Of things on one frame those that lie beside each other: what is mostly on a better one is left out.

    Args:
        found: The best first, with masks of one size.
        taken: Masks of that size which are spoken for.
    """
    kept: list[Found] = []
    union = None
    for mask in taken:
        union = mask if union is None else union | mask
    for thing in found:
        mask = plane(thing.update)
        area = int(mask.sum())
        if area and (union is None or int((mask & ~union).sum()) >= _FREE_FROM * area):
            kept.append(thing)
            union = mask if union is None else union | mask
    return kept


def plane(update: MaskUpdate) -> Plane:
    """``(height, width)``: inside or outside (needs NumPy)."""
    inside: Plane = update.mask.as_array() > 127
    return inside


def is_same(one: Plane, other: Plane) -> bool:
    """Whether two masks of one size are of one thing."""
    either = int((one | other).sum())
    return either > 0 and int((one & other).sum()) >= _SAME_FROM * either
