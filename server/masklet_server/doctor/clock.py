"""Whether this machine knows what time it is: certificates, tokens and ages of sessions go by it."""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from masklet.findings import Finding, Verdict
from masklet_server.journal.folder import FILE_NAME

AHEAD_S = 120.0
_REPAIR = "start chrony or systemd-timesyncd, and let it reach a clock"
_TIME_ERROR = 5
"""What the kernel says while nothing keeps its clock right."""


def examine_clock(sessions: Path | None) -> Iterator[Finding]:
    """What this machine's clock says, and whether something keeps it right."""
    now_s = time.time()
    yield examine_time(now_s, _newest_s(sessions))
    if is_kept_right() is False:
        yield Finding(Verdict.NOTE, "clock", "nothing keeps this machine's clock right", _REPAIR)


def examine_time(now_s: float, newest_s: float) -> Finding:
    """Whether the time can be right.

    Args:
        now_s: As the clock says.
        newest_s: When something was written that this machine has.
    """
    shown = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now_s))
    if newest_s - now_s > AHEAD_S:
        there = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(newest_s))
        cause = f"{shown}, and files here were written at {there}, later than that"
        return Finding(Verdict.BAD, "clock", cause, f"set the clock; {_REPAIR}")
    return Finding(Verdict.GOOD, "clock", shown)


def is_kept_right() -> bool | None:
    """Whether the kernel's clock follows another; None where this system does not tell."""
    if sys.platform != "linux":
        return None
    try:
        library = ctypes.CDLL(None, use_errno=True)
        # struct timex has fewer bytes than this; a mode of 0 changes nothing.
        state = int(library.adjtimex(ctypes.byref(ctypes.create_string_buffer(512))))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != _TIME_ERROR


def _newest_s(sessions: Path | None) -> float:
    files = [Path(__file__)]
    if sessions is not None and sessions.is_dir():
        files += [folder / FILE_NAME for folder in sessions.iterdir()]
    newest_s = 0.0
    for file in files:
        with suppress(OSError):
            newest_s = max(newest_s, file.stat().st_mtime)
    return newest_s
