"""Documents that were opened last, over the panel's end."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path

_MOST = 12
_MAX_BYTES = 1 << 16


class RecentDocuments:
    """Newest first, in a file of the user's. Nothing is raised: it is a convenience.

    Args:
        file: Made when it is needed, with its folder.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def all(self) -> tuple[Path, ...]:
        """Those that are still there, newest first."""
        return tuple(path for path in self._read() if path.is_file())

    def note(self, document: Path) -> None:
        """A document was opened."""
        known = [path for path in self._read() if path != document]
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._file.with_name(f"{self._file.name}.new")
            paths = [str(path) for path in (document, *known)][:_MOST]
            temporary.write_text(json.dumps(paths), encoding="utf-8")
            temporary.replace(self._file)

    def _read(self) -> list[Path]:
        try:
            with self._file.open("rb") as content:
                return [Path(str(path)) for path in json.loads(content.read(_MAX_BYTES))]
        except (OSError, ValueError, TypeError):
            return []


def own_folder() -> Path:
    """Where the panel keeps what is the user's, by the customs of the system."""
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home() / "AppData/Roaming") / "masklet/panel"
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/masklet/panel"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "masklet/panel"
