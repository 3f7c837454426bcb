"""Files that a run wrote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Files:
    """Files that were written.

    Attributes:
        mattes: In the order of frames.
        exports: For other tools.
        overlays: To look at.
        removed: Of an earlier run, deleted.
        prompts: The prompt document.
        record: What the run made its files from, for publishing.
    """

    mattes: tuple[Path, ...] = ()
    exports: tuple[Path, ...] = ()
    overlays: tuple[Path, ...] = ()
    removed: tuple[Path, ...] = ()
    prompts: Path | None = None
    record: Path | None = None

    def as_json(self) -> dict[str, Any]:
        """Paths as text."""
        return {
            "mattes": [str(file) for file in self.mattes],
            "exports": [str(file) for file in self.exports],
            "overlays": [str(file) for file in self.overlays],
            "removed": [str(file) for file in self.removed],
            "prompts": None if self.prompts is None else str(self.prompts),
            "record": None if self.record is None else str(self.record),
        }
