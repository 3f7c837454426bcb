"""What the system lets a process have: memory, open files, processor."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from masklet.findings import Finding, Verdict
from masklet_server.service.settings import ServerSettings

FEW_FILES = 4096
BASE_BYTES = 2 << 30
"""Of a server without sessions: libraries, weights, buffers."""
SESSION_BYTES = 96 << 20
"""Of one session's masks in memory, beside its tracker."""
_CGROUPS = Path("/sys/fs/cgroup")
_MUCH = 1 << 60
"""Memory beyond this is how the first cgroups say that there is no limit."""


def examine_limits(settings: ServerSettings, pid: int) -> Iterator[Finding]:
    """The limits of this process, which are the server's where both are started the same way."""
    if sys.platform == "win32":
        yield Finding(Verdict.GOOD, "limits", "this system sets none that matter")
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield examine_files(soft, hard)
    address_space, _ = resource.getrlimit(resource.RLIMIT_AS)
    if address_space != resource.RLIM_INFINITY:
        cause = f"a process may have {address_space / 2**30:.1f} GiB of address space"
        yield Finding(Verdict.NOTE, "limits", cause, "take the limit away: ulimit -v unlimited")
    core, _ = resource.getrlimit(resource.RLIMIT_CORE)
    if core != 0:
        yield Finding(
            Verdict.NOTE,
            "limits",
            "a crash may write the server's memory to the disk, with pictures in it",
            "ulimit -c 0, or LimitCORE=0 in its unit",
        )
    yield examine_memory(memory_limit(pid), settings)
    cores = processors(pid)
    yield Finding(Verdict.GOOD, "limits", f"{cores:g} processors")


def examine_files(soft: int, hard: int) -> Finding:
    """Whether enough files may be open at a time."""
    cause = f"{soft} files may be open at a time"
    if soft >= FEW_FILES or soft < 0:
        return Finding(Verdict.GOOD, "limits", cause)
    most = hard if hard > 0 else 65536
    return Finding(
        Verdict.NOTE,
        "limits",
        cause,
        f"ulimit -n {max(FEW_FILES, min(most, 65536))}, or LimitNOFILE=65536 in its unit",
    )


def examine_memory(limit_bytes: int, settings: ServerSettings) -> Finding:
    """Whether the machine, or what the process may have of it, holds what the settings promise."""
    store = settings.store
    needed = BASE_BYTES + store.max_sessions * SESSION_BYTES
    if settings.device == "cpu":
        needed += store.memory_bytes
    cause = f"{limit_bytes / 2**30:.1f} GiB of memory, and {needed / 2**30:.1f} may be needed"
    if limit_bytes >= needed:
        return Finding(Verdict.GOOD, "limits", cause)
    return Finding(
        Verdict.NOTE,
        "limits",
        cause,
        "give it more memory, or lower max-sessions and memory-gib in the settings",
    )


def memory_limit(pid: int, cgroups: Path = _CGROUPS, proc: Path = Path("/proc")) -> int:
    """The memory that a process may have: of its control groups, or all that there is."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for folder in _groups(pid, cgroups, proc):
        for name in ("memory.max", "memory.high", "memory.limit_in_bytes"):
            value = _read(folder / name)
            if value.isdecimal() and int(value) < _MUCH:
                found.append(int(value))
    return min(found)


def processors(pid: int, cgroups: Path = _CGROUPS, proc: Path = Path("/proc")) -> float:
    """How many processors a process may use."""
    found = [float(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)]
    for folder in _groups(pid, cgroups, proc):
        quota, _, period = _read(folder / "cpu.max").partition(" ")
        if quota.isdecimal() and period.isdecimal():
            found.append(int(quota) / int(period))
    return min(found)


def _groups(pid: int, cgroups: Path, proc: Path) -> Iterator[Path]:
    """The folders of a process's control groups, and of those around them."""
    for line in _read(proc / str(pid) / "cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        base = cgroups / controllers if controllers else cgroups
        folder = base / path.strip("/")
        while folder.is_relative_to(base):
            yield folder
            folder = folder.parent


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
