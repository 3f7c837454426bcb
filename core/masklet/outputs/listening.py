"""Who is told how an output comes along."""

from __future__ import annotations

from typing import Protocol


class Listener(Protocol):
    """Is told what goes on, in the thread that writes."""

    def say(self, sentence: str) -> None:
        """Something worth a line."""
        ...

    def writing(self, done: int, total: int) -> None:
        """Frames written, and frames in all."""
        ...

    def looking(self, name: str, done: int, total: int) -> None:
        """How far the second look at an object is."""
        ...
