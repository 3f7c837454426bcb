"""Calls of the network on a device whose memory is finite: what they need, and what happens without it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

from masklet_server.model.devices import MemoryGauge, is_full
from masklet_server.tracking import DeviceMemoryError

ValueT = TypeVar("ValueT")


class Workspace:
    """Makes calls and measures what they need beside what stays.

    Args:
        device: Where.

    Attributes:
        most_bytes: The most that a call needed; 0 on processors, which do not tell.
    """

    def __init__(self, device: torch.device) -> None:
        self._gauge = MemoryGauge(device)
        self.most_bytes = 0

    def run(self, call: Callable[[], ValueT]) -> ValueT:
        """Make a call.

        Raises:
            DeviceMemoryError: There was no memory for it; nothing of it is held any more.
        """
        self._gauge.begin()
        try:
            with torch.inference_mode():
                return call()
        except (RuntimeError, MemoryError) as error:
            if not is_full(error):
                raise
        finally:
            self.most_bytes = max(self.most_bytes, self._gauge.end())
        # Out here: while an exception is handled, it holds every tensor of the call.
        raise DeviceMemoryError

    def give_back(self) -> None:
        """Let the device have what torch keeps for later."""
        self._gauge.give_back()
