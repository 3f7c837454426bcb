"""Drawn masks in requests, looked at before any is unpacked: a small message can claim any size."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TypeVar
from weakref import WeakValueDictionary

from masklet.types import ClipInfo
from masklet.v1 import values_pb2
from masklet_server.service.rendering import Renderer
from masklet_server.sessions.drawn_sizes import LARGE_BYTES, check_room, wrong_size

_ONE_BYTE = frozenset(
    {
        values_pb2.MASK_ENCODING_UNSPECIFIED,
        values_pb2.MASK_ENCODING_ALPHA8_ZLIB,
        values_pb2.MASK_ENCODING_BITS_ZLIB,
    }
)

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

    Args:
        renderer: Has those threads.
    """

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, user: str, size_bytes: int) -> AsyncIterator[None]:
        """For as long as so many unpacked bytes are held."""
        if size_bytes <= LARGE_BYTES:
            yield
            return
        lock = self._turns.setdefault(user, asyncio.Lock())
        async with lock:
            yield

    async def run(self, size_bytes: int, work: Callable[[], ValueT]) -> ValueT:
        """Do work that unpacks so many bytes, in a thread."""
        if size_bytes <= LARGE_BYTES:
            return await self._renderer.run(work)
        return await asyncio.to_thread(work)
