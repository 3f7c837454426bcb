"""What every task of a job has: its shot, its places, its server, and the word when it has to end."""

from __future__ import annotations

import json
import signal
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from masklet.clip_files import find_clip
from masklet.conversion import check_fits
from masklet.errors import BadInputError, ClipError, MaskletError, OutputError
from masklet.farm.job import read_document, read_job
from masklet.farm.model_mark import check_same, mark_of
from masklet.farm.places import JobPlaces, result_key
from masklet.farm.plate_prints import check_same_plate, plate_prints
from masklet.farm.task_states import TaskPhase, TaskState, keep_state, read_state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from masklet.client import Server
    from masklet.farm.job import FarmJob, FarmShot
    from masklet.prompts import Shot
    from masklet.session import Session

_TELL_S = 2.0


class StoppedError(MaskletError):
    """The task was told to end; what it finished is kept."""

    kind = "stopped"


@dataclass(frozen=True)
class FarmTask:
    """One task.

    Attributes:
        job: The job, with places as this machine has them.
        shot: The same of its plate and its artist's document.
        places: Where things lie.
        stage: What is done.
        piece: Its number, for tracking; else 0.
        bundle: Where the job lies.
    """

    job: FarmJob
    shot: FarmShot
    places: JobPlaces
    stage: str
    piece: int
    bundle: Path

    def document(self) -> Shot:
        """The prompts as they were submitted, naming the plate as this machine has it."""
        return replace(read_document(self.bundle, self.shot), clip=self.shot.clip, frames=self.shot.frames)


def find_task(
    bundle: Path, out: Path, shot: str, stage: str, piece: int = 0, *, mapping: Path | None = None
) -> FarmTask:
    """The task of these names.

    Args:
        bundle: The folder of the job.
        out: Where everything goes.
        shot: Of the job.
        stage: Of the shot.
        piece: Of its tracking.
        mapping: OpenJD's rules from paths of the submitter's machine to paths of this one.

    Raises:
        BadInputError: The job has no such shot or piece.
    """
    job = read_job(bundle)
    found = job.shot(shot)
    if piece:
        found.piece(piece)
    # All that names a place names one of the submitter's machine.
    request = job.request
    request = replace(
        request,
        template=mapped(request.template, mapping),
        weights=request.weights and mapped(request.weights, mapping),
    )
    own = replace(found, clip=mapped(found.clip, mapping), home=mapped(found.home, mapping))
    return FarmTask(replace(job, request=request), own, JobPlaces(out), stage, piece, bundle)


def mapped(path: str, mapping: Path | None) -> str:
    """A path of the submitter's machine as this machine has it.

    Raises:
        BadInputError: The rules cannot be read.
    """
    if mapping is None or not mapping.is_file():
        return path
    try:
        rules = json.loads(mapping.read_text(encoding="utf-8")).get("path_mapping_rules", [])
        for rule in rules:
            kind = PureWindowsPath if rule["source_path_format"] == "WINDOWS" else PurePosixPath
            source, own = kind(rule["source_path"]), kind(path)
            if own == source or source in own.parents:
                return str(Path(rule["destination_path"]).joinpath(*own.relative_to(source).parts))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInputError(f"the engine's rules for paths cannot be read ({error})") from error
    return path


@dataclass
class Stop:
    """Whether the task has to end.

    Attributes:
        asked: It has.
    """

    places: JobPlaces
    asked: bool = False

    def check(self) -> bool:
        """True once a signal came, or somebody cancelled the job."""
        if not self.asked and self.places.cancelled.exists():
            self.asked = True
        return self.asked

    @contextmanager
    def listening(self) -> Iterator[Stop]:
        """Take signals that end a process as the word to finish, for the length of a ``with``."""

        def take(number: int, frame: FrameType | None) -> None:
            del number, frame
            self.asked = True

        names = [name for name in ("SIGTERM", "SIGINT", "SIGBREAK") if hasattr(signal, name)]
        before = {name: signal.signal(getattr(signal, name), take) for name in names}
        try:
            yield self
        finally:
            for name, handler in before.items():
                signal.signal(getattr(signal, name), handler)


class Teller:
    """Tells how a task comes along: in its state, and to the engine by OpenJD's words on standard output.

    Args:
        task: Which.
    """

    def __init__(self, task: FarmTask) -> None:
        self._folder = task.places.states
        before = read_state(self._folder, task.shot.name, task.stage, task.piece)
        self._started_s = time.monotonic()
        self._told_s = -_TELL_S
        self.state = replace(
            TaskState(task.shot.name, task.stage, task.piece),
            phase=TaskPhase.RUNNING,
            attempt=before.attempt + 1,
            beat=before.beat,
        )
        self._keep()

    def progress(self, done: int, total: int, words: str = "", *, reused: int | None = None) -> None:
        """So much of so much is done; told at most every other second."""
        self.state = replace(self.state, done=done, total=total, words=words or self.state.words)
        if reused is not None:
            self.state = replace(self.state, reused=reused)
        if time.monotonic() - self._told_s >= _TELL_S or done == total:
            self._keep()
            if total:
                _say(f"openjd_progress: {100 * done / total:.1f}")

    def say(self, sentence: str) -> None:
        """A line for the log, and for whoever watches."""
        self.state = replace(self.state, words=sentence)
        _say(f"openjd_status: {sentence}")

    def writing(self, done: int, total: int) -> None:
        """As an export tells."""
        self.progress(done, total, "writing")

    def looking(self, name: str, done: int, total: int) -> None:
        """As an export tells."""
        if time.monotonic() - self._told_s >= _TELL_S:
            self.state = replace(self.state, words=f"second look at {name}, frame {done} of {total}")
            self._keep()

    def end(self, phase: TaskPhase, words: str = "", *, is_lost: bool = False) -> None:
        """The task is over. The engine hears why it failed also where the share takes no word of it.

        Args:
            phase: How it ended.
            words: Why.
            is_lost: Because its server went away.

        Raises:
            OutputError: It is done, and cannot say so.
        """
        self.state = replace(self.state, phase=phase, words=words, is_lost=is_lost)
        if phase is not TaskPhase.DONE:
            tell_failure(words)
        try:
            self._keep()
        except OutputError as error:
            if phase is TaskPhase.DONE:
                tell_failure(str(error))
                raise

    def _keep(self) -> None:
        self._told_s = time.monotonic()
        now = read_state(self._folder, self.state.shot, self.state.stage, self.state.piece)
        if now.attempt > self.state.attempt or (
            now.attempt == self.state.attempt and now.phase is TaskPhase.DONE
        ):
            # This machine was given up and another one is at it, or was as quick: what that tells counts.
            return
        seconds = round(time.monotonic() - self._started_s, 2)
        self.state = keep_state(self._folder, replace(self.state, seconds=seconds))


def key_of(task: FarmTask, server: Server, teller: Teller) -> str:
    """Names what is made of the shot.

    Raises:
        WeightsError: The server has other weights or settings than the job was begun with.
        OutputError: The share takes no word of them.
    """
    return result_key(task.job, task.shot, check_same(task.places.weights, mark_of(server), teller.say))


def check_plate(task: FarmTask) -> None:
    """See that the plate is there, and is what it was when the job was submitted.

    Raises:
        ClipError: It is not; the message says what to do.
    """
    shot = task.shot
    first_frame = task.document().reading.first_frame
    try:
        files = find_clip(Path(shot.clip), first_frame=first_frame)
    except ClipError as error:
        raise ClipError(
            f"this worker does not find the plate {shot.clip}, which was there when the job was submitted "
            f"({error}): see that it sees that disk, then run masklet farm retry"
        ) from error
    now = plate_prints(files)
    check_same_plate(Path(shot.clip).name, shot.plate, now)


@contextmanager
def plate_session(task: FarmTask, server: Server, document: Shot) -> Iterator[Session]:
    """A session on the task's plate with nothing said yet.

    Raises:
        MaskletError: The clip cannot be opened, or the prompts do not fit it.
    """
    reading = document.reading
    said = [item.frame for item in document.document.prompts]
    frames = task.shot.frames
    used = replace(frames, first=min(frames.first, *said), last=max(frames.last, *said))
    with server.open(
        task.shot.clip,
        colour_space=reading.colour_space,
        first_frame=reading.first_frame,
        frame_rate=reading.frame_rate,
        layer=reading.layer,
        view=reading.view,
        overscan=reading.overscan,
        frames=used,
    ) as session:
        check_fits(document, session.clip)
        yield session


def tell_failure(words: str) -> None:
    """Tell the engine, in OpenJD's word, why a task failed."""
    _say(f"openjd_fail: {words}")


def _say(line: str) -> None:
    import sys

    with suppress(OSError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
