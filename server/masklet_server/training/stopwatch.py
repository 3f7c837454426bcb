"""Where a step's time goes, measured without making the device wait."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator


class DeviceStopwatch:
    """Times laps on a GPU's own clock, or on the wall clock elsewhere.

    Args:
        device: Where the work runs.
    """

    def __init__(self, device: torch.device) -> None:
        self._on_gpu = device.type == "cuda"
        self._marks: list[tuple[str, torch.cuda.Event | float]] = []

    def lap(self, name: str) -> None:
        """End a lap: all work since the one before belongs to ``name``."""
        if self._on_gpu:
            event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
            event.record()
            self._marks.append((name, event))
        else:
            self._marks.append((name, time.perf_counter()))

    def take_shares(self) -> dict[str, float]:
        """Share of the time per lap name since the last call; waits for the device."""
        if self._on_gpu:
            torch.cuda.synchronize()
        spent: dict[str, float] = {}
        for name, seconds in self._laps():
            spent[name] = spent.get(name, 0.0) + seconds
        self._marks = self._marks[-1:]
        whole = sum(spent.values()) or 1.0
        return {name: seconds / whole for name, seconds in spent.items()}

    def _laps(self) -> Iterator[tuple[str, float]]:
        for (_, before), (name, after) in zip(self._marks[:-1], self._marks[1:], strict=True):
            if isinstance(before, float) and isinstance(after, float):
                yield name, after - before
            elif not isinstance(before, float) and not isinstance(after, float):
                yield name, before.elapsed_time(after) / 1e3
