from __future__ import annotations

import os
from pathlib import Path

import pytest

from masklet.hosting.presence import BEAT_S, Presence


@pytest.fixture
def document(tmp_path: Path) -> Path:
    file = tmp_path / "shot [v001].blend"
    file.touch()
    return file


def test_two_hosts_on_one_document_are_told_of_each_other(document: Path) -> None:
    first, second = Presence(document), Presence(document)
    assert first.beat() == ()
    (other,) = second.beat()
    assert other.machine
    assert len(first.beat()) == 1


def test_another_document_in_the_folder_is_nobodys_concern(document: Path, tmp_path: Path) -> None:
    Presence(tmp_path / "other.blend").beat()
    assert Presence(document).beat() == ()


def test_whoever_leaves_is_told_no_more_and_leaves_nothing(document: Path, tmp_path: Path) -> None:
    first, second = Presence(document), Presence(document)
    first.beat()
    second.beat()
    second.leave()
    assert first.beat() == ()
    first.leave()
    assert list(tmp_path.iterdir()) == [document]


def test_a_host_that_died_is_forgotten_after_a_few_beats(document: Path, tmp_path: Path) -> None:
    dead = Presence(document)
    dead.beat()
    (note,) = (path for path in tmp_path.iterdir() if path != document)
    old_s = note.stat().st_mtime - 10 * BEAT_S
    os.utime(note, (old_s, old_s))
    assert Presence(document).beat() == ()
    assert not note.exists()


def test_notes_that_cannot_be_read_or_written_disturb_nobody(document: Path, tmp_path: Path) -> None:
    first = Presence(document)
    first.beat()
    (note,) = (path for path in tmp_path.iterdir() if path != document)
    note.write_text("{")
    assert Presence(document).beat() == ()
    assert Presence(tmp_path / "no such folder" / "shot.blend").beat() == ()
