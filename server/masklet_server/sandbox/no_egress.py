"""A server that reaches out to nobody: the system refuses it, whatever a library would like to do."""

from __future__ import annotations

import errno
import logging
import socket

from masklet_server.sandbox import landlock, seccomp
from masklet_server.sandbox.seccomp import Rule

_log = logging.getLogger("masklet_server.sandbox")

_STAYS_ON_THIS_MACHINE = (1, 16)
"""Sockets between processes, and those to the kernel."""
_RULES = (
    Rule("socket", errno.EACCES, argument=0, values=_STAYS_ON_THIS_MACHINE),
    # Through it sockets could be made that no filter sees.
    Rule("io_uring_setup", errno.EPERM),
)


def refuse_connections() -> None:
    """From the first line on: no TCP connection from this thread or those it starts, where the kernel can."""
    try:
        landlock.refuse_connections()
    except OSError:
        _log.info("until it listens, nothing but the server's own code keeps it from making connections")


def can_leave() -> bool:
    """True where this process gets a socket that could lead out of this machine."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
    except PermissionError:
        return False
    return True


def close_ways_out() -> bool:
    """Once the server listens: no thread gets another socket that leads out of this machine.

    What listens goes on to accept calls. Without a socket of its own nobody connects, sends, or asks for a
    name. Processes that are started later are bound by it too.

    Returns:
        False, after a line in the log, where the system cannot do that.
    """
    if not seccomp.is_known() or not hasattr(socket, "AF_UNIX"):
        _log.warning("this system cannot keep the server from making connections; its own code makes none")
        return False
    try:
        seccomp.install(seccomp.refusing(_RULES), all_threads=True)
    except OSError as error:
        _log.warning("the system does not let the server close its ways out (%s)", error)
        return False
    _log.info("no outgoing connections: the system refuses them from now on")
    return True
