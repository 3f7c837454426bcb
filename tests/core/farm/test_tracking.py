"""What a task takes from those before it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from fakes.farm_shots import write_document, write_plate
from masklet.farm import tracking
from masklet.farm.chunks import Chunk, keep_chunk
from masklet.farm.pieces import Way
from masklet.farm.request import FarmRequest
from masklet.farm.submitting import submit
from masklet.farm.task import FarmTask, Stop, Teller, find_task
from masklet.farm.tracking import free_runs, only_objects, track_piece, worth_holding
from masklet.types import (
    Click,
    FramePrompts,
    FrameRange,
    LockedMask,
    LockedRange,
    ObjectInfo,
    PromptDocument,
    TrackedMask,
)

if TYPE_CHECKING:
    from masklet.client import Server


def _chunk(first: int, last: int) -> Chunk:
    masks = tuple(LockedMask(1, frame, TrackedMask(4, 4, bytes(60))) for frame in range(first, last + 1))
    return Chunk(FrameRange(first, last), {"hero": masks})


def _held(way: Way, chunks: list[Chunk]) -> list[str]:
    return [chunk.frames.shown for chunk in worth_holding(way, chunks)]


@pytest.mark.parametrize("backward", [True, False])
def test_a_way_that_is_finished_needs_no_masks(backward: bool) -> None:
    way = Way(FrameRange(1, 10), backward)
    assert _held(way, [_chunk(1, 4), _chunk(5, 10)]) == []


def test_what_lies_next_to_where_a_way_goes_on_is_held_first(monkeypatch: pytest.MonkeyPatch) -> None:
    chunks = [_chunk(1, 4), _chunk(5, 8), _chunk(9, 12), _chunk(40, 44)]
    forward = Way(FrameRange(1, 20), backward=False)
    assert _held(forward, chunks) == ["9-12", "5-8", "1-4"]
    monkeypatch.setattr(tracking, "HELD_BYTES", 500)
    assert _held(forward, chunks) == ["9-12", "5-8"]
    assert _held(Way(FrameRange(30, 44), backward=True), chunks) == ["40-44"]


def test_frames_that_the_artist_locked_or_prompted_make_themselves() -> None:
    document = PromptDocument(
        (ObjectInfo(1, "hero", (3,)), ObjectInfo(2, "dog", (5,))),
        (FramePrompts(1, 3, (Click(1.0, 1.0),)), FramePrompts(2, 5, (Click(1.0, 1.0),))),
        (LockedRange(1, FrameRange(7, 8)),),
    )
    runs = free_runs(document, "hero", FrameRange(1, 10))
    assert [run.shown for run in runs] == ["1-2", "4-6", "9-10"]
    own = only_objects(document, ["dog"])
    assert (own.objects, own.prompts, own.locks) == ((document.objects[1],), (document.prompts[1],), ())


def test_chunks_that_overlap_do_not_pass_for_a_finished_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plate = write_plate(tmp_path / "plates")
    document = write_document(tmp_path / "shot.masklet.json", str(plate), objects={"hero": (1001,)})
    bundle = submit([document], FarmRequest(), tmp_path / "job").bundle
    task = find_task(bundle, bundle / "out", "shot", "track", 1)
    folder = task.places.chunks(task.shot, "key")
    # As two workers leave them that were at the same piece.
    for first, last in ((1001, 1004), (1005, 1009), (1005, 1010)):
        keep_chunk(folder, task.shot.piece(1), _chunk(first, last))
    monkeypatch.setattr(tracking, "key_of", lambda task, server, teller: "key")

    class GoesOnError(Exception):
        pass

    def opened(task: FarmTask) -> None:
        raise GoesOnError

    monkeypatch.setattr(tracking, "check_plate", opened)
    teller = Teller(task)
    with pytest.raises(GoesOnError):
        track_piece(task, cast("Server", None), teller, Stop(task.places))
    assert (teller.state.done, teller.state.total, teller.state.reused) == (10, 12, 10)
