"""Where weights lie: the user's folder, and the model that comes with the package.

Nothing here needs torch, so that a server can list its models cheaply. Beside each file of
the folder lies ``NAME.json`` with its licence, size, digest and origin.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any, Final

import platformdirs

from masklet.errors import WeightsError
from masklet.types import ModelInfo
from masklet_server.model.header import metadata_of

FOLDER_SETTING: Final = "MASKLET_WEIGHTS"
"""Environment variable that names another folder."""

UNKNOWN_LICENCE: Final = "unknown"

_SUFFIXES = (".safetensors", ".pt")
_PACKAGED_FOLDER = Path(__file__).parent.parent / "weights"
_READ_BYTES = 1 << 20
_RECORD_LIMIT_BYTES = 1 << 20


def weights_folder(folder: Path | None = None) -> Path:
    """The folder for weights: the one given, else the setting's, else the user's own."""
    if folder is not None:
        return folder
    setting = os.environ.get(FOLDER_SETTING)
    return Path(setting) if setting else platformdirs.user_data_path("masklet") / "weights"


def find_weights(name_or_path: str | Path, folder: Path | None = None) -> Path:
    """The file that a name stands for, or the file itself if a path was given.

    Raises:
        WeightsError: There is no such file.
    """
    path = Path(name_or_path)
    if path.suffix in _SUFFIXES and path.is_file():
        return path
    if path.name == str(name_or_path):
        for place in (weights_folder(folder), _PACKAGED_FOLDER):
            for suffix in _SUFFIXES:
                candidate = place / f"{path.name}{suffix}"
                if candidate.is_file():
                    return candidate
    raise WeightsError(
        f"there are no weights called {path.name}: masklet-server weights list shows those that are there, "
        "and weights pull fetches official ones"
    )


def list_weights(folder: Path | None = None) -> tuple[ModelInfo, ...]:
    """All weights that a name finds, those of the user's folder first."""
    found: dict[str, ModelInfo] = {}
    for place in (weights_folder(folder), _PACKAGED_FOLDER):
        # Of two files with one name, the one that is found is the one that counts.
        for suffix in _SUFFIXES:
            for path in sorted(place.glob(f"*{suffix}")):
                if path.stem not in found and not path.name.startswith("."):
                    found[path.stem] = describe_weights(path)
    return tuple(found.values())


def describe_weights(path: Path) -> ModelInfo:
    """Name, licence, size and SHA-256 of a file; the digest is computed if none is on record.

    Raises:
        WeightsError: The file cannot be read.
    """
    record = _read_record(path)
    try:
        size_bytes = path.stat().st_size
        known = record.get("size_bytes") == size_bytes and isinstance(record.get("sha256"), str)
        sha256 = record["sha256"] if known else digest_of(path)
    except OSError as error:
        raise WeightsError(f"{path.name} cannot be read: check its permissions") from error
    noted = record.get("licence")
    licence = (noted if isinstance(noted, str) else "") or metadata_of(path).get("licence") or UNKNOWN_LICENCE
    info = ModelInfo(path.stem, str(licence), size_bytes, sha256)
    if not known and path.parent != _PACKAGED_FOLDER:
        # Only a saving: a folder that cannot be written is listed all the same.
        with contextlib.suppress(OSError):
            write_record(path, info, origin=str(record.get("origin", "")))
    return info


def add_weights(
    source: Path, *, name: str | None = None, licence: str | None = None, folder: Path | None = None
) -> ModelInfo:
    """Copy a file into the folder, whole or not at all, and record what it is.

    Whether it holds weights of this family is for the caller to check first.

    Args:
        source: A ``.pt`` or ``.safetensors`` file.
        name: What it shall be called; its own name by default.
        licence: None takes what the file's header says.
        folder: See :func:`weights_folder`.

    Raises:
        WeightsError: The file or the folder cannot be used.
    """
    if source.suffix not in _SUFFIXES:
        raise WeightsError(f"{source.name} is neither .pt nor .safetensors: choose a file with weights")
    name = name or source.stem
    if not name or name.startswith(".") or Path(name).name != name:
        raise WeightsError(f"weights cannot be called {name!r}: choose a name without slashes")
    place = weights_folder(folder)
    target = place / f"{name}{source.suffix}"
    temporary = place / f".{target.name}.{os.getpid()}.part"
    try:
        place.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, temporary)
        temporary.replace(target)
        info = ModelInfo(
            name,
            licence or metadata_of(target).get("licence") or UNKNOWN_LICENCE,
            target.stat().st_size,
            digest_of(target),
        )
        write_record(target, info, origin=source.name)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise WeightsError(
            f"{source.name} cannot be copied into the weights folder: check that both can be reached and "
            "that the disk has room"
        ) from error
    return info


def verify_weights(name: str, folder: Path | None = None) -> ModelInfo:
    """What the record says of a file, after its bytes were found to be the recorded ones.

    Raises:
        WeightsError: There is no such file, or its bytes are not what they were.
    """
    path = find_weights(name, folder)
    recorded = _read_record(path).get("sha256")
    try:
        actual = digest_of(path)
    except OSError as error:
        raise WeightsError(f"{path.name} cannot be read: check its permissions") from error
    if recorded is not None and recorded != actual:
        raise WeightsError(
            f"{path.name} is not what was stored: its SHA-256 is {actual}, the record says {recorded}. "
            "Add or pull it again."
        )
    return describe_weights(path)


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


def write_record(path: Path, info: ModelInfo, *, origin: str) -> None:
    """Put down beside a file what is known of it."""
    record = {"licence": info.licence, "size_bytes": info.size_bytes, "sha256": info.sha256, "origin": origin}
    target = _record_path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    temporary.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    temporary.replace(target)


def _record_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _read_record(path: Path) -> dict[str, Any]:
    try:
        with _record_path(path).open("rb") as file:
            record = json.loads(file.read(_RECORD_LIMIT_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}
