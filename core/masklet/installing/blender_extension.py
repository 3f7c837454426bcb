"""The extension for Blender 4.2 and newer, as the zip that Blender installs."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import masklet
from masklet.errors import BadInputError
from masklet.installing.light_core import archive, make_wheel

MANIFEST = "blender_manifest.toml"
REPOSITORY = "user_default"
_PACKAGE = "masklet_blender"
_LEFT_OUT = ("__pycache__", "typings")


def extension_name() -> str:
    """The file name of the zip."""
    return f"masklet-blender-{masklet.__version__}.zip"


def make_extension(source: Path | None = None) -> bytes:
    """The zip: manifest and add-on at its top, the light client as a wheel beside them.

    The same sources give the same bytes.

    Args:
        source: The add-on's folder; None finds the one installed with masklet.

    Raises:
        BadInputError: The add-on is not there, or its manifest is of another version.
    """
    source = source or find_addon()
    wheel_name, wheel = make_wheel()
    members = {
        file.relative_to(source).as_posix(): file.read_bytes()
        for file in sorted(source.rglob("*"))
        if file.is_file() and not set(_LEFT_OUT) & set(file.relative_to(source).parts)
    }
    manifest = members.get(MANIFEST, b"").decode("utf-8")
    if manifest_value(manifest, "version") != masklet.__version__:
        raise BadInputError(
            f"the Blender add-on's manifest is not of version {masklet.__version__}: install masklet again"
        )
    members[MANIFEST] = _with_wheel(manifest, f"./wheels/{wheel_name}").encode("utf-8")
    members[f"wheels/{wheel_name}"] = wheel
    return archive(members)


def find_addon() -> Path:
    """The folder of the add-on that was installed together with masklet.

    Raises:
        BadInputError: There is none.
    """
    return find_package(_PACKAGE)


def find_package(name: str) -> Path:
    """The folder of an adapter that was installed together with masklet.

    Raises:
        BadInputError: There is none.
    """
    # Looked up, never imported: adapters run in their hosts only.
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise BadInputError(f"{name} is not installed beside masklet: install masklet again")
    return Path(found.submodule_search_locations[0])


def extension_id(source: Path | None = None) -> str:
    """The add-on's identifier in Blender, and the name of its folder there."""
    manifest = ((source or find_addon()) / MANIFEST).read_text(encoding="utf-8")
    return manifest_value(manifest, "id")


def manifest_value(manifest: str, key: str) -> str:
    """A text of the manifest's top level; empty if it is not there."""
    # Python 3.10 has no reader of TOML, and the manifest is ours.
    found = re.search(rf'^{key}\s*=\s*"([^"]*)"', manifest, re.MULTILINE)
    return found.group(1) if found else ""


def _with_wheel(manifest: str, path: str) -> str:
    """The manifest with the wheel listed, above the first table."""
    without = re.sub(r"^wheels\s*=\s*\[[^\]]*\]\n?", "", manifest, flags=re.MULTILINE)
    top, bracket, tables = without.partition("\n[")
    return f'{top.rstrip()}\n\nwheels = ["{path}"]\n{bracket}{tables}'
