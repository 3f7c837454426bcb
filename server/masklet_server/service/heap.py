"""How much of the process's memory the C library sets aside for its threads."""

from __future__ import annotations

import ctypes
import os
import sys

GIVES_BACK_EVERY_S = 60.0
ARENAS = 2
"""Each arena keeps what was given back in it, and a server's threads take turns at pictures and masks of many
megabytes: with glibc's own eight for each core, half of a server's memory was free memory in arenas."""
_M_ARENA_MAX = -8


def keep_together() -> None:
    """Have glibc use few arenas; to be called before there are threads.

    Nothing happens elsewhere, or where ``MALLOC_ARENA_MAX`` says it.
    """
    if not sys.platform.startswith("linux") or os.environ.get("MALLOC_ARENA_MAX"):
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(_M_ARENA_MAX, ARENAS)


def give_back() -> None:
    """Give free memory back to the system, which takes some milliseconds; nothing happens without glibc."""
    if not sys.platform.startswith("linux"):
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "malloc_trim"):
        library.malloc_trim(0)
