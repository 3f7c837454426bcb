"""A disk of its own that is soon full; for every Python that a host brings."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def small_disk(folder: Path, *, kilobytes: int) -> Iterator[Path | None]:
    """Mount a disk for so much over a folder, which is made; None where this user may mount nothing."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=20)
    except OSError:
        done = None
    if done is None or done.returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, timeout=20)


def fill(folder: Path) -> Path:
    """Write until nothing more fits; what was written."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as content, suppress(OSError):
        while True:
            content.write(b"\0" * 4096)
    return filler
