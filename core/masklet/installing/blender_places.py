"""Where Blender lives on a machine: its applications, and where each version keeps a user's things.

Places as Blender's manual gives them, and those of Steam, Snap, Flatpak and the Microsoft Store.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OLDEST = (4, 2)
_FIRST_OF_USER = "user_default"
_FLATPAK = "org.blender.Blender"
_VERSION = re.compile(r"\d+\.\d+")
_ASK_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Machine:
    """What finding Blender depends on; tests build one of their own.

    Attributes:
        system: ``Linux``, ``Darwin`` or ``Windows``.
        home: The user's own folder.
        variables: The environment.
        root: Stands before ``/opt``, ``/Applications`` and the like.
    """

    system: str = field(default_factory=platform.system)
    home: Path = field(default_factory=Path.home)
    variables: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    root: Path = field(default_factory=lambda: Path(Path.cwd().anchor))

    def folder(self, variable: str, default: Path) -> Path:
        """The folder named by a variable, or the default."""
        named = self.variables.get(variable)
        return Path(named) if named else default


@dataclass(frozen=True)
class BlenderPlace:
    """One version of Blender that a user has.

    Attributes:
        version: ``4.2``.
        extensions: Folder of the user's extensions; it may not exist yet.
        application: The program itself, or None where only the user's folder was found.
        sandbox_config: The configuration folder that programs see inside Flatpak; None elsewhere.
    """

    version: str
    extensions: Path
    application: Path | None = None
    sandbox_config: Path | None = None

    @property
    def numbers(self) -> tuple[int, ...]:
        """For comparisons: ``(4, 2)``."""
        return tuple(int(part) for part in self.version.split("."))

    @property
    def takes_extensions(self) -> bool:
        """Extensions came with Blender 4.2."""
        return self.numbers >= OLDEST

    def addon_folder(self, identifier: str) -> Path:
        """Where an extension that the user installed from a file lies."""
        return self.extensions / _FIRST_OF_USER / identifier


def find_blenders(machine: Machine | None = None) -> list[BlenderPlace]:
    """Every Blender of the user, the newest first; of each version once."""
    machine = machine or Machine()
    applications = _applications_by_version(machine)
    named = machine.variables.get("BLENDER_USER_EXTENSIONS")
    resources = machine.variables.get("BLENDER_USER_RESOURCES")
    found: dict[str, BlenderPlace] = {}
    for folder in _user_folders(machine):
        version = folder.name
        sandbox = folder.parents[1] if _FLATPAK in folder.parts else None
        place = BlenderPlace(version, folder / "extensions", applications.get(version), sandbox)
        found.setdefault(version, place)
    for version, application in applications.items():
        portable = portable_folder(application, version, machine.system)
        extensions = (portable or _usual_folder(machine) / version) / "extensions"
        if portable or version not in found:
            found[version] = BlenderPlace(version, extensions, application)
    if named or resources:
        # The variables hold for whichever version is started with them.
        extensions = Path(named) if named else Path(str(resources)) / "extensions"
        found = {version: replace(place, extensions=extensions) for version, place in found.items()}
    return sorted(found.values(), key=lambda place: place.numbers, reverse=True)


def portable_folder(application: Path, version: str, system: str) -> Path | None:
    """The folder beside a portable Blender that takes the place of the user's; None if it is not portable."""
    beside = application.parent
    if system == "Darwin":
        beside = application.parents[1] / "Resources"
    if (beside / "portable").is_dir():
        return beside / "portable"
    return beside / version if (beside / version / "config").is_dir() else None


def _usual_folder(machine: Machine) -> Path:
    if machine.system == "Windows":
        roaming = machine.folder("APPDATA", machine.home / "AppData/Roaming")
        return roaming / "Blender Foundation/Blender"
    if machine.system == "Darwin":
        return machine.home / "Library/Application Support/Blender"
    return machine.folder("XDG_CONFIG_HOME", machine.home / ".config") / "blender"


def _user_folders(machine: Machine) -> Iterator[Path]:
    parents = [_usual_folder(machine)]
    if machine.system == "Windows":
        packages = machine.folder("LOCALAPPDATA", machine.home / "AppData/Local") / "Packages"
        store = "BlenderFoundation.Blender*/LocalCache/Roaming/Blender Foundation/Blender"
        parents += sorted(packages.glob(store))
    elif machine.system == "Linux":
        parents.append(machine.home / ".var/app" / _FLATPAK / "config/blender")
        parents.append(machine.home / "snap/blender/current/.config/blender")
    for parent in parents:
        for folder in sorted(parent.glob("*")):
            if _VERSION.fullmatch(folder.name) and folder.is_dir():
                yield folder


def _applications_by_version(machine: Machine) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for application in _applications(machine):
        version = version_of(application)
        if version is not None:
            found.setdefault(version, application)
    return found


def version_of(application: Path) -> str | None:
    """``4.2``, by the folder that every Blender has beside it, or by asking it; None if it does not say."""
    resolved = application.resolve()
    for folder in (resolved.parent, resolved.parents[1] / "Resources"):
        beside = [path.name for path in folder.glob("*.*") if _VERSION.fullmatch(path.name)]
        if len(beside) == 1:
            return beside[0]
    try:
        done = subprocess.run(
            [application, "--version"], capture_output=True, text=True, timeout=_ASK_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    said = re.search(r"Blender (\d+\.\d+)", done.stdout)
    return said.group(1) if said else None


def _applications(machine: Machine) -> Iterator[Path]:
    seen: set[Path] = set()
    for application in _candidates(machine):
        resolved = application.resolve()
        if application.is_file() and resolved not in seen:
            seen.add(resolved)
            yield application


def _candidates(machine: Machine) -> Iterator[Path]:
    on_path = shutil.which("blender", path=machine.variables.get("PATH", ""))
    if on_path:
        yield Path(on_path)
    root, home = machine.root, machine.home
    if machine.system == "Windows":
        programs = machine.folder("ProgramFiles", root / "Program Files")
        yield from _newest(programs, "Blender Foundation/Blender*/blender.exe")
        for steam in (machine.folder("ProgramFiles(x86)", root / "Program Files (x86)"), programs):
            yield steam / "Steam/steamapps/common/Blender/blender.exe"
    elif machine.system == "Darwin":
        inside = "Contents/MacOS/Blender"
        for applications in (root / "Applications", home / "Applications"):
            yield from _newest(applications, f"Blender*.app/{inside}")
            yield from _newest(applications, f"Blender*/Blender.app/{inside}")
        yield (home / "Library/Application Support/Steam/steamapps/common/Blender/Blender.app" / inside)
    else:
        for parent in (root / "opt", root / "usr/local", home, home / "Applications", home / "Downloads"):
            yield from _newest(parent, "[bB]lender*/blender")
        yield root / "snap/bin/blender"
        for library in (".local/share/Steam", ".steam/steam"):
            yield home / library / "steamapps/common/Blender/blender"
        yield root / "var/lib/flatpak/exports/bin" / _FLATPAK
        yield home / ".local/share/flatpak/exports/bin" / _FLATPAK


def _newest(folder: Path, pattern: str) -> Iterator[Path]:
    yield from sorted(folder.glob(pattern), reverse=True)
