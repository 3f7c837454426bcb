"""Files of a version, put into its folder: all of them, or no folder at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.errors import OutputError
from masklet.prompts import write_shot
from masklet.publish.acceptance import who
from masklet.publish.integrating import Published
from masklet.publish.manifest import Manifest, PublishedPart, manifest_name, write_manifest
from masklet.publish.rewriting import is_text, with_folder
from masklet.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from masklet.publish.collected import Collected, Part
    from masklet.publish.integrating import Integrator, Place

_TRIES = 20
"""How often somebody else may take the place that was next."""
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True)
class _Extraction:
    """How files are put."""

    link: bool
    on_progress: Callable[[int, int], None] | None


def extract(
    collected: Collected,
    integrator: Integrator,
    *,
    comment: str = "",
    link: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> Published:
    """Put everything into the folder of the next version.

    Files grow in a hidden folder beside it, which gets the version's name when all are there. Of two that
    publish at once each gets a version of its own.

    Args:
        collected: What was collected; it is published as it is, so validate it first.
        integrator: Says where to.
        comment: For the manifest.
        link: Hard links in place of copies, where the disk can; a copy where it cannot.
        on_progress: Told the files done and the files in all.

    Raises:
        OutputError: The folder cannot be written, or a file changed while it was read; nothing is there then.
        MaskletError: The integrator has no place.
    """
    how = _Extraction(link, on_progress)
    for _ in range(_TRIES):
        place = integrator.next_place(collected)
        staging = place.folder.with_name(f".{place.folder.name}.{uuid.uuid4().hex}")
        try:
            place.folder.parent.mkdir(parents=True, exist_ok=True)
            staging.mkdir()
            manifest = _fill(staging, collected, place, comment, how)
            if _take_name(staging, place.folder):
                return Published(place.folder, manifest)
        except OSError as error:
            raise OutputError(
                f"the version {place.folder} cannot be written ({error.strerror}): check that you may write "
                "there and that the disk has space; nothing was published"
            ) from error
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    raise OutputError(
        f"somebody else took the version that was next, {_TRIES} times: publish again; nothing was published"
    )


def withdraw(published: Published) -> None:
    """Take a version away again that was not registered.

    Raises:
        OutputError: Its files cannot be deleted.
    """
    # First its name, so that nobody finds half a version.
    hidden = published.folder.with_name(f".{published.folder.name}.{uuid.uuid4().hex}")
    try:
        published.folder.rename(hidden)
        shutil.rmtree(hidden)
    except OSError as error:
        raise OutputError(
            f"{published.folder} cannot be taken away again ({error.strerror}): delete it yourself"
        ) from error


def _fill(staging: Path, collected: Collected, place: Place, comment: str, how: _Extraction) -> Manifest:
    total = sum(len(part.paths) for part in collected.parts)
    done = 0
    parts: list[PublishedPart] = []
    for part in collected.parts:
        if not part.paths:
            continue
        digests: dict[str, str] = {}
        size_bytes = 0
        for path in part.paths.values():
            name = path.relative_to(collected.folder).as_posix()
            target = staging / name
            target.parent.mkdir(parents=True, exist_ok=True)
            digests[name] = _put(path, target, part, collected.folder, place.folder, link=how.link)
            size_bytes += target.stat().st_size
            done += 1
            if how.on_progress is not None:
                how.on_progress(done, total)
        parts.append(
            PublishedPart(
                part.files, part.role.value, part.kind, part.layers, part.frames, digests, size_bytes
            )
        )
    prompts = staging / f"{collected.name}.prompts.json"
    write_shot(prompts, collected.record.shot)
    data = prompts.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    parts.append(PublishedPart(prompts.name, "prompts", "prompts", (), (), {prompts.name: digest}, len(data)))
    digest = collected.record.run.prompts_sha256
    manifest = Manifest(
        collected.name,
        place.version,
        datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        who(),
        VERSION,
        comment,
        tuple(parts),
        tuple(one for one in collected.accepted if one.prompts_sha256 == digest),
        collected.record,
    )
    write_manifest(staging / manifest_name(collected.name), manifest)
    return manifest


def _put(source: Path, target: Path, part: Part, before: Path, after: Path, *, link: bool) -> str:
    """Put one file; its digest as it lies there."""
    if is_text(part.kind):
        return _put_text(source, target, before, after)
    if link:
        with suppress(OSError):
            os.link(source, target)
            return _digest(source)
    digest = hashlib.sha256()
    with source.open("rb") as file, target.open("xb") as written:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
            written.write(piece)
        written.flush()
        os.fsync(written.fileno())
    shutil.copystat(source, target)
    return digest.hexdigest()


def _put_text(source: Path, target: Path, before: Path, after: Path) -> str:
    """Text that names files of its folder: in the version it names the version's."""
    data = source.read_bytes()
    with suppress(UnicodeDecodeError):
        data = with_folder(data.decode("utf-8"), before, after).encode("utf-8")
    target.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _take_name(staging: Path, folder: Path) -> bool:
    """Give the folder its name; False where somebody else has taken it."""
    try:
        # Exclusive: a renaming would take the place of an empty folder.
        folder.mkdir()
    except FileExistsError:
        return False
    try:
        if os.name == "nt":
            folder.rmdir()
        staging.rename(folder)
    except OSError:
        with suppress(OSError):
            folder.rmdir()
        raise
    return True
