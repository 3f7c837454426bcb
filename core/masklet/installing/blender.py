"""Puts the extension into a user's Blender and takes it out again.

Where the application is there, Blender does it itself, by its own command, and enables the add-on. Where
only the user's folder is there, the extension is unpacked into it, wheel and all, as Blender would; Blender
unpacks the wheel when the add-on is ticked in its preferences. Nothing is ever installed with pip.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tempfile
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import masklet
from masklet.errors import BadInputError, HelperError, OutputError
from masklet.installing.blender_extension import MANIFEST, REPOSITORY, manifest_value
from masklet.transport.helper_environment import clean_environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from masklet.installing.blender_places import BlenderPlace

_BLENDER_TIMEOUT_S = 180.0
_CHECK_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Done:
    """What was done to one Blender.

    Attributes:
        version: Of Blender.
        folder: Where the add-on is, or was.
        by_blender: True when Blender did it itself, which also enables or disables the add-on.
    """

    version: str
    folder: Path
    by_blender: bool


def choose(places: Sequence[BlenderPlace], version: str | None) -> list[BlenderPlace]:
    """The Blenders to install into: of one version, or all that take extensions.

    Raises:
        BadInputError: There is no such Blender on this machine.
    """
    have = ", ".join(place.version for place in places) or "none"
    if version is not None:
        chosen = [place for place in places if place.version == version]
        if not chosen:
            raise BadInputError(
                f"Blender {version} was not found here (found: {have}): start it once, then run this again"
            )
        if not chosen[0].takes_extensions:
            raise BadInputError(f"masklet needs Blender 4.2 or newer and this is {version}: update Blender")
        return chosen
    chosen = [place for place in places if place.takes_extensions]
    if not chosen:
        raise BadInputError(
            f"no Blender 4.2 or newer was found here (found: {have}): install one and start it once, then "
            "run this again"
        )
    return chosen


def install(place: BlenderPlace, extension: bytes, identifier: str) -> Done:
    """Install the extension, or bring the one that is there up to date.

    Args:
        place: Which Blender.
        extension: The zip of :func:`masklet.installing.blender_extension.make_extension`.
        identifier: The add-on's id in its manifest.

    Raises:
        OutputError: The user's folder cannot be written.
    """
    folder = place.addon_folder(identifier)
    with tempfile.TemporaryDirectory(prefix="masklet-install-") as temporary:
        archive = Path(temporary) / "masklet.zip"
        archive.write_bytes(extension)
        command = ["install-file", "--repo", REPOSITORY, "--enable", str(archive)]
        if _ask_blender(place, command) and _is_current(folder, extension):
            return Done(place.version, folder, by_blender=True)
        try:
            _unpack(archive, folder)
        except OSError as error:
            raise OutputError(
                f"{folder} cannot be written ({error.strerror}): close Blender {place.version}, check the "
                "rights of the folder and the space on the disk"
            ) from error
    return Done(place.version, folder, by_blender=False)


def uninstall(place: BlenderPlace, identifier: str) -> Done | None:
    """Take the extension out; None when it was not there.

    Raises:
        OutputError: The folder cannot be removed.
    """
    folder = place.addon_folder(identifier)
    if not folder.is_dir():
        return None
    by_blender = _ask_blender(place, ["remove", f"{REPOSITORY}.{identifier}"]) and not folder.is_dir()
    try:
        if folder.is_dir():
            shutil.rmtree(folder)
        # Blender takes wheels of removed extensions away only while another extension is enabled.
        for unpacked in place.extensions.glob(".local/lib/python3.*/site-packages/masklet*"):
            if unpacked.name == "masklet" or unpacked.name.endswith(".dist-info"):
                shutil.rmtree(unpacked)
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be removed ({error.strerror}): close Blender {place.version} and run this again"
        ) from error
    return Done(place.version, folder, by_blender)


def installed_version(place: BlenderPlace, identifier: str) -> str | None:
    """The version of the add-on in a Blender; None when it is not there."""
    with suppress(OSError, UnicodeDecodeError):
        manifest = (place.addon_folder(identifier) / MANIFEST).read_text(encoding="utf-8")
        return manifest_value(manifest, "version") or None
    return None


def check_helper(python: Path) -> None:
    """Make sure that a Python can carry the add-on's messages to a server.

    Raises:
        HelperError: It does not start, has no masklet or no gRPC, or another version of masklet.
    """
    code = "import masklet, masklet.transport.grpc; print(masklet.__version__)"
    try:
        done = subprocess.run(
            [python, "-I", "-c", code],
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_CHECK_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HelperError(f"{python} cannot be started ({error}): name another with --python") from error
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise HelperError(
            f"{python} cannot be masklet's helper ({reason}): pip install 'masklet[server]' there, or name "
            "another Python with --python"
        )
    version = done.stdout.strip()
    if version != masklet.__version__:
        raise HelperError(
            f"{python} has masklet {version} and the add-on is of {masklet.__version__}: install the same "
            "version there"
        )


def _ask_blender(place: BlenderPlace, words: list[str]) -> bool:
    """Run one of Blender's own extension commands; False when there is no Blender or it failed."""
    if place.application is None:
        return False
    try:
        done = subprocess.run(
            [place.application, "--command", "extension", *words],
            # Its own variables say where the user's folder is; Python's would reach into its interpreter.
            env={name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_BLENDER_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _is_current(folder: Path, extension: bytes) -> bool:
    """Whether the folder holds this extension: Blender's command succeeds even if it did nothing."""
    with zipfile.ZipFile(io.BytesIO(extension)) as opened:
        wanted = opened.read(MANIFEST)
    manifest = folder / MANIFEST
    return manifest.is_file() and manifest.read_bytes() == wanted


def _unpack(archive: Path, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place, so that the last step is a rename: Blender never finds half an add-on.
    fresh = Path(tempfile.mkdtemp(prefix=".masklet-", dir=folder.parent))
    try:
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(fresh)
        fresh.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
