"""A share that is full or closed: a sentence, nothing half-written, and the reason is never hidden."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.farm_shots import write_document, write_plate
from masklet.errors import OutputError
from masklet.farm.chunks import Chunk, keep_chunk
from masklet.farm.performing import perform
from masklet.farm.pieces import Piece, Way
from masklet.farm.places import JobPlaces
from masklet.farm.request import FarmRequest
from masklet.farm.results import ShotResult, keep_result
from masklet.farm.retrying import make_ready
from masklet.farm.share import keep_file, keep_first
from masklet.farm.submitting import submit
from masklet.farm.task import Teller, find_task
from masklet.farm.task_states import TaskPhase, TaskState, keep_state, read_state
from masklet.types import FrameRange, LockedMask, TrackedMask
from small_disk import fill, small_disk


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A share on which nothing more fits, with a job's folder whose task was begun."""
    with small_disk(tmp_path / "share", kilobytes=64) as share:
        if share is None:
            pytest.skip("this user may mount no disk")
        keep_state(share / "out" / "work" / "states", TaskState("shot", "track", 1, TaskPhase.RUNNING))
        fill(share)
        yield share


def _files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_full_share_takes_nothing_half(full: Path, tmp_path: Path) -> None:
    before = _files(full)
    places = JobPlaces(full / "out")
    mask = LockedMask(1, 1001, TrackedMask(64, 64, bytes(16_000)))
    piece = Piece(1, ("hero",), (Way(FrameRange(1001, 1001), backward=False),))
    plate = write_plate(tmp_path / "plates")
    document = write_document(tmp_path / "shot.masklet.json", str(plate))
    for write in (
        lambda: keep_chunk(full / "tracks", piece, Chunk(FrameRange(1001, 1001), {"hero": (mask,)})),
        lambda: keep_state(places.states, TaskState("shot", "track", 1, TaskPhase.DONE)),
        lambda: keep_result(places, ShotResult("shot", "k", True, "checked: nothing is wrong")),
        lambda: keep_first(places.weights, b"x" * 9000),
        lambda: submit([document], FarmRequest(), full / "job"),
    ):
        with pytest.raises(OutputError, match=r"No space left on device"):
            write()
    assert _files(full) == before
    assert read_state(places.states, "shot", "track", 1).phase is TaskPhase.RUNNING
    # Half a job would be in the way of the next try.
    assert not (full / "job").exists()


def test_why_a_task_failed_is_heard_also_when_the_share_takes_no_word_of_it(
    full: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plate = write_plate(tmp_path / "plates")
    document = write_document(tmp_path / "shot.masklet.json", str(plate))
    bundle = submit([document], FarmRequest(), tmp_path / "job").bundle
    task = find_task(bundle, full / "out", "shot", "track", 1)
    with pytest.raises(OutputError, match=r"shot\.track\.1\.json cannot be written \(No space left"):
        perform(task)
    assert "openjd_fail: shot.track.1.json cannot be written (No space left" in capsys.readouterr().out
    (full / "filler").unlink()
    teller = Teller(task)
    fill(full)
    teller.end(TaskPhase.FAILED, "the plate has no picture on 1005")
    assert "openjd_fail: the plate has no picture on 1005" in capsys.readouterr().out
    with pytest.raises(OutputError):
        teller.end(TaskPhase.DONE)


@pytest.mark.skipif(os.name == "nt", reason="a file in the way stands for a share that is closed")
def test_a_share_that_lets_no_folder_be_made_is_a_sentence(tmp_path: Path) -> None:
    # Root writes anywhere, so something that is no folder lies in the way.
    (tmp_path / "closed").write_text("")
    places = JobPlaces(tmp_path / "closed" / "out")
    plate = write_plate(tmp_path / "plates")
    document = write_document(tmp_path / "shot.masklet.json", str(plate))
    job = submit([document], FarmRequest(), tmp_path / "job").job
    for write in (
        lambda: keep_file(places.accepted("shot"), b"{}"),
        lambda: keep_first(places.weights, b"{}"),
        lambda: make_ready(job, places, ("shot",), ("flicker",)),
        lambda: keep_result(places, ShotResult("shot", "k", True, "")),
    ):
        with pytest.raises(OutputError, match=r"the folder .* cannot be made \(Not a directory\): make room"):
            write()


def test_of_workers_that_begin_at_once_the_first_ones_word_stays(tmp_path: Path) -> None:
    path = tmp_path / "work" / "weights.json"
    gate = threading.Barrier(8)

    def begin(number: int) -> None:
        gate.wait()
        keep_first(path, b"%d" % number * 5000)

    workers = [threading.Thread(target=begin, args=(number,)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    first = path.read_bytes()
    assert len(set(first)) == 1
    assert len(first) == 5000
    keep_first(path, b"later")
    assert path.read_bytes() == first
    assert _files(tmp_path) == ["work/weights.json"]


def test_a_share_without_links_keeps_the_first_word_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(source: object, target: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("os.link", refused)
    keep_first(tmp_path / "weights.json", b"first")
    keep_first(tmp_path / "weights.json", b"later")
    assert (tmp_path / "weights.json").read_bytes() == b"first"
    assert _files(tmp_path) == ["weights.json"]


def test_a_task_that_another_worker_has_finished_stays_finished(tmp_path: Path) -> None:
    plate = write_plate(tmp_path / "plates")
    document = write_document(tmp_path / "shot.masklet.json", str(plate))
    bundle = submit([document], FarmRequest(), tmp_path / "job").bundle
    task = find_task(bundle, bundle / "out", "shot", "track", 1)
    slow = Teller(task)
    # Both began before either had said so.
    (task.places.states / slow.state.file_name).unlink()
    quick = Teller(task)
    quick.end(TaskPhase.DONE)
    slow.progress(3, 3, "tracking")
    slow.end(TaskPhase.FAILED, "its share went away")
    assert read_state(task.places.states, "shot", "track", 1).phase is TaskPhase.DONE


def test_a_worker_that_was_given_up_and_wakes_is_silent(tmp_path: Path) -> None:
    plate = write_plate(tmp_path / "plates")
    document = write_document(tmp_path / "shot.masklet.json", str(plate))
    bundle = submit([document], FarmRequest(), tmp_path / "job").bundle
    task = find_task(bundle, bundle / "out", "shot", "track", 1)
    frozen = Teller(task)
    Teller(task).progress(12, 12, "tracking")
    frozen.end(TaskPhase.FAILED, "no answer")
    state = read_state(task.places.states, "shot", "track", 1)
    assert (state.phase, state.attempt, state.done) == (TaskPhase.RUNNING, 2, 12)
