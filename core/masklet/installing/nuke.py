"""Puts masklet onto Nuke's path and takes it off again: one folder for all versions of Nuke.

The folder holds what Nuke runs when it starts, and versions of masklet side by side: pure Python of the
standard library, nothing of protobuf or gRPC. A user's ``.nuke/init.py`` gets one marked block that names the
folder; an installation for everybody is a folder that a studio puts on NUKE_PATH, and may be read-only.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import masklet
from masklet.errors import BadInputError, OutputError
from masklet.installing.blender_extension import find_package
from masklet.installing.light_core import light_modules

FOLDER = "masklet"
CURRENT = "current"
HELPER = "helper.json"
_VERSIONS = "versions"
_STARTUP = ("init.py", "menu.py")
_PACKAGES = ("masklet_nuke", "masklet_panel")
_LEFT_OUT = ("__pycache__",)
_SHIM = "Qt"
_BEGIN = "# masklet: begin. Written by 'masklet install nuke'; 'masklet uninstall nuke' takes it out.\n"
_END = "# masklet: end\n"
_BLOCK = f'{_BEGIN}import nuke\n\nnuke.pluginAddPath("./{FOLDER}")\n{_END}'
_OWN_BLOCK = re.compile(re.escape(_BEGIN) + r".*?" + re.escape(_END), re.DOTALL)
_FORBIDDEN = ("grpc", "google", "numpy", "torch")


@dataclass(frozen=True)
class Installed:
    """What lies in a folder for Nuke.

    Attributes:
        folder: Which Nuke has on its path.
        current: The version that starts.
        versions: All that are there.
    """

    folder: Path
    current: str
    versions: tuple[str, ...]


def tree() -> dict[str, bytes]:
    """Everything one version consists of, by path in its folder: the light client, adapter and panel.

    Raises:
        BadInputError: The adapter is not there.
    """
    core = Path(masklet.__file__).parent.parent
    members = {file.relative_to(core).as_posix(): file.read_bytes() for file in light_modules().values()}
    for package in _PACKAGES:
        try:
            source = find_package(package)
        except BadInputError:
            # The panel is a part that may be left out; the adapter is not.
            if package == _PACKAGES[0]:
                raise
            continue
        for file in sorted(source.rglob("*")):
            inside = file.relative_to(source)
            if file.is_file() and not set(_LEFT_OUT) & set(inside.parts):
                members[f"{package}/{inside.as_posix()}"] = file.read_bytes()
    shim = qt_shim()
    if shim is not None:
        members[shim.name] = shim.read_bytes()
    return members


def qt_shim() -> Path | None:
    """Qt.py, through which the panel finds whichever Qt a Nuke has; None where it is not installed here."""
    # Looked up, never imported: it would look for a Qt.
    found = importlib.util.find_spec(_SHIM)
    file = None if found is None or found.origin is None else Path(found.origin)
    return file if file is not None and file.name == f"{_SHIM}.py" else None


def install_into(folder: Path, *, helper: Path | None = None) -> Installed:
    """Put this version into a folder for Nuke, and make it the one that starts.

    Args:
        folder: Which is, or will be, on Nuke's path.
        helper: For an installation for everybody: the Python that carries messages to a server.

    Raises:
        OutputError: The folder cannot be written.
        BadInputError: The adapter is not there.
    """
    members = tree()
    version = masklet.__version__
    try:
        place = folder / _VERSIONS / version
        place.parent.mkdir(parents=True, exist_ok=True)
        # Beside its place, so that the last step is a rename: Nuke never finds half a version.
        fresh = Path(tempfile.mkdtemp(prefix=".masklet-", dir=place.parent))
        try:
            for path, content in members.items():
                target = fresh / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            fresh.chmod(0o755)
            if place.exists():
                shutil.rmtree(place)
            fresh.rename(place)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        for name in _STARTUP:
            _write(folder / name, members[f"masklet_nuke/startup/{name}"].decode("utf-8"))
        if helper is not None:
            _write(folder / HELPER, json.dumps({"python": os.path.abspath(helper)}) + "\n")
        _write(folder / CURRENT, f"{version}\n")
    except OSError as error:
        raise _not_written(folder, error) from error
    found = installed_in(folder)
    assert found is not None
    return found


def add_to_init(user_folder: Path) -> Path:
    """Have a user's own init.py name the folder, once; what else stands in it stays. The file.

    Raises:
        OutputError: It cannot be written.
    """
    file = user_folder / "init.py"
    try:
        before = file.read_text(encoding="utf-8") if file.is_file() else ""
        without = _OWN_BLOCK.sub("", before)
        if without and not without.endswith("\n"):
            without += "\n"
        wanted = without + _BLOCK
        if wanted != before:
            _write(file, wanted)
    except (OSError, UnicodeDecodeError) as error:
        raise _not_written(file, error) from error
    return file


def remove_from_init(user_folder: Path) -> bool:
    """Take the block out again; False where there was none. A file that held nothing else goes.

    Raises:
        OutputError: It cannot be written.
    """
    file = user_folder / "init.py"
    try:
        before = file.read_text(encoding="utf-8") if file.is_file() else ""
        after = _OWN_BLOCK.sub("", before)
        if after == before:
            return False
        if after.strip():
            _write(file, after)
        else:
            file.unlink()
    except (OSError, UnicodeDecodeError) as error:
        raise _not_written(file, error) from error
    return True


def uninstall_from(folder: Path) -> bool:
    """Remove a folder for Nuke with all versions; False where there was none.

    Raises:
        BadInputError: The folder is not masklet's.
        OutputError: It cannot be removed.
    """
    if not folder.is_dir():
        return False
    known = {*_STARTUP, CURRENT, HELPER, _VERSIONS, "__pycache__"}
    foreign = sorted(path.name for path in folder.iterdir() if path.name not in known)
    if foreign or not (folder / CURRENT).is_file():
        raise BadInputError(
            f"{folder} holds what masklet did not write ({', '.join(foreign) or 'no masklet'}): remove it "
            "by hand"
        )
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise _not_written(folder, error) from error
    return True


def installed_in(folder: Path) -> Installed | None:
    """What lies in a folder; None where it is no masklet."""
    with suppress(OSError, UnicodeDecodeError):
        current = (folder / CURRENT).read_text(encoding="utf-8").strip()
        places = [path for path in (folder / _VERSIONS).iterdir() if (path / "masklet_nuke").is_dir()]
        return Installed(folder, current, tuple(sorted(path.name for path in places)))
    return None


def has_panel(folder: Path) -> bool:
    """True where the version that starts brings the panel and what it needs of Qt."""
    found = installed_in(folder)
    place = None if found is None else folder / _VERSIONS / found.current
    return place is not None and (place / _PACKAGES[1]).is_dir() and (place / f"{_SHIM}.py").is_file()


def foreign_packages(folder: Path) -> list[str]:
    """Packages in a folder that must never be on Nuke's path: its own copies of them would clash."""
    return sorted(
        f"{version.name}/{name}"
        for version in (folder / _VERSIONS).glob("*")
        for name in _FORBIDDEN
        if (version / name).exists()
    )


def names_folder(user_folder: Path) -> bool:
    """True where a user's init.py names masklet's folder."""
    with suppress(OSError, UnicodeDecodeError):
        return _BEGIN in (user_folder / "init.py").read_text(encoding="utf-8")
    return False


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(text)
    Path(temporary).chmod(0o644)
    os.replace(temporary, file)


def _not_written(place: Path, error: OSError | UnicodeDecodeError) -> OutputError:
    fault = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
    return OutputError(f"{place} cannot be written ({fault}): check its rights and the space on the disk")
