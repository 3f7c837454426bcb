"""Calls of the network on a device whose memory is finite: what they need, and what happens without it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

from masklet_server.tracking import DeviceMemoryError

ValueT = TypeVar("ValueT")

_PROCESSOR_REFUSAL = "can't allocate memory"
"""What torch says where the machine's own memory is full; it has no class of its own for that."""


class Workspace:
    """Makes calls and measures what they need beside what stays.

    Args:
        device: Where.

    Attributes:
        most_bytes: The most that a call needed; 0 on processors, which do not tell.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.most_bytes = 0

    def run(self, call: Callable[[], ValueT]) -> ValueT:
        """Make a call.

        Raises:
            DeviceMemoryError: There was no memory for it; nothing of it is held any more.
        """
        is_gpu = self._device.type == "cuda"
        if is_gpu:
            torch.cuda.reset_peak_memory_stats(self._device)
            before_bytes = torch.cuda.memory_allocated(self._device)
        try:
            with torch.inference_mode():
                return call()
        except (torch.OutOfMemoryError, MemoryError):
            pass
        except RuntimeError as error:
            if _PROCESSOR_REFUSAL not in str(error):
                raise
        finally:
            if is_gpu:
                needed_bytes = torch.cuda.max_memory_allocated(self._device) - before_bytes
                self.most_bytes = max(self.most_bytes, needed_bytes)
        # Out here: while an exception is handled, it holds every tensor of the call.
        raise DeviceMemoryError

    def give_back(self) -> None:
        """Let the device have what torch keeps for later."""
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
