"""Arithmetic on large planes, a few rows at a time and on all processors.

A chain of array operations over a 4K plane goes to memory and back for each of them; over some rows it stays
in the processor's cache. Every pixel's arithmetic is the same, and so is its result, to the bit.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
ValueT = TypeVar("ValueT")

_BLOCK_PIXELS = 1 << 15
# Below this there is nothing to gain.
_LEAST_PIXELS = 1 << 16
_MOST_THREADS = 4


def by_rows(
    work: Callable[..., Sequence[NDArray[Any]]], *planes: NDArray[Any], makes: int
) -> tuple[Plane, ...]:
    """What ``work`` makes of planes, asked for some rows of each at a time.

    Args:
        work: Gets rows ``(r, W)`` of each plane, makes as many rows of each new one, and looks at no others.
            Must not write into what it gets.
        planes: ``(H, W)`` each.
        makes: How many planes come of it.

    Returns:
        float32 planes ``(H, W)``.
    """
    shape = planes[0].shape
    height, width = shape
    made = tuple(np.empty(shape, np.float32) for _ in range(makes))
    rows = max(1, _BLOCK_PIXELS // max(1, width))

    def block(top: int) -> None:
        part = slice(top, top + rows)
        for plane, found in zip(made, work(*(each[part] for each in planes)), strict=True):
            plane[part] = found

    tops = range(0, height, rows)
    if height * width < _LEAST_PIXELS:
        for top in tops:
            block(top)
    else:
        each_of(block, tops)
    return made


def each_of(work: Callable[[Any], ValueT], items: Sequence[Any]) -> list[ValueT]:
    """What ``work`` makes of each item, in their order; on several processors where there are some."""
    threads = _threads()
    return [work(item) for item in items] if threads is None else list(threads.map(work, items))


@cache
def _threads() -> ThreadPoolExecutor | None:
    # As many as OpenCV takes, which knows what this process may have.
    count = min(cv2.getNumThreads(), _MOST_THREADS)
    return ThreadPoolExecutor(count, "masklet-planes") if count > 1 else None


if hasattr(os, "register_at_fork"):
    # A process that is forked has none of the threads.
    os.register_at_fork(after_in_child=_threads.cache_clear)
