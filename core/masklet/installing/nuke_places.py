"""Where Nuke lives on a machine, and what of a user's it reads when it starts.

Places as Foundry's installers choose them. Every version reads ``.nuke`` of the user and the folders of
NUKE_PATH.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.installing.blender_places import Machine

if TYPE_CHECKING:
    from collections.abc import Iterator

OLDEST = 14
NEWEST_KNOWN = 17
PYTHONS = {14: "3.9", 15: "3.10", 16: "3.11", 17: "3.11"}
"""Which Python each major version brings."""
_NAME = re.compile(r"Nuke(\d+)\.(\d+)v(\d+)")


@dataclass(frozen=True)
class NukeApplication:
    """One Nuke on this machine.

    Attributes:
        version: ``15.1v2``.
        folder: Where it was installed.
    """

    version: str
    folder: Path

    @property
    def major(self) -> int:
        """15."""
        return int(self.version.split(".")[0])

    @property
    def takes_masklet(self) -> bool:
        """Nuke 13 and older bring a Python that is too old."""
        return self.major >= OLDEST


def find_nukes(machine: Machine | None = None) -> list[NukeApplication]:
    """Every Nuke on this machine, the newest first."""
    machine = machine or Machine()
    found: dict[str, NukeApplication] = {}
    for parent in _parents(machine):
        for folder in sorted(parent.glob("Nuke*")) if parent.is_dir() else ():
            named = _NAME.fullmatch(folder.name)
            if named and folder.is_dir():
                version = f"{named[1]}.{named[2]}v{named[3]}"
                found.setdefault(version, NukeApplication(version, folder))
    return sorted(
        found.values(),
        key=lambda nuke: tuple(int(part) for part in re.split(r"[.v]", nuke.version)),
        reverse=True,
    )


def user_folder(machine: Machine | None = None) -> Path:
    """Where Nuke keeps a user's own things; it may not exist yet."""
    machine = machine or Machine()
    home = machine.folder("USERPROFILE", machine.home) if machine.system == "Windows" else machine.home
    return home / ".nuke"


def path_folders(machine: Machine | None = None) -> list[Path]:
    """The folders of NUKE_PATH, in their order."""
    machine = machine or Machine()
    separator = ";" if machine.system == "Windows" else ":"
    named = machine.variables.get("NUKE_PATH", "")
    return [Path(part) for part in named.split(separator) if part]


def _parents(machine: Machine) -> Iterator[Path]:
    root = machine.root
    if machine.system == "Windows":
        yield machine.folder("ProgramFiles", root / "Program Files")
    elif machine.system == "Darwin":
        yield root / "Applications"
    else:
        yield root / "usr/local"
        yield root / "opt"
        yield root / "opt/foundry"
        yield machine.home
