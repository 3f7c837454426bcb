"""Where a server's sessions are kept unless it is told."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def state_folder(environment: Mapping[str, str] | None = None) -> Path:
    """The folder of this user for what programs keep between runs, as the system has it."""
    values = os.environ if environment is None else environment
    if sys.platform == "win32":
        base = Path(values.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(values.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return base / "masklet" / "sessions"


def folders_of_all() -> list[Path]:
    """Folders for sessions of all servers of this user, by their ports."""
    home = state_folder()
    return sorted(folder for folder in home.iterdir() if folder.is_dir()) if home.is_dir() else []


def default_sessions_folder(address: str) -> Path | None:
    """One for each port, as servers cannot share one; None for port 0: nobody finds such a server again."""
    port = address.rpartition(":")[2]
    return None if port == "0" else state_folder() / port
