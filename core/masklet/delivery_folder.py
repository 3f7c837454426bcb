"""A folder that an export writes into: what is there is looked at first, and noted afterwards.

Used by whoever writes the files: the server, the client, or the helper of a host.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from masklet.deliveries import Delivery, Existing, ExportPlan, PastDelivery, PastRun, changes, mixed
from masklet.delivery_note import note_path, read_note, write_note
from masklet.errors import BadInputError, ExistingFilesError, OutputError, PathNotAllowedError
from masklet.frame_runs import runs_of, shown
from masklet.patterns import FramePattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from masklet.holes import Hole
    from masklet.types import FrameRange

_MARKS = (b"masklet/promptsSha256\0string\0", b"tEXtmasklet/promptsSha256\0")
"""In the header of every matte that masklet writes: of an EXR, of a PNG."""
_PASSED_ON = b"nuke/"
"""In the header of a picture that Nuke made of one of ours and gave our attributes."""
_NEAR_BYTES, _HEADER_BYTES = 16 << 10, 1 << 20
_VERSION = re.compile(r"v(\d{3,9})", re.IGNORECASE)


class DeliveryFolder:
    """Looks at what a folder holds, and keeps its note. Methods run in the thread that writes.

    Args:
        folder: It need not exist yet.
        plan: What is to be written.
        existing: What becomes of files that are there.
        allowed: Told the folders that are written to and the files that are read, links followed, whenever
            that is done; where it says no, nothing is touched.

    Raises:
        PathNotAllowedError: A folder is not allowed.
        ExistingFilesError: Files are there that this run may not write over; nothing has changed.
    """

    def __init__(
        self,
        folder: Path,
        plan: ExportPlan,
        existing: Existing,
        *,
        allowed: Callable[[Path], bool] = lambda _: True,
    ) -> None:
        self._folder = folder
        self.allowed = allowed
        self._plan = plan
        self._existing = existing
        self._by_name = {delivery.files: delivery for delivery in plan.deliveries}
        self._patterns = {name: FramePattern.parse(PurePosixPath(name).name) for name in self._by_name}
        self._note = note_path(folder, plan.name)
        self._past = read_note(self._note) if self._is_readable(self._note) else {}
        for item in plan.deliveries:
            self._check(self._path(item.files).parent)
        self._written: dict[str, set[int]] = {}
        self._digests: dict[str, str] = {}
        self._foreign = False
        problems = [problem for item in plan.deliveries if (problem := self._problem(item))]
        if problems:
            told = "; ".join(problems)
            raise ExistingFilesError(f"{told}. {self._ways_out()}", told)

    def about_to_write(self, relative_name: str) -> None:
        """Note, before its first file, that a delivery is being written.

        Raises:
            OutputError: The note cannot be written.
        """
        found = self._delivery_of(relative_name)
        self._check(self._path(relative_name).parent)
        if found is None or found[0].files in self._written:
            return
        delivery = found[0]
        self._written[delivery.files] = set()
        span = (delivery.frames,)
        self._keep({**self._past, delivery.files: self._noted(delivery, span, complete=False)}, {})

    def wrote(self, relative_name: str, sha256: str) -> None:
        """A file is whole and in its place."""
        found = self._delivery_of(relative_name)
        if found is not None:
            delivery, frame = found
            if frame is None:
                self._digests[delivery.files] = sha256
            else:
                self._written[delivery.files].add(frame)

    def finish(self, holes: Sequence[Hole] = (), *, complete: bool = True) -> tuple[str, ...]:
        """Note what was written, and delete what an earlier run left where this one takes its place.

        Args:
            holes: Frames without a matte.
            complete: False where the run broke off: nothing is deleted then.

        Returns:
            Names of deleted files, below the folder.

        Raises:
            OutputError: The note cannot be written.
        """
        removed: list[str] = []
        told = dict(self._past)
        for files, frames in self._written.items():
            delivery = self._by_name[files]
            spans = runs_of(frames) if self._patterns[files] is not None else (delivery.frames,)
            if complete and self._existing is Existing.REPLACE:
                removed += self._clear_away(delivery, frames)
            told[files] = self._noted(delivery, spans, complete=complete)
        if self._written:
            self._keep(told, dict.fromkeys(self._written, tuple(holes)))
        return tuple(removed)

    def _problem(self, delivery: Delivery) -> str:
        past = self._past.get(delivery.files)
        pattern = self._patterns[delivery.files]
        if pattern is None:
            return self._problem_of_file(delivery, past)
        present = self._present(delivery, pattern)
        if not present:
            return ""
        name = _hashes(delivery.files)
        foreign = [frame for frame, path in present.items() if not self._is_ours(path)]
        in_the_way = [
            frame for frame in foreign if self._existing is not Existing.UPDATE or frame in delivery.frames
        ]
        if in_the_way:
            self._foreign = True
            return f"{name} has files that masklet did not write (frames {shown(runs_of(in_the_way))})"
        if self._existing is Existing.REPLACE:
            return ""
        if self._existing is Existing.UPDATE:
            found = mixed(delivery, past, present)
        else:
            found = changes(delivery, self._plan.run, past, present)
        if not found:
            return ""
        frames = shown(runs_of(present))
        return f"{name} is there already, frames {frames}: {', '.join(found)}"

    def _problem_of_file(self, delivery: Delivery, past: PastDelivery | None) -> str:
        path = self._path(delivery.files)
        if not path.exists():
            return ""
        readable = self._is_readable(path)
        if past is None or not past.sha256 or not readable or past.sha256 != _sha256(path):
            self._foreign = True
            return f"{delivery.files} is there already and is not as masklet wrote it"
        if self._existing is not Existing.KEEP:
            return ""
        found = changes(delivery, self._plan.run, past, ())
        return f"{delivery.files} is there already: {', '.join(found)}" if found else ""

    def _ways_out(self) -> str:
        folder, version = self._folder, next_version(self._folder)
        if self._existing is not Existing.KEEP or self._foreign:
            return (
                f"Nothing was written: write into the next version (--version: {version.parent.name}/"
                f"{version.name}), choose another --out or --name, or move those files out of {folder.name}."
            )
        return (
            "Nothing was written: write into the next version "
            f"(--version: {version.parent.name}/{version.name}), choose another --out or --name, merge the "
            "layers (--merge makes the objects that are there again, with these), or replace what is there "
            "(--replace: files of masklet only)."
        )

    def _noted(self, delivery: Delivery, spans: tuple[FrameRange, ...], *, complete: bool) -> PastDelivery:
        run = PastRun(self._plan.run, spans, complete)
        others: list[PastRun] = []
        earlier = self._past.get(delivery.files)
        gone = complete and self._existing is Existing.REPLACE
        if earlier is not None and self._patterns[delivery.files] is not None and not gone:
            taken = _frames_of(spans)
            for one in earlier.runs:
                left = runs_of(_frames_of(one.frames) - taken)
                if left and one.mark == run.mark:
                    run = replace(run, frames=runs_of(_frames_of((*run.frames, *left))))
                elif left:
                    others.append(replace(one, frames=left))
        return PastDelivery(
            delivery.kind,
            delivery.layers,
            delivery.width_px,
            delivery.height_px,
            (*others, run),
            self._digests.get(delivery.files, ""),
        )

    def _clear_away(self, delivery: Delivery, written: set[int]) -> list[str]:
        """Delete what is ours in the sequence and was not written now."""
        pattern = self._patterns[delivery.files]
        if pattern is None:
            return []
        removed = []
        self._check(self._path(delivery.files).parent)
        for frame, path in self._present(delivery, pattern).items():
            if frame not in written and self._is_ours(path):
                with suppress(OSError):
                    path.unlink()
                    removed.append(path.relative_to(self._folder).as_posix())
        return removed

    def _keep(self, told: Mapping[str, PastDelivery], holes: Mapping[str, Sequence[Hole]]) -> None:
        self._check(self._folder)
        try:
            self._folder.mkdir(exist_ok=True)
            write_note(self._note, told, holes)
        except OSError as error:
            raise OutputError(
                f"{self._note.name} cannot be written ({error.strerror}): check that the folder exists, that "
                "you may write there and that the disk has space"
            ) from error

    def _delivery_of(self, relative_name: str) -> tuple[Delivery, int | None] | None:
        name = PurePosixPath(relative_name)
        for files, delivery in self._by_name.items():
            pattern = self._patterns[files]
            if pattern is None:
                if files == relative_name:
                    return delivery, None
            elif PurePosixPath(files).parent == name.parent:
                frame = pattern.frame_of(name.name)
                if frame is not None:
                    return delivery, frame
        return None

    def _present(self, delivery: Delivery, pattern: FramePattern) -> dict[int, Path]:
        folder = self._path(delivery.files).parent
        try:
            names = [entry.name for entry in folder.iterdir()]
        except OSError:
            # Not there yet, or not to be read: writing will say so.
            return {}
        found = {frame: folder / name for name in names if (frame := pattern.frame_of(name)) is not None}
        return dict(sorted(found.items()))

    def _check(self, folder: Path) -> None:
        if not self.allowed(folder.resolve()):
            raise PathNotAllowedError(
                f"{folder.name} is a link out of the folders that may be written to: name the folder itself"
            )

    def _is_readable(self, path: Path) -> bool:
        """False for what would be waited for, such as a pipe, and for links to what is not allowed."""
        return path.is_file() and self.allowed(path.resolve())

    def _is_ours(self, path: Path) -> bool:
        return self._is_readable(path) and _is_ours(path)

    def _path(self, relative_name: str) -> Path:
        return self._folder.joinpath(*checked_relative(relative_name).parts)


def checked_relative(relative_name: str) -> PurePosixPath:
    """A name that stays below the folder it is put to.

    Raises:
        BadInputError: It does not.
    """
    name = PurePosixPath(relative_name)
    if (
        not name.parts
        or name.is_absolute()
        or ".." in name.parts
        or any(mark in relative_name for mark in ("\\", ":", "\0"))
    ):
        raise BadInputError("a file outside the output folder was named: nothing was written there")
    return name


def next_version(folder: Path) -> Path:
    """The folder of the next version: ``v001``, or one more than the highest that is there.

    Versions lie below ``folder``; where this is a version itself (``mattes/v003``), beside it.
    """
    base = folder.parent if _VERSION.fullmatch(folder.name) else folder
    try:
        names = [entry.name for entry in base.iterdir()]
    except OSError:
        names = []
    numbers = [int(match[1]) for name in names if (match := _VERSION.fullmatch(name))]
    return base / f"v{max(numbers, default=0) + 1:03d}"


def make_next_version(folder: Path) -> Path:
    """Make the folder of the next version; two that ask at once get two.

    Raises:
        OutputError: It cannot be made.
    """
    while True:
        version = next_version(folder)
        try:
            if not version.parent.is_dir():
                version.parent.mkdir(parents=True)
            version.mkdir()
        except FileExistsError:
            if version.parent.is_dir():
                continue
            raise OutputError(f"{version.parent} is a file: choose another --out") from None
        except OSError as error:
            raise OutputError(
                f"the folder {version} cannot be made ({error.strerror}): choose another or change its rights"
            ) from error
        return version


def _frames_of(spans: Iterable[FrameRange]) -> set[int]:
    return {frame for span in spans for frame in range(span.first, span.last + 1)}


def _is_ours(path: Path) -> bool:
    """True for a matte whose header says that masklet made it."""
    try:
        with path.open("rb") as file:
            header = file.read(_NEAR_BYTES)
            if not any(mark in header for mark in _MARKS):
                # Many layers, or a long manifest, come before it.
                header += file.read(_HEADER_BYTES - _NEAR_BYTES)
    except OSError:
        return False
    return any(mark in header for mark in _MARKS) and _PASSED_ON not in header


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
    except OSError:
        return ""
    return digest.hexdigest()


def _hashes(files: str) -> str:
    """``shot_mattes.%04d.exr`` as people write it."""
    return re.sub(r"%0?(\d*)d", lambda match: "#" * int(match[1] or "1"), files)
