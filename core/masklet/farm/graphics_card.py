"""The graphics card that a job asks for, seen by the task itself: not all engines look."""

from __future__ import annotations

import os
import subprocess

from masklet.errors import BadInputError

_PROGRAM = "nvidia-smi"
_VISIBLE = "CUDA_VISIBLE_DEVICES"
_KEPT_SHARE = 0.05
"""Cards keep a little of their memory to themselves: one sold with 8 GiB tells of 7.99."""


def check_gpu(least_gib: float) -> None:
    """See that this worker has a graphics card with so much memory.

    Raises:
        BadInputError: It has none, or a smaller one.
    """
    if not least_gib:
        return
    largest_gib = max(_cards_gib(least_gib), default=0.0)
    if not largest_gib:
        raise BadInputError(
            f"the job asks for a graphics card with {least_gib:g} GiB and this worker was given none "
            f"({_VISIBLE} is {os.environ.get(_VISIBLE)!r}): let the engine give it one"
        )
    if largest_gib < (1 - _KEPT_SHARE) * least_gib:
        raise BadInputError(
            f"the job asks for a graphics card with {least_gib:g} GiB and this machine's has "
            f"{largest_gib:.1f}: let it run on workers with a larger one, or submit it with less --gpu-memory"
        )


def check_on_gpu(least_gib: float, device: str) -> None:
    """See that a server uses the graphics card that was asked for: one that cannot is slow all night.

    Args:
        least_gib: What the job asks for; 0 for nothing.
        device: Where the server runs, in its own words.

    Raises:
        BadInputError: It runs on processors.
    """
    if least_gib and not device.startswith("cuda"):
        raise BadInputError(
            f"the job asks for a graphics card with {least_gib:g} GiB and this worker's server runs on "
            f"{device}: run masklet-server doctor there, or submit it without --gpu-memory"
        )


def _cards_gib(least_gib: float) -> list[float]:
    """Memory of the cards that this worker may use."""
    try:
        told = subprocess.run(
            [_PROGRAM, "--query-gpu=index,uuid,memory.total", "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        cards = [[word.strip() for word in line.split(",")] for line in told.splitlines() if line.strip()]
        found = {index: (uuid, float(mib) / 1024) for index, uuid, mib in cards}
    except (OSError, subprocess.SubprocessError, ValueError):
        found = {}
    if not found:
        raise BadInputError(
            f"the job asks for a graphics card with {least_gib:g} GiB and this machine has none: let it run "
            "on workers with one, or submit it without --gpu-memory"
        )
    wanted = os.environ.get(_VISIBLE)
    if wanted is None:
        return [gib for _, gib in found.values()]
    words = [word.strip() for word in wanted.split(",") if word.strip()]
    # A part of a card by its own name, as MIG has them, is not told of here.
    return [
        gib
        for index, (uuid, gib) in found.items()
        if any(word == index or (word.startswith("GPU-") and uuid.startswith(word)) for word in words)
    ]
