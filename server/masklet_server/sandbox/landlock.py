"""Folders that a process may read from now on, and no others: the kernel's Landlock.

Source: Linux, Documentation/userspace-api/landlock.rst. Its numbers are the same on all machines.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_ASK_VERSION, _BENEATH = 1, 1
_NO_NEW_PRIVILEGES = 38
_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
# How many rights over files each version of the interface knows.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
_LATER_FILE_RIGHTS = 16
_NETWORK_SINCE, _SCOPES_SINCE = 4, 6
_BOTH = 0b11
_CONNECTING = 0b10


def version() -> int:
    """Which version of Landlock the kernel has; 0 for none."""
    if sys.platform != "linux":
        return 0
    return max(0, _call(_CREATE, None, 0, _ASK_VERSION))


def confine(folders: Iterable[Path]) -> None:
    """Let this thread, and those it starts, read below some folders and reach nothing else.

    Files that are open stay so. Where the kernel can, TCP, abstract sockets and signals to processes outside
    are refused as well.

    Args:
        folders: Files count as well; what is not there is passed over.

    Raises:
        OSError: The kernel has no Landlock, or does not let this process use it.
    """
    known = version()
    rights = (1 << _FILE_RIGHTS.get(known, _LATER_FILE_RIGHTS)) - 1
    handled = struct.pack("=Q", rights)
    if known >= _NETWORK_SINCE:
        handled += struct.pack("=Q", _BOTH)
    if known >= _SCOPES_SINCE:
        handled += struct.pack("=Q", _BOTH)
    rules = _checked(_call(_CREATE, handled, len(handled), 0))
    try:
        for folder in folders:
            try:
                place = os.open(folder, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue
            try:
                is_folder = stat.S_ISDIR(os.fstat(place).st_mode)
                readable = _READ_FILE | (_READ_FOLDER if is_folder else 0)
                _checked(_call(_ADD, rules, _BENEATH, struct.pack("=Qi", readable, place), 0))
            finally:
                os.close(place)
        _restrict(rules)
    finally:
        os.close(rules)


def refuse_connections() -> None:
    """Let this thread, and those it starts, make no TCP connection; listening stays as it was.

    Raises:
        OSError: The kernel cannot do that.
    """
    if version() < _NETWORK_SINCE:
        raise OSError(errno.ENOSYS, "landlock")
    handled = struct.pack("=QQ", 0, _CONNECTING)
    rules = _checked(_call(_CREATE, handled, len(handled), 0))
    try:
        _restrict(rules)
    finally:
        os.close(rules)


def _restrict(rules: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no_new_privs")
    _checked(_call(_RESTRICT, rules, 0))


def _call(number: int, *arguments: int | bytes | None) -> int:
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    given = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    return int(call(ctypes.c_long(number), *given))


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), "landlock")
    return result
