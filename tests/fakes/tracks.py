"""Tracks as tests like to read them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from masklet.events import TrackFinished, TrackStarted, Waiting
from masklet_server.sessions.track import TrackItem
from masklet_server.tracking import ObjectFrame

Item = Waiting | TrackStarted | ObjectFrame | TrackFinished


async def one_by_one(items: AsyncGenerator[TrackItem, None]) -> AsyncGenerator[Item, None]:
    """A track's items with its results one by one; closed like the track itself."""
    async with aclosing(items):
        async for item in items:
            if isinstance(item, tuple):
                for result in item:
                    yield result
            else:
                yield item
