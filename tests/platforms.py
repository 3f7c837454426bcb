"""What the machine that tests run on can do: what a system lacks is None here, never an error on import."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from pathlib import Path
from types import ModuleType

import pytest

# Windows has none: there SIGTERM ends a process at once, which is what is meant.
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
STOP = getattr(signal, "SIGSTOP", None)

needs_rights = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="neither root nor Windows is kept out by a mode"
)
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/stat").is_file(), reason="looks processes up as Linux shows them"
)


def resource_module() -> ModuleType:
    """The standard library's ``resource``; the test that asks is skipped where there is none."""
    try:
        return importlib.import_module("resource")
    except ImportError:
        pytest.skip("this system has no limits of this kind")


def peak_memory_bytes() -> int:
    """The most memory that this process has held; the test that asks is skipped where nobody knows."""
    resource = resource_module()
    unit_bytes = 1 if sys.platform == "darwin" else 1024
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * unit_bytes


def make_link(link: Path, target: str | Path) -> None:
    """Make a symbolic link; the test that asks is skipped where this user may not, as on most Windows."""
    try:
        link.symlink_to(target)
    except OSError:
        pytest.skip("this user may not make symbolic links")
