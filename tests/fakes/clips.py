"""Clips that a test makes itself, behind references such as a session keeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from masklet_server.sessions.clip_reference import ClipReference
from masklet_server.sessions.session_tracker import ClosingSource

_made: dict[Path, Callable[[], ClosingSource]] = {}


def clip_of(make: Callable[[], ClosingSource]) -> ClipReference:
    """A reference to what ``make`` gives, for as long as this process lives."""
    path = Path(f"/fakes/{len(_made)}")
    _made[path] = make
    return ClipReference(path)


def open_fake(reference: ClipReference) -> ClosingSource:
    """What is behind a reference of :func:`clip_of`."""
    assert reference.path is not None
    return _made[reference.path]()
