"""COCO's compressed run lengths, both ways.

A mask is read column by column; runs of outside and inside pixels alternate, starting with
outside. Each run is written as the difference to the run two before it (from the fourth on), in
groups of five bits, lowest first, as characters from ``0`` on: bit six says that more follows,
bit five of the last group is the sign. This is the format of SA-V and of the COCO data set.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from masklet.errors import BadInputError

_FIRST_CHARACTER = 48


def encode_rle(mask: NDArray[np.bool_]) -> str:
    """The compressed run lengths of a ``(h, w)`` mask."""
    flat = mask.ravel(order="F")
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    edges = np.concatenate(([0], changes, [flat.size]))
    runs = [int(run) for run in np.diff(edges)]
    if flat.size and flat[0]:
        runs.insert(0, 0)
    characters: list[int] = []
    for index, run in enumerate(runs):
        value = run - runs[index - 2] if index > 2 else run
        more = True
        while more:
            group = value & 0x1F
            value >>= 5
            more = value != (-1 if group & 0x10 else 0)
            characters.append((group | 0x20 if more else group) + _FIRST_CHARACTER)
    return bytes(characters).decode("ascii")


def decode_rle(counts: str, *, width_px: int, height_px: int) -> NDArray[np.bool_]:
    """The ``(height_px, width_px)`` mask of compressed run lengths.

    Raises:
        BadInputError: The text is no run-length code, or of a picture of another size.
    """
    runs = _runs(counts)
    if any(run < 0 for run in runs) or sum(runs) != width_px * height_px:
        raise BadInputError(
            f"the run-length code of a mask does not fill {width_px} x {height_px} pixels: "
            "the annotation is damaged or belongs to another clip; export it again."
        )
    inside = np.arange(len(runs)) % 2 == 1
    return np.repeat(inside, runs).reshape(width_px, height_px).T


def _runs(counts: str) -> list[int]:
    runs: list[int] = []
    value = shift = 0
    for character in counts:
        group = ord(character) - _FIRST_CHARACTER
        if not 0 <= group < 64:
            raise BadInputError(
                f"a mask's run-length code holds the character {character!r}, which has no meaning there: "
                "the annotation is damaged; export it again."
            )
        value |= (group & 0x1F) << shift
        shift += 5
        if group & 0x20:
            continue
        if group & 0x10:
            value -= 1 << shift
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value = shift = 0
    if shift:
        raise BadInputError(
            "a mask's run-length code ends in the middle of a number: "
            "the annotation is cut off; export it again."
        )
    return runs
