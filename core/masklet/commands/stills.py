"""``masklet roto FOLDER --stills``: pictures that have nothing to do with each other, several at a time."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from masklet.clip_files import PICTURE_SUFFIXES
from masklet.commands.exits import ExitCode
from masklet.commands.summary import print_json
from masklet.doubtful_clicks import advice_on
from masklet.errors import BadInputError, BusyError, ClipError, MaskletError
from masklet.everything import make_objects
from masklet.found_things import MASKS, apart
from masklet.matte_files import prepared_folder
from masklet.types import FrameRange, MaskFormat, ObjectInfo, PromptDocument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from masklet.client import Server
    from masklet.clip_reading import ClipReading
    from masklet.commands.progress import Progress
    from masklet.deliveries import Existing
    from masklet.events import MatteFormat
    from masklet.session import Session

AT_ONCE = 4
"""While one picture is read or written, the device works on another."""
_SMALL = MaskFormat(max_side_px=64, bits=True)
_BUSY_PAUSE_S = 2.0
_BUSY_TRIES = 300


@dataclass(frozen=True)
class Still:
    """One picture.

    Attributes:
        file: Of it.
        number: From 1, in the order of names: the frame of its prompts in the document.
        folder: Of its mattes.
    """

    file: Path
    number: int
    folder: str


@dataclass(frozen=True)
class StillDone:
    """What became of a picture.

    Attributes:
        still: Which.
        objects: How many have a matte.
        error: Why there is none; empty for none.
        notices: What was assumed of the picture, and clicks whose masks may be poor.
    """

    still: Still
    objects: int = 0
    error: str = ""
    notices: tuple[str, ...] = ()


def check_still_words(values: Mapping[str, object]) -> None:
    """See that nothing was asked for that stills do not have.

    Args:
        values: Of options that are about clips; nothing of one that was left out.

    Raises:
        BadInputError: Something was.
    """
    given = [option for option, value in values.items() if value]
    if given:
        raise BadInputError(f"--stills writes mattes of single pictures: leave {', '.join(given)} away")


def stills_in(folder: Path) -> tuple[Still, ...]:
    """The pictures of a folder by name; two of one stem keep their suffix.

    Raises:
        ClipError: It is no folder, or has no pictures.
    """
    if not folder.is_dir():
        raise ClipError(f"{folder} is no folder: --stills takes a folder of pictures")
    files = sorted(each for each in folder.iterdir() if each.suffix.lower() in PICTURE_SUFFIXES)
    files = [each for each in files if not each.name.startswith(".")]
    if not files:
        raise ClipError(f"the folder {folder.name} holds no pictures: check the path")
    stems = Counter(each.stem for each in files)
    return tuple(
        Still(each, number, each.stem if stems[each.stem] == 1 else each.name.replace(".", "_"))
        for number, each in enumerate(files, start=1)
    )


def roto_stills(
    server: Server,
    stills: tuple[Still, ...],
    document: PromptDocument,
    out: Path,
    *,
    reading: ClipReading,
    matte_format: MatteFormat,
    raw_edges: bool,
    existing: Existing,
    progress: Progress,
) -> tuple[StillDone, ...]:
    """Mattes of every picture, each in a folder of its own; those without prompts are found everything in.

    A picture that cannot be used is told and leaves the others alone. A server that is full, or lets a user
    open so many clips a minute, is waited for. An interruption lets those end that are at work.

    Args:
        server: Where.
        stills: The pictures.
        document: Frame N is the N-th picture; where it says nothing at all, things are found in all of them.
        out: The folders of the pictures go here.
        reading: How all of them are read.
        matte_format: Of the mattes.
        raw_edges: Edges as the network gave them.
        existing: What becomes of files that are there.
        progress: Told each picture.

    Raises:
        BadInputError: The document speaks of more pictures than there are.
    """
    beyond = [each.frame for each in document.prompts if not 1 <= each.frame <= len(stills)]
    if beyond:
        raise BadInputError(f"there is no picture {beyond[0]}: there are {len(stills)}, and 1 is the first")
    chosen = {each.frame for each in document.prompts}
    wanted = [still for still in stills if not chosen or still.number in chosen]
    ended = threading.Event()

    def make(still: Still) -> StillDone:
        with _opened(server, still, reading, progress) as session:
            return _one(session, still, document, out / still.folder, matte_format, existing, raw=raw_edges)

    def work(still: Still) -> StillDone:
        try:
            return _once_there_is_room(partial(make, still), ended)
        except MaskletError as error:
            return StillDone(still, error=str(error))

    done = []
    threads = ThreadPoolExecutor(AT_ONCE)
    try:
        for each in threads.map(work, wanted):
            done.append(each)
            words = each.error or f"{each.objects} object{'' if each.objects == 1 else 's'}"
            for line in (words, *each.notices):
                progress.say(f"{each.still.file.name} ({each.still.number}): {line}")
    finally:
        ended.set()
        threads.shutdown(cancel_futures=True)
    return tuple(done)


def tell_stills(done: tuple[StillDone, ...], *, as_json: bool) -> None:
    """Print what became of the pictures for scripts, and end with 1 where one of them failed."""
    if as_json:
        print_json(
            {
                "stills": [
                    {"file": each.still.file.name, "number": each.still.number, "objects": each.objects}
                    | ({"error": each.error} if each.error else {})
                    | ({"notices": each.notices} if each.notices else {})
                    for each in done
                ]
            }
        )
    if any(each.error for each in done):
        raise typer.Exit(int(ExitCode.FAILED))


def _once_there_is_room(make: Callable[[], StillDone], ended: threading.Event) -> StillDone:
    """What ``make`` gives, tried again while the server is busy and nobody has ended."""
    for _ in range(_BUSY_TRIES):
        try:
            return make()
        except BusyError:
            if ended.wait(_BUSY_PAUSE_S):
                raise
    return make()


def _opened(server: Server, still: Still, reading: ClipReading, progress: Progress) -> Session:
    """A session on one picture."""
    return server.open(
        str(still.file),
        colour_space=reading.colour_space,
        first_frame=reading.first_frame,
        frame_rate=reading.frame_rate,
        layer=reading.layer,
        view=reading.view,
        overscan=reading.overscan,
        on_waiting=progress.waiting,
    )


def _one(
    session: Session,
    still: Still,
    document: PromptDocument,
    out: Path,
    matte_format: MatteFormat,
    existing: Existing,
    *,
    raw: bool,
) -> StillDone:
    """Write the mattes of one picture."""
    frame = session.clip.first_frame
    said = [replace(each, frame=frame) for each in document.prompts if each.frame == still.number]
    if said:
        own = [info for info in document.objects if any(each.object_id == info.object_id for each in said)]
        ids = {info.object_id: number for number, info in enumerate(own, start=1)}
        session.load_prompts(
            PromptDocument(
                tuple(ObjectInfo(ids[info.object_id], info.name, (frame,)) for info in own),
                tuple(replace(each, object_id=ids[each.object_id]) for each in said),
                mattes=tuple(
                    replace(each, object_id=ids[each.object_id])
                    for each in document.mattes
                    if each.object_id in ids
                ),
            )
        )
    else:
        make_objects(session, apart(session.find(frame=frame, mask_format=MASKS)))
    count = len(session.objects())
    if count:
        with prepared_folder(out):
            session.export(
                out,
                matte_format=matte_format,
                frames=FrameRange(frame, frame),
                base_name=still.folder,
                raw_edges=raw,
                existing=existing,
            )
    return StillDone(still, count, notices=(*session.clip.notices, *_doubts(session, document, still.number)))


def _doubts(session: Session, document: PromptDocument, number: int) -> Iterator[str]:
    """What helps where the mask of a single click on a picture may be poor."""
    names = {info.object_id: info.name for info in document.objects}
    said = {names[each.object_id]: each for each in document.prompts if each.frame == number}
    if not said:
        return
    for update in session.masks(mask_format=_SMALL):
        prompts = said.get(update.object_name)
        advice = prompts and advice_on(prompts, update.presence, update.object_name)
        if advice:
            yield str(advice)
