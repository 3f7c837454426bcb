"""Processes of this machine, as Linux shows them to the user who asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from masklet_server.service.network import OpenSocket, open_sockets

_PROC = Path("/proc")
_FILTERED = "2"


def who_listens(port: int) -> int | None:
    """The process that listens on a TCP port; None where this user may not see it, or there is none."""
    end = f":{port}"
    for process in sorted(_processes()):
        with suppress(OSError):
            if any(each.local.endswith(end) and not each.remote for each in open_sockets(process)):
                return process
    return None


def sockets_of(process: int) -> list[OpenSocket]:
    """The sockets of a process and of those that it started."""
    family, parents = {process}, {each: _parent(each) for each in _processes()}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    found: list[OpenSocket] = []
    for each in family:
        with suppress(OSError):
            found += open_sockets(each)
    return list(dict.fromkeys(found))


def is_filtered(process: int) -> bool:
    """True where every thread of a process has a filter of system calls, as far as this user may see."""
    try:
        threads = list((_PROC / str(process) / "task").iterdir())
        told = [(each / "status").read_text(encoding="utf-8", errors="replace") for each in threads]
    except OSError:
        return False
    modes = [
        line.partition(":")[2].strip()
        for text in told
        for line in text.splitlines()
        if line.startswith("Seccomp:")
    ]
    return bool(modes) and len(modes) == len(told) and all(mode == _FILTERED for mode in modes)


def _processes() -> Iterator[int]:
    with suppress(OSError):
        for folder in _PROC.iterdir():
            if folder.name.isdecimal():
                yield int(folder.name)


def _parent(process: int) -> int:
    with suppress(OSError, IndexError, ValueError):
        text = (_PROC / str(process) / "stat").read_text(encoding="utf-8", errors="replace")
        return int(text.rpartition(")")[2].split()[1])
    return 0
