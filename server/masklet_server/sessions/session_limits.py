"""What one session may hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from masklet_server.sessions.history import MAX_UNDO_BYTES


@dataclass(frozen=True)
class SessionLimits:
    """What one session may hold.

    Attributes:
        max_objects: Objects at a time.
        result_memory_bytes: Compressed masks in memory; more goes to a temporary file.
        spill_folder: Where that file is; None for the system's place.
        full_disk_bytes: What more stays in memory while that file cannot grow.
        most_spilled_bytes: How large that file may get.
        undo_bytes: What steps that can be taken back may take in memory; older ones are given up.
    """

    max_objects: int = 64
    result_memory_bytes: int = 64 << 20
    spill_folder: Path | None = None
    full_disk_bytes: int = 64 << 20
    most_spilled_bytes: int = 8 << 30
    undo_bytes: int = MAX_UNDO_BYTES


NO_OTHER_SESSION_LIMITS = SessionLimits()
