"""A file that counts as it is now, whatever becomes of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

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
