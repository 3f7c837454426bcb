"""One run of a job at a time."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import pytest

from fakes.farm_shots import write_document, write_plate
from masklet.commands.farm_job import retry
from masklet.errors import BadInputError, OutputError
from masklet.farm.places import JobPlaces
from masklet.farm.request import FarmRequest
from masklet.farm.running import only_run as module
from masklet.farm.running.only_run import check_no_run, only_run
from masklet.farm.running.run import JobRun
from masklet.farm.submitting import submit
from masklet.farm.task_states import TaskPhase, TaskState, keep_state, read_state


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    clip = write_plate(tmp_path / "plates")
    document = write_document(tmp_path / "shot.masklet.json", str(clip))
    return submit([document], FarmRequest(), tmp_path / "job").bundle


def test_a_second_run_is_refused_and_changes_nothing(bundle: Path) -> None:
    places = JobPlaces(bundle / "out")
    keep_state(places.states, TaskState("shot", "track", 1, TaskPhase.FAILED, words="no room"))
    with only_run(places):
        words = (
            rf"another masklet farm run is at work on this job \(on .*, process {os.getpid()}\): look with"
        )
        with pytest.raises(BadInputError, match=words):
            JobRun(bundle).run()
        with pytest.raises(BadInputError, match=rf"gone for good, delete {re.escape(str(places.run))}"):
            retry(bundle)
        assert read_state(places.states, "shot", "track", 1).phase is TaskPhase.FAILED
    check_no_run(places)


def test_a_run_that_has_ended_keeps_nobody_out(bundle: Path) -> None:
    places = JobPlaces(bundle / "out")
    with only_run(places):
        pass
    # What it wrote of itself is there, and its lock went with it.
    assert places.run.read_text().startswith("on ")
    check_no_run(places)


def test_a_share_without_locks_keeps_nobody_out(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(handle: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(module, "lock_file", unknown)
    check_no_run(JobPlaces(bundle / "out"))


def test_a_lock_that_a_share_refuses_because_of_rights_is_a_refusal_and_says_what_to_delete(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = JobPlaces(bundle / "out")
    check_no_run(places)

    def only_for_writers(handle: int) -> None:
        # NFS, of a file that is open for reading.
        raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr(module, "lock_file", only_for_writers)
    words = rf"another user has run this job \(on .*\), and this share .* delete {re.escape(str(places.run))}"
    with pytest.raises(BadInputError, match=words):
        check_no_run(places)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_the_next_user_may_lock_what_the_first_one_made(bundle: Path) -> None:
    places = JobPlaces(bundle / "out")
    before = os.umask(0o077)
    try:
        check_no_run(places)
    finally:
        os.umask(before)
    assert places.run.stat().st_mode & 0o777 == 0o666


@pytest.mark.skipif(os.name == "nt", reason="Windows has other links")
def test_a_lock_that_is_a_link_leaves_alone_what_it_leads_to(bundle: Path, tmp_path: Path) -> None:
    places, other = JobPlaces(bundle / "out"), tmp_path / "other"
    other.write_text("kept")
    other.chmod(0o600)
    places.run.parent.mkdir(parents=True, exist_ok=True)
    places.run.symlink_to(other)
    with pytest.raises(OutputError, match=r"run.lock cannot be written"):
        check_no_run(places)
    assert (other.read_text(), other.stat().st_mode & 0o777) == ("kept", 0o600)


def test_a_share_that_takes_no_files_is_a_sentence(bundle: Path) -> None:
    places = JobPlaces(bundle / "out")
    places.run.mkdir(parents=True)
    with pytest.raises(OutputError, match=r"run.lock cannot be written \(Is a directory\): make room"):
        check_no_run(places)


def test_a_folder_that_is_no_job_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"nowhere holds no job.json: name the folder that masklet farm"):
        JobRun(tmp_path / "nowhere")


def test_a_job_that_somebody_else_has_run_is_run_all_the_same(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = JobPlaces(bundle / "out")
    check_no_run(places)
    own_open = os.open

    def of_another(path: Path, flags: int, mode: int = 0o777) -> int:
        # As root sees no rights, the system's answer is given here.
        if flags & os.O_RDWR:
            raise PermissionError(errno.EACCES, "Permission denied")
        return own_open(path, flags, mode)

    monkeypatch.setattr(os, "open", of_another)
    with only_run(places), pytest.raises(BadInputError, match="another masklet farm run is at work"):
        check_no_run(places)
