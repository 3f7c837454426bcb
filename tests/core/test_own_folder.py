from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import masklet
from masklet.own_folder import OwnFolder, remove_abandoned, remove_tree

CHILD = """
import sys, time
from pathlib import Path
from masklet.own_folder import OwnFolder
folder = OwnFolder("masklet-test-", parent=Path(sys.argv[1]))
(folder.path / "plates").mkdir()
(folder.path / "plates" / "plate.1001.exr").write_bytes(b"pixels")
print(folder.path, flush=True)
time.sleep(60)
"""


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_has_is_not(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(masklet.__file__).parent.parent)}
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, env=environment, text=True
        )
        for _ in range(2)
    ]
    try:
        folders = [Path(child.stdout.readline().strip()) for child in children if child.stdout is not None]
        children[0].kill() if sys.platform == "win32" else children[0].send_signal(signal.SIGKILL)
        children[0].wait()

        assert remove_abandoned("masklet-test-", parent=tmp_path) == 1
        assert [folder.exists() for folder in folders] == [False, True]
        assert (folders[1] / "plates" / "plate.1001.exr").read_bytes() == b"pixels"
    finally:
        for child in children:
            child.kill()
            child.wait()
            if child.stdout is not None:
                child.stdout.close()


def test_a_living_process_keeps_its_own_folder(tmp_path: Path) -> None:
    own = OwnFolder("masklet-test-", parent=tmp_path)

    assert remove_abandoned("masklet-test-", parent=tmp_path) == 0
    assert own.path.is_dir()
    assert own.remove()
    assert own.remove()
    assert list(tmp_path.iterdir()) == []


def test_folders_of_others_stay(tmp_path: Path) -> None:
    unmarked = tmp_path / "masklet-test-unmarked"
    unmarked.mkdir()
    (unmarked / "work").write_bytes(b"mine")
    (tmp_path / "masklet-test-file").write_bytes(b"mine")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".owner").touch()
    (elsewhere / "work").write_bytes(b"mine")
    if sys.platform != "win32":
        (tmp_path / "masklet-test-link").symlink_to(elsewhere)

    assert remove_abandoned("masklet-test-", parent=tmp_path) == 0
    assert (unmarked / "work").exists()
    assert (elsewhere / "work").exists()
    assert remove_abandoned("masklet-test-", parent=tmp_path / "missing") == 0


def test_what_there_was_no_time_for_is_removed_next_time(tmp_path: Path) -> None:
    own = OwnFolder("masklet-test-", parent=tmp_path)
    (own.path / "plate").write_bytes(b"pixels")

    assert not own.remove(within_s=0.0)
    assert (own.path / "plate").exists()
    assert remove_abandoned("masklet-test-", parent=tmp_path) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_links_are_removed_and_what_they_lead_to_stays(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "work").write_bytes(b"mine")
    own = OwnFolder("masklet-test-", parent=tmp_path)
    (own.path / "folder").symlink_to(kept)
    (own.path / "file").symlink_to(kept / "work")

    assert own.remove()
    assert (kept / "work").read_bytes() == b"mine"
    assert remove_tree(tmp_path / "missing")
