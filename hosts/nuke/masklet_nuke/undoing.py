"""How things are done in a script: on its top level, as one step of undo, or as none."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from masklet_nuke.api import Nuke


@contextmanager
def at_root(nuke: Nuke) -> Iterator[None]:
    """What is done inside is done on the script's top level: a Group's own scripts may begin in the Group."""
    root = nuke.root()
    root.begin()
    try:
        yield
    finally:
        root.end()


@contextmanager
def one_step(nuke: Nuke, name: str) -> Iterator[None]:
    """All that is done inside is one step of undo, however it ends."""
    nuke.Undo.begin(name)
    try:
        yield
    finally:
        nuke.Undo.end()


@contextmanager
def no_step(nuke: Nuke) -> Iterator[None]:
    """What is done inside is no step of undo."""
    nuke.Undo.disable()
    try:
        yield
    finally:
        nuke.Undo.enable()
