"""How the server's package is started beside this client: a process of its own, in the same Python."""

from __future__ import annotations

import sys


def server_program(module: str, *arguments: str) -> list[str]:
    """The command line that runs a module of the server's package.

    Python would look for modules in the working folder first, which is the artist's and may hold anything;
    from 3.11 on it is told not to.
    """
    safe = ["-P"] if sys.version_info >= (3, 11) else []
    return [sys.executable, *safe, "-m", f"masklet_server.{module}", *arguments]
