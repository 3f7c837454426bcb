"""Processes of this machine, as Linux shows them."""

from __future__ import annotations

from pathlib import Path


def children_of(parent: int) -> list[int]:
    """Processes that a process started."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[1] == str(parent):
            found.append(int(file.parent.name))
    return found


def is_running(process: int) -> bool:
    """True while a process is there and has not ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return fields[0] != "Z"
