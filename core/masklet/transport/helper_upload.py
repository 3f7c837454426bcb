"""An upload as the stream that masklet's helper sends: progress, then the upload's id."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING

from masklet.errors import CancelledError
from masklet.events import WorkProgress

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from masklet.transport.interface import ClipFile, Transport

_TELL_EVERY_S = 0.1


def upload_events(
    transport: Transport, clip_name: str, files: Sequence[ClipFile]
) -> Generator[WorkProgress | str, None, None]:
    """Upload in a thread of its own and yield how far it is; closing ends it.

    Raises:
        MaskletError: As :meth:`masklet.transport.interface.Transport.upload`.
    """
    events: queue.SimpleQueue[WorkProgress | str | Exception] = queue.SimpleQueue()
    left = threading.Event()
    told_s = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal told_s
        if left.is_set():
            raise CancelledError("the upload was cancelled; what has arrived is kept for another time")
        if done == total or time.monotonic() - told_s >= _TELL_EVERY_S:
            told_s = time.monotonic()
            events.put(WorkProgress(done, total))

    def work() -> None:
        try:
            events.put(transport.upload(clip_name, files, on_progress=tell))
        except Exception as error:  # noqa: BLE001  (raised again by who reads)
            events.put(error)

    threading.Thread(target=work, name="masklet-upload", daemon=True).start()
    try:
        while True:
            event = events.get()
            if isinstance(event, Exception):
                raise event
            yield event
            if isinstance(event, str):
                return
    finally:
        left.set()
