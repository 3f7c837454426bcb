"""A file that counts as it is now, whatever becomes of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from masklet.errors import BadInputError
from masklet_server.identity.watched_file import WatchedFile


@pytest.mark.skipif(os.name != "posix", reason="there are no such pipes on Windows")
def test_a_pipe_in_its_place_is_not_waited_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "tokens"
    path.write_text("one")
    watched = WatchedFile(path, Path.read_text, "the token file")
    path.unlink()
    os.mkfifo(path)

    watched.refresh()

    assert watched.content == "one"
    assert "the token file stays as it was" in caplog.text
    path.unlink()
    path.write_text("two")
    watched.refresh()
    assert watched.content == "two"


def test_a_file_that_could_not_be_read_is_tried_again_and_told_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "tokens"
    path.write_text("one")
    fails = False

    def read(path: Path) -> str:
        if fails:
            raise BadInputError("this process has too many files open")
        return path.read_text()

    watched = WatchedFile(path, read, "the token file")
    path.write_text("another")
    fails = True
    watched.refresh()
    watched.refresh()

    assert watched.content == "one"
    assert caplog.text.count("too many files open") == 1
    fails = False
    watched.refresh()
    assert watched.content == "another"
