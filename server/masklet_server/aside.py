"""How a thread says that it waits for a disk, so that nobody waits for the disk with it.

Whoever runs work in threads (the device, exports, searches) announces for each thread what it does while
that thread waits. Whoever reads or writes files brackets it. Neither knows the other.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Waiter(Protocol):
    """Whose work a thread does."""

    def leave(self) -> None:
        """The thread waits for a disk from now on."""
        ...

    def check(self) -> None:
        """See that the work is still wanted.

        Raises:
            MaskletError: It was given up meanwhile.
        """
        ...

    def come_back(self) -> None:
        """The thread can go on; waits until it may.

        Raises:
            MaskletError: The work was given up meanwhile.
        """
        ...


class _Here(threading.local):
    waiter: Waiter | None = None


_here = _Here()


@contextmanager
def working_for(waiter: Waiter) -> Iterator[None]:
    """Bracket work that this thread does for somebody."""
    before, _here.waiter = _here.waiter, waiter
    try:
        yield
    finally:
        _here.waiter = before


@contextmanager
def waiting_for_disk() -> Iterator[None]:
    """Bracket what may take as long as a disk or a network share likes.

    What is changed inside must stay right when the bracket's end raises.

    Raises:
        MaskletError: It took longer than whoever runs this thread could wait; nobody wants the result.
    """
    waiter = _here.waiter
    if waiter is None:
        yield
        return
    waiter.leave()
    # Brackets inside this one change nothing.
    _here.waiter = None
    try:
        yield
    finally:
        _here.waiter = waiter
        waiter.come_back()


def check_wanted() -> None:
    """See that whoever runs this thread still wants what it does; called where a long call has ended.

    Raises:
        MaskletError: The work was given up meanwhile.
    """
    if _here.waiter is not None:
        _here.waiter.check()


@contextmanager
def working_beside() -> Iterator[None]:
    """Bracket work that needs no device but may take longer than a frame; otherwise as the other bracket."""
    with waiting_for_disk():
        yield
