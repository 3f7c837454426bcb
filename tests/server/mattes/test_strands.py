"""What joins an object by colour, on a small grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from masklet_server.mattes.colour_split import ColourSplit
from masklet_server.mattes.strands import Beyond, find_beyond

Plane = NDArray[np.float32]

SHAPE = (80, 120)
OBJECT, BAND, TIP = (slice(20, 60), slice(0, 30)), (slice(16, 64), slice(26, 36)), (40, 58)


def beyond(values: Plane, *, object_noise: Plane | float = 0.05) -> Beyond:
    """What is found beside a block at the left from values as colour gives them."""
    zero = np.zeros(SHAPE, np.float32)
    split = ColourSplit(
        (zero, zero, zero), zero, zero + np.float32(0.02), zero + np.asarray(object_noise, np.float32)
    )
    network, band = zero.copy(), np.zeros(SHAPE, bool)
    network[OBJECT] = 1.0
    band[BAND] = True
    return find_beyond(values, split, network, band, network, cell_px=6.0, reach_px=40.0)


def strand(*, apart: bool = False) -> Plane:
    """Values of a block and of a strand that begins at it, or a few pixels away from it."""
    values = np.zeros(SHAPE, np.float32)
    values[OBJECT] = 1.0
    values[39:42, 38 if apart else 30 : 64] = 1.0
    return values


def test_a_strand_joins_where_colour_stands_out_and_is_hardly_trusted() -> None:
    noise = np.full(SHAPE, 0.05, np.float32)
    noise[:, :40] = 0.23  # Next to an object of many colours.

    found = beyond(strand(), object_noise=noise)

    assert 0.0 < found.trust[40, 34] < 0.3
    assert found.outside[TIP] > 0.9


def test_a_strand_does_not_join_where_colour_is_not_trusted_at_all() -> None:
    noise = np.full(SHAPE, 0.05, np.float32)
    noise[:, :40] = 0.5

    assert beyond(strand(), object_noise=noise).outside[TIP] == 0.0


def test_what_nothing_leads_to_does_not_join() -> None:
    assert beyond(strand(apart=True)).outside[TIP] == 0.0
    assert beyond(strand()).outside[TIP] > 0.9


def test_a_strand_counts_less_the_more_of_its_colour_stands_apart() -> None:
    found = []
    for lines in (0, 1, 2, 4):
        values = strand()
        for line in range(lines):
            values[4 + 4 * line : 7 + 4 * line, 40:62] = 1.0
        found.append(float(beyond(values).outside[TIP]))

    assert found == sorted(found, reverse=True)
    assert found[0] > 0.9
    assert found[-1] == 0.0
