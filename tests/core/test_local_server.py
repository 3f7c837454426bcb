from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest

from masklet.errors import ServerUnreachableError
from masklet.own_folder import OwnFolder
from masklet.transport import local_server
from masklet.transport.local_server import LocalServer


def test_tokens_of_a_killed_host_are_deleted_by_the_next_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(local_server, "server_sentence", lambda: None)
    # A program that ends at once: what counts happens before it starts.
    monkeypatch.setattr(local_server, "server_program", lambda *_: [sys.executable, "-c", "pass"])
    left = OwnFolder("masklet-server-")
    (left.path / "token").write_text("secret", encoding="ascii")
    assert not left.remove(within_s=0.0)
    living = OwnFolder("masklet-server-")

    with pytest.raises(ServerUnreachableError, match="did not start"):
        LocalServer()

    assert list(tmp_path.iterdir()) == [living.path]
    assert living.remove()
