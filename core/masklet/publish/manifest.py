"""The manifest of a published version, ``NAME.version.json``: what is in it, and all to make it again.

``manifest.schema.json`` beside this module is its schema (JSON Schema, draft 2020-12).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masklet.errors import BadInputError
from masklet.publish.acceptance import Acceptance, acceptances_from_json, acceptances_to_json
from masklet.publish.shot_record import (
    ShotRecord,
    read_json,
    record_from_json,
    record_to_json,
    write_whole,
)
from masklet.types import FrameRange

if TYPE_CHECKING:
    from collections.abc import Mapping

SUFFIX = ".version.json"
SCHEMA = Path(__file__).with_name("manifest.schema.json")
VERSION = 1
_KEY = "masklet_version"


@dataclass(frozen=True)
class PublishedPart:
    """One sequence or file of a version.

    Attributes:
        files: Below the version's folder: a name, or a pattern with ``%04d``.
        role: A word of :class:`masklet.publish.collected.Role`, or ``prompts``.
        kind: As the note has it.
        layers: As the note has them.
        frames: Those that have a file; none for a single file.
        sha256: Of each file, by its name below the folder.
        size_bytes: Of all of them.
    """

    files: str
    role: str
    kind: str
    layers: tuple[str, ...]
    frames: tuple[FrameRange, ...]
    sha256: Mapping[str, str]
    size_bytes: int


@dataclass(frozen=True)
class Manifest:
    """A version as it was published.

    Attributes:
        name: Of the shot.
        version: Counts from 1.
        published_at: Date and time in UTC, ISO 8601.
        published_by: The user.
        masklet: Version of the program.
        comment: Of the artist.
        parts: What is in it.
        accepted: Findings that the artist accepted.
        record: Of the run: with the plate, all that the mattes depend on.
    """

    name: str
    version: int
    published_at: str
    published_by: str
    masklet: str
    comment: str
    parts: tuple[PublishedPart, ...]
    accepted: tuple[Acceptance, ...]
    record: ShotRecord


def manifest_name(name: str) -> str:
    """The manifest's file in the folder of a version."""
    return f"{name}{SUFFIX}"


def manifest_to_json(manifest: Manifest) -> dict[str, Any]:
    """As JSON can hold it."""
    return {
        _KEY: VERSION,
        "name": manifest.name,
        "version": manifest.version,
        "published_at": manifest.published_at,
        "published_by": manifest.published_by,
        "masklet": manifest.masklet,
        "comment": manifest.comment,
        "parts": [
            {
                "files": part.files,
                "role": part.role,
                "kind": part.kind,
                "layers": list(part.layers),
                "frames": [[span.first, span.last] for span in part.frames],
                "sha256": dict(part.sha256),
                "size_bytes": part.size_bytes,
            }
            for part in manifest.parts
        ],
        "accepted": acceptances_to_json(manifest.accepted),
        "record": record_to_json(manifest.record),
    }


def manifest_from_json(content: Any) -> Manifest:
    """The manifest in parsed JSON.

    Raises:
        BadInputError: It is none, of a later version, or damaged.
    """
    if not isinstance(content, dict) or not isinstance(content.get(_KEY), int):
        raise BadInputError(f"this is no manifest of a version: name the {SUFFIX} file of one")
    if content[_KEY] > VERSION:
        raise BadInputError(
            f"the manifest has version {content[_KEY]} and this masklet knows {VERSION}: update it"
        )
    try:
        return Manifest(
            str(content["name"]),
            int(content["version"]),
            str(content["published_at"]),
            str(content["published_by"]),
            str(content["masklet"]),
            str(content["comment"]),
            tuple(
                PublishedPart(
                    str(part["files"]),
                    str(part["role"]),
                    str(part["kind"]),
                    tuple(map(str, part["layers"])),
                    tuple(FrameRange(int(first), int(last)) for first, last in part["frames"]),
                    {str(file): str(digest) for file, digest in part["sha256"].items()},
                    int(part["size_bytes"]),
                )
                for part in content["parts"]
            ),
            acceptances_from_json(content["accepted"]),
            record_from_json(content["record"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInputError(f"the manifest cannot be understood ({error}): publish again") from error


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write it, whole or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    write_whole(path, (json.dumps(manifest_to_json(manifest), indent=1, ensure_ascii=False) + "\n").encode())


def read_manifest(path: Path) -> Manifest:
    """The manifest in a file, or in the folder of a version.

    Raises:
        BadInputError: There is none, or it cannot be understood.
    """
    if path.is_dir():
        found = sorted(path.glob(f"*{SUFFIX}"))
        if len(found) != 1:
            raise BadInputError(f"{path.name} holds {len(found)} manifests (*{SUFFIX}): name the file of one")
        path = found[0]
    return manifest_from_json(read_json(path, "the manifest"))
