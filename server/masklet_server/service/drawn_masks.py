"""Drawn masks in requests, looked at before any is unpacked: a small message can claim any size."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from masklet.errors import OutputError
from masklet.types import ClipInfo
from masklet.v1 import values_pb2
from masklet_server.service.rendering import Renderer
from masklet_server.sessions.drawn_sizes import LARGE_BYTES, check_room, wrong_size
from masklet_server.sessions.worker_threads import DISK_S, WorkerThreads

_ONE_BYTE = frozenset(
    {
        values_pb2.MASK_ENCODING_UNSPECIFIED,
        values_pb2.MASK_ENCODING_ALPHA8_ZLIB,
        values_pb2.MASK_ENCODING_BITS_ZLIB,
    }
)

AT_ONCE = 2
"""Documents with many drawn masks that are unpacked at a time, of all users: each takes up to 2 GiB."""

ValueT = TypeVar("ValueT")


def check_drawn(prompts: Iterable[values_pb2.FramePrompts], clip: ClipInfo) -> int:
    """How many bytes the drawn masks in prompts take once they are unpacked.

    Raises:
        BadInputError: One is neither as large as the picture nor as its display window.
        LimitError: Together they are too large.
    """
    sizes_px = {
        (clip.width_px, clip.height_px),
        (clip.display_width_px, clip.display_height_px),
    }
    size_bytes = 0
    for each in prompts:
        if not each.HasField("mask"):
            continue
        mask = each.mask
        if (mask.width_px, mask.height_px) not in sizes_px:
            raise wrong_size(mask.width_px, mask.height_px, clip)
        size_bytes += mask.width_px * mask.height_px * (1 if mask.encoding in _ONE_BYTE else 2)
    check_room(size_bytes)
    return size_bytes


class Unpacking:
    """Unpacks drawn masks; many of them beside the threads that clicks wait for, and for each user in turn.

    To be used from one event loop.

    Args:
        renderer: Has those threads.
        disk_s: How long the disk of masks that lie there may take.
    """

    def __init__(self, renderer: Renderer, *, disk_s: float = DISK_S) -> None:
        self._renderer = renderer
        self._threads = WorkerThreads("documents", at_once=AT_ONCE, disk_s=disk_s)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        # Apart: what is set takes minutes after it is unpacked, and what stands is asked for meanwhile.
        self._sets: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._running: set[asyncio.Task[Any]] = set()

    @asynccontextmanager
    async def setting(self, user: str, size_bytes: int) -> AsyncIterator[None]:
        """For as long as so many unpacked bytes are held that are to be set: one set of a user at a time."""
        if size_bytes <= LARGE_BYTES:
            yield
            return
        async with self._sets.setdefault(user, asyncio.Lock()):
            yield

    async def run(self, user: str, size_bytes: int, work: Callable[[], ValueT]) -> ValueT:
        """Do work that unpacks so many bytes, in a thread.

        Large work keeps its user's turn, and its place, until its thread ends: whoever leaves and asks
        again has one at a time.

        Raises:
            OutputError: The disk for temporary files hangs.
        """
        if size_bytes <= LARGE_BYTES:
            return await self._renderer.run(work)
        turn = self._turns.setdefault(user, asyncio.Lock())
        await turn.acquire()
        refusal = OutputError(
            f"the server's disk for temporary files has not answered for {self._threads.disk_s:.0f} seconds: "
            "have it looked at, then try again. All finished masks are kept"
        )
        task = asyncio.ensure_future(self._threads.run(work, whose=user, refusal=refusal))

        def ended(task: asyncio.Task[ValueT]) -> None:
            self._running.discard(task)
            turn.release()

        self._running.add(task)
        task.add_done_callback(ended)
        return await asyncio.shield(task)

    def close(self) -> None:
        """Let idle threads end, and others after what they are at."""
        self._threads.close()
