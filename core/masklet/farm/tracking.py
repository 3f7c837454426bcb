"""The task that tracks a piece: way by way, keeping what is finished every few minutes.

Whoever takes the piece up again locks the masks that are kept on its session. Locked frames are memories like
others (``masklet_server.sessions.plan``), so tracking goes on as if it had made them, and no overlap is
tracked twice.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from masklet.errors import BadInputError
from masklet.farm.chunks import Chunk, keep_chunk, left_of, read_chunks
from masklet.farm.task import StoppedError, check_plate, key_of, plate_session
from masklet.frame_runs import part_in, runs_minus, runs_of
from masklet.types import FrameRange, MaskFormat, PromptDocument

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from masklet.client import Server
    from masklet.farm.pieces import Piece, Way
    from masklet.farm.task import FarmTask, Stop, Teller
    from masklet.session import Session
    from masklet.tracked_object import TrackedObject
    from masklet.types import Direction, LockedMask

FIRST_FRAMES = 4
"""Of a task: after these it knows how fast this machine is."""
MASKS_PER_CALL = 64
"""That are sent to the server together: far below what a message may hold."""
MASKS_PER_CHUNK = 256
"""At most: a session keeps 24 MB of locked masks, and one takes some 20 kB."""
HELD_BYTES = 16 << 20
"""Of masks that are put on a session before it goes on. Of a longer way those next to where it goes on are
put there, and frames before them are tracked again: slower, and the same."""
_PROGRESS_MASKS = MaskFormat(max_side_px=64, bits=True)


def track_piece(task: FarmTask, server: Server, teller: Teller, stop: Stop) -> None:
    """Track what of a piece is not kept yet.

    Raises:
        StoppedError: It was told to end; what was finished is kept.
        MaskletError: The plate is not what it was, or the server cannot do it.
    """
    piece = task.shot.piece(task.piece)
    folder = task.places.chunks(task.shot, key_of(task, server, teller))
    chunks = list(read_chunks(folder, piece))
    width = len(piece.objects)
    total = piece.frames * width
    # Two workers that took up the same piece cut it differently: their chunks overlap.
    kept = (piece.frames - sum(len(run) for way in piece.ways for run in left_of(way.frames, chunks))) * width
    teller.progress(kept, total, "opening the clip", reused=kept)
    if kept >= total:
        return
    check_plate(task)
    document = task.document()
    own = only_objects(document.document, piece.objects)
    with plate_session(task, server, replace(document, document=own)) as session:
        objects = session.load_prompts(own)
        for way in piece.ways:
            for chunk in worth_holding(way, chunks):
                hold(objects, chunk, own)
        run = _Run(task, session, objects, own, document.direction, piece, kept)
        for way in piece.ways:
            for frames in left_of(way.frames, chunks):
                for chunk in run.tracked(replace(way, frames=frames), teller, stop):
                    keep_chunk(folder, piece, chunk)


def worth_holding(way: Way, chunks: Sequence[Chunk]) -> tuple[Chunk, ...]:
    """The chunks of a way that is not finished, as many as a session keeps, from where it goes on.

    A way that is finished needs nothing, and others need nothing of it.
    """
    own = [chunk for chunk in chunks if part_in(chunk.frames, way.frames) is not None]
    if not left_of(way.frames, own):
        return ()
    found: list[Chunk] = []
    size_bytes = 0
    for chunk in sorted(own, key=lambda chunk: chunk.frames.first, reverse=not way.backward):
        size_bytes += sum(len(mask.mask.logits) for masks in chunk.masks.values() for mask in masks)
        if size_bytes > HELD_BYTES and found:
            break
        found.append(chunk)
    return tuple(found)


def only_objects(document: PromptDocument, names: Iterable[str]) -> PromptDocument:
    """The part of a document that is about some objects."""
    wanted = set(names)
    objects = tuple(info for info in document.objects if info.name in wanted)
    ids = {info.object_id for info in objects}
    return PromptDocument(
        objects,
        tuple(item for item in document.prompts if item.object_id in ids),
        tuple(item for item in document.locks if item.object_id in ids),
        tuple(item for item in document.mattes if item.object_id in ids),
        tuple(item for item in document.masks if item.object_id in ids),
        tuple(item for item in document.policies if item.object_id in ids),
    )


def hold(objects: Sequence[TrackedObject], chunk: Chunk, document: PromptDocument) -> None:
    """Put the masks of a chunk on a session and lock them there, but for what the artist has locked."""
    for item in objects:
        for run in free_runs(document, item.name, chunk.frames):
            masks = tuple(mask for mask in chunk.masks[item.name] if mask.frame in run)
            for first in range(0, len(masks), MASKS_PER_CALL):
                some = masks[first : first + MASKS_PER_CALL]
                for part in runs_of(mask.frame for mask in some):
                    inside = tuple(
                        replace(mask, object_id=item.object_id) for mask in some if mask.frame in part
                    )
                    item.lock(first=part.first, last=part.last, masks=inside)


def free_runs(document: PromptDocument, name: str, frames: FrameRange) -> tuple[FrameRange, ...]:
    """Those of some frames that are neither locked by the artist nor prompted: the others make themselves."""
    ids = {info.object_id for info in document.objects if info.name == name}
    locked = [lock.frames for lock in document.locks if lock.object_id in ids]
    said = [FrameRange(item.frame, item.frame) for item in document.prompts if item.object_id in ids]
    return runs_minus((frames,), [*locked, *said])


@dataclass
class _Run:
    """A session at work on a piece."""

    task: FarmTask
    session: Session
    objects: Sequence[TrackedObject]
    document: PromptDocument
    direction: Direction
    piece: Piece
    done: int
    frame_s: float = 0.0

    def tracked(self, way: Way, teller: Teller, stop: Stop) -> Iterator[Chunk]:
        """Track what is left of a way, chunk by chunk in its direction."""
        left = way.frames
        while True:
            length = min(len(left), self._chunk_frames())
            if way.backward:
                part = FrameRange(left.last - length + 1, left.last)
            else:
                part = FrameRange(left.first, left.first + length - 1)
            finished = self._track(part, way, teller, stop)
            if finished is not None:
                yield Chunk(finished, dict(self._masks(finished)))
            if stop.asked:
                raise StoppedError(
                    f"stopped; {self.done} of {self.piece.frames * len(self.piece.objects)} are kept, and "
                    "the next attempt goes on from there"
                )
            if length == len(left):
                return
            left = (
                FrameRange(left.first, part.first - 1)
                if way.backward
                else FrameRange(part.last + 1, left.last)
            )

    def _chunk_frames(self) -> int:
        most = max(1, MASKS_PER_CHUNK // len(self.objects))
        if not self.frame_s:
            return min(most, FIRST_FRAMES)
        return min(most, max(1, round(self.task.job.request.chunk_s / self.frame_s)))

    def _track(self, part: FrameRange, way: Way, teller: Teller, stop: Stop) -> FrameRange | None:
        """The frames of a part that are finished for all objects; None for none."""
        total = self.piece.frames * len(self.piece.objects)
        seen: dict[str, set[int]] = {item.name: set() for item in self.objects}
        started_s = time.monotonic()
        running = self.session.track(
            frames=part,
            direction=self.direction,
            mask_format=_PROGRESS_MASKS,
            at_cuts=self.task.job.request.at_cuts,
            farm=True,
        )
        whole = True
        for update in running:
            if update.frame in part:
                seen[update.object_name].add(update.frame)
            self._tell(teller, seen, total)
            if stop.check():
                whole = False
                running.cancel()
                break
        if stop.check() and whole and running.finished is not None:
            whole = not running.finished.cancelled
        finished = part if whole else _in_one_go(part, seen, backward=way.backward)
        if finished is None:
            return None
        self.frame_s = (time.monotonic() - started_s) / len(finished)
        self.done += len(finished) * len(self.objects)
        teller.progress(self.done, total, f"tracked {finished.shown}")
        return finished

    def _tell(self, teller: Teller, seen: dict[str, set[int]], total: int) -> None:
        now = self.done + sum(len(frames) for frames in seen.values())
        teller.progress(min(now, total), total, "tracking")

    def _masks(self, frames: FrameRange) -> Iterator[tuple[str, tuple[LockedMask, ...]]]:
        """What the session has on some frames, as a document keeps locked frames; it stays unlocked."""
        runs = {item.name: free_runs(self.document, item.name, frames) for item in self.objects}
        for item in self.objects:
            for run in runs[item.name]:
                item.lock(first=run.first, last=run.last)
        held = self.session.prompts().masks
        for item in self.objects:
            for run in runs[item.name]:
                item.unlock(first=run.first, last=run.last)
            own = (mask for mask in held if mask.object_id == item.object_id)
            yield item.name, tuple(mask for mask in own if any(mask.frame in run for run in runs[item.name]))


def _in_one_go(part: FrameRange, seen: dict[str, set[int]], *, backward: bool) -> FrameRange | None:
    """The frames, from where the way begins, that all objects have."""
    order = range(part.last, part.first - 1, -1) if backward else range(part.first, part.last + 1)
    reached = None
    for frame in order:
        if not all(frame in frames for frames in seen.values()):
            break
        reached = frame
    if reached is None:
        return None
    return FrameRange(reached, part.last) if backward else FrameRange(part.first, reached)


def check_complete(pieces: Iterable[Piece], folder: Path) -> tuple[tuple[Piece, tuple[Chunk, ...]], ...]:
    """All chunks of a shot.

    Raises:
        BadInputError: Frames are not tracked yet.
    """
    found = []
    for piece in pieces:
        chunks = read_chunks(folder, piece)
        for way in piece.ways:
            left = left_of(way.frames, chunks)
            if left:
                raise BadInputError(
                    f"{', '.join(piece.objects)} is not tracked on {left[0].shown}: a file of tracked masks "
                    "is gone or was cut off; run masklet farm retry"
                )
        found.append((piece, chunks))
    return tuple(found)
