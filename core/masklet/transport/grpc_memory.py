"""Whether a server shares memory with this client, asked when something large is first sent or fetched."""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from masklet.errors import MaskletError
from masklet.transport.shared_memory import SharedCall, SharedMemory, is_possible
from masklet.v1 import server_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from masklet.mask_codec import GetShared
    from masklet.transport.grpc_channel import Channel, Metadata
    from masklet.v1 import server_pb2_grpc

SETTING = "MASKLET_SHARED_MEMORY"
"""Environment variable: 0 shares nothing, whatever a server offers."""
_ASK_S = 10.0
_ASK_AGAIN_S = 60.0


class MemoryToShare:
    """Memory shared with a server on this machine, if it offers some.

    Args:
        channel: To the server.
        server: Its calls.
    """

    def __init__(self, channel: Channel, server: server_pb2_grpc.ServerServiceStub) -> None:
        self._channel, self._server = channel, server
        self._lock = threading.Lock()
        self._memory: SharedMemory | None = None
        wanted = os.environ.get(SETTING, "1") != "0" and channel.is_local and is_possible()
        self._not_before_s = 0.0 if wanted else float("inf")

    @contextmanager
    def call(self) -> Iterator[SharedCall | None]:
        """What one call shares; None where nothing is shared."""
        memory = self._shared()
        if memory is None:
            yield None
        else:
            with memory.call() as call:
                yield call

    def forget(self, *, for_s: float = _ASK_AGAIN_S) -> None:
        """Share nothing for so long; calls under way go on."""
        with self._lock:
            memory, self._memory = self._memory, None
            if self._not_before_s < float("inf"):
                self._not_before_s = time.monotonic() + for_s
        if memory is not None:
            memory.close()

    def _shared(self) -> SharedMemory | None:
        with self._lock:
            if self._memory is not None:
                if self._memory.is_alive:
                    return self._memory
                self._memory.close()
                self._memory = None
            if time.monotonic() < self._not_before_s:
                return None
            self._not_before_s = time.monotonic() + _ASK_AGAIN_S
            try:
                offer = self._channel.call(
                    self._server.OpenSharedMemory,
                    server_pb2.OpenSharedMemoryRequest(),
                    timeout_s=_ASK_S,
                    retry=False,
                )
                # An older server knows no such call; one behind a tunnel has its socket elsewhere.
                self._memory = SharedMemory(offer) if offer.socket else None
            except (MaskletError, OSError):
                self._memory = None
            return self._memory


def metadata_of(call: SharedCall | None) -> Metadata:
    """What a call says of the memory that it shares."""
    return () if call is None else call.metadata


def getter_of(call: SharedCall | None) -> GetShared | None:
    """How a call gets bytes out of shared memory."""
    return None if call is None else call.get
