"""The file of a plate's document: written a moment after a change, in a thread, one version at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.errors import MaskletError
from masklet.hosting import kept_plate
from masklet.hosting.notices import ChangedMeanwhileError

if TYPE_CHECKING:
    from masklet.hosting.kept_plate import KeptPlate

SETTLE_S = 0.4
"""A value that is dragged is written once it has rested for so long."""
_AGAIN_S = 5.0
"""After a full disk, say, it is tried again."""


class DocumentFile:
    """Keeps a file as new as the document is.

    Args:
        file: Where it lies.
        stamp: Of what lies there, as :func:`masklet.hosting.kept_plate.read` gave it; empty for no file.
        tell: Told of an error, in the thread that writes.
    """

    def __init__(self, file: Path, stamp: str, tell: Callable[[MaskletError], None]) -> None:
        self.file = file
        self._stamp = stamp
        self._tell = tell
        self._condition = threading.Condition()
        self._next: KeptPlate | None = None
        self._due_s = 0.0
        self._is_writing = False
        self._has_failed = False
        self._is_closed = False
        self._thread: threading.Thread | None = None
        self.is_refused = False
        """True once somebody else was found to have written the file: nothing is written over it."""

    def write_soon(self, kept: KeptPlate) -> None:
        """Write this a moment later, in place of what waits."""
        with self._condition:
            self._next, self._due_s = kept, time.monotonic() + SETTLE_S
            self._has_failed = False
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="masklet-document")
                self._thread.start()
            self._condition.notify_all()

    def flush(self, timeout_s: float = 10.0) -> bool:
        """Have what waits written now; False where that is not done in time."""
        with self._condition:
            self._due_s, self._has_failed = 0.0, False
            self._condition.notify_all()
            self._condition.wait_for(
                lambda: self._has_failed or (self._next is None and not self._is_writing), timeout=timeout_s
            )
            return self._next is None and not (self._is_writing or self._has_failed or self.is_refused)

    def close(self, timeout_s: float = 10.0) -> bool:
        """Write what waits, and nothing more."""
        done = self.flush(timeout_s)
        with self._condition:
            self._is_closed = True
            self._condition.notify_all()
        return done

    def write_over(self, kept: KeptPlate) -> None:
        """Write this whatever lies there, since the artist said so.

        Raises:
            OutputError: It cannot be written.
        """
        with self._condition:
            self._condition.wait_for(lambda: not self._is_writing, timeout=_AGAIN_S)
            self._next = None
        self._stamp = kept_plate.write(self.file, kept, None)
        self.is_refused = False

    def _run(self) -> None:
        while (kept := self._due()) is not None:
            error = self._written(kept)
            with self._condition:
                self._is_writing = False
                if error is not None and not self.is_refused and self._next is None:
                    self._next, self._due_s = kept, time.monotonic() + _AGAIN_S
                self._has_failed = error is not None
                if self._has_failed and self._is_closed:
                    self._next = None
                self._condition.notify_all()
            if error is not None:
                self._tell(error)

    def _due(self) -> KeptPlate | None:
        """What is to be written, once it is; None at the end."""
        with self._condition:
            while True:
                if self._next is None:
                    if self._is_closed:
                        return None
                    self._condition.wait()
                elif (left_s := self._due_s - time.monotonic()) > 0 and not self._is_closed:
                    self._condition.wait(left_s)
                else:
                    kept, self._next, self._is_writing = self._next, None, True
                    return kept

    def _written(self, kept: KeptPlate) -> MaskletError | None:
        """Why it could not be written; None where it was, or may not be any more."""
        if self.is_refused:
            return None
        try:
            self._stamp = kept_plate.write(self.file, kept, self._stamp)
        except ChangedMeanwhileError as error:
            self.is_refused = True
            return error
        except MaskletError as error:
            return error
        return None
