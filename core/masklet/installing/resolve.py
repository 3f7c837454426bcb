"""The small script that starts masklet from Resolve's menu: where it goes."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masklet.errors import OutputError
from masklet.publish.shot_record import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

_CATEGORY = "Utility"
"""Shown on all pages."""
_RESOLVE = {
    "linux": (".local/share/DaVinciResolve/Fusion/Scripts",),
    "darwin": ("Library/Application Support/Blackmagic Design/DaVinci Resolve/Fusion/Scripts",),
    "win32": ("AppData/Roaming/Blackmagic Design/DaVinci Resolve/Support/Fusion/Scripts",),
}
_FUSION = {
    "linux": (".fusion/BlackmagicDesign/Fusion/Scripts",),
    "darwin": ("Library/Application Support/Blackmagic Design/Fusion/Scripts",),
    "win32": ("AppData/Roaming/Blackmagic Design/Fusion/Scripts",),
}
_APPLICATIONS = {
    "linux": ("/opt/resolve", "/opt/BlackmagicDesign"),
    "darwin": ("/Applications/DaVinci Resolve", "/Applications/Blackmagic Fusion 20"),
    "win32": (
        r"C:\Program Files\Blackmagic Design\DaVinci Resolve",
        r"C:\Program Files\Blackmagic Design\Fusion 20",
    ),
}


@dataclass(frozen=True)
class ScriptPlaces:
    """Folders of a user's scripts.

    Attributes:
        home: The user's folder.
        system: As ``sys.platform`` has it.
    """

    home: Path
    system: str = sys.platform

    @property
    def files(self) -> tuple[Path, ...]:
        """The script in Resolve's menu and in Fusion Studio's."""
        name = str(_script().FILE_NAME)
        folders = (*_RESOLVE.get(self.system, ()), *_FUSION.get(self.system, ()))
        return tuple(self.home / folder / _CATEGORY / name for folder in folders)

    @property
    def installed(self) -> tuple[Path, ...]:
        """Those that are there."""
        return tuple(file for file in self.files if file.is_file())


def applications(system: str = sys.platform) -> tuple[Path, ...]:
    """Where Resolve and Fusion lie on this machine, as far as they do."""
    return tuple(Path(place) for place in _APPLICATIONS.get(system, ()) if Path(place).exists())


def install_script(places: ScriptPlaces, python: Path) -> tuple[Path, ...]:
    """Write the script for a Python that has masklet; returns the files.

    Raises:
        OutputError: The user's folder cannot be written.
    """
    text = str(_script().menu_script(str(python)))
    for file in places.files:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{file.parent} cannot be made ({error.strerror}): check its rights") from error
        write_whole(file, text.encode())
    return places.files


def uninstall_script(places: ScriptPlaces) -> tuple[Path, ...]:
    """Delete the script; returns the files that were there."""
    gone = places.installed
    for file in gone:
        try:
            file.unlink()
        except OSError as error:
            raise OutputError(f"{file} cannot be deleted ({error.strerror}): check its rights") from error
    return gone


def python_of(file: Path) -> str:
    """The Python that an installed script starts; empty where it says none."""
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("PYTHON = "):
            return line.partition("=")[2].strip().strip("'\"")
    return ""


def variables_of(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that Resolve's scripting looks at, as far as they are set."""
    names = ("RESOLVE_SCRIPT_API", "RESOLVE_SCRIPT_LIB", "FUSION_PYTHON3_HOME", "PYTHON3HOME", "PYTHONHOME")
    return {name: environment[name] for name in names if environment.get(name)}


def _script() -> Any:
    # By name: hosts stand on the core, never the other way round.
    return importlib.import_module("masklet_resolve.menu_script")
