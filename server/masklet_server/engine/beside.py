"""One thread of the process encodes pictures while trackers follow objects on the frame before.

On a processor the parts of the network are too small to keep all cores busy by themselves: two of them side
by side are. The thread has as many cores as whoever asks it, so that a picture's features are the same to the
last bit, whoever made them.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import torch

from masklet_server.model.network import ImageFeatures

_THREAD = ThreadPoolExecutor(max_workers=1, thread_name_prefix="masklet-encode")
_busy = threading.Lock()


class Slot:
    """The right to have one picture encoded; :func:`free_slot` gives it."""

    def encode(self, call: Callable[[], ImageFeatures]) -> Future[ImageFeatures]:
        """Start, and give the slot back when it is done."""
        return _THREAD.submit(self._run, call)

    def _run(self, call: Callable[[], ImageFeatures]) -> ImageFeatures:
        try:
            with torch.inference_mode():
                return call()
        finally:
            _busy.release()


def free_slot() -> Slot | None:
    """The right to use the thread; None while it works for somebody. Whoever gets it must use it."""
    return Slot() if _busy.acquire(blocking=False) else None


def has_room() -> bool:
    """Whether this process may use several cores; on a single one all that is done beside is in the way."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, torch.get_num_threads()) > 1
