"""The server that a worker's session keeps for all its tasks; the keeper is real, its server a stand-in."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from masklet.errors import BadInputError, ServerUnreachableError
from masklet.farm import worker_server
from masklet.farm.template import SERVER_VARIABLE
from masklet.farm.worker_server import OWNER_VARIABLE, connect_to_kept, keep, leave, read_ready
from masklet.transport import local_server

_WAIT_S = 60.0


class StandInServer:
    """A server that says how it was started, and runs until it is stopped."""

    started: list[dict[str, str | None]] = []  # noqa: RUF012 (of the class, as the keeper makes its own)

    def __init__(self, **given: str | None) -> None:
        self.started.append(given)
        self.address, self.token, self.is_running = "127.0.0.1:7700", "secret", True

    def stop(self) -> None:
        self.is_running = False


@pytest.fixture
def ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    StandInServer.started.clear()
    monkeypatch.setattr(local_server, "LocalServer", StandInServer)
    monkeypatch.setattr(worker_server, "_POLL_S", 0.01)
    monkeypatch.delenv(OWNER_VARIABLE, raising=False)
    folder = tmp_path / "session"
    folder.mkdir()
    return folder / "server.json"


def _keep(ready: Path, **given: str | None) -> threading.Thread:
    """A keeper that has said where its server is."""
    asked: dict[str, str | None] = {"weights": None, "device": None, **given}
    keeper = threading.Thread(target=lambda: keep(ready, **asked))
    keeper.start()
    while not ready.is_file() and keeper.is_alive():
        keeper.join(0.01)
    return keeper


def _leave(ready: Path) -> None:
    leave(ready)


def _delete_folder(ready: Path) -> None:
    shutil.rmtree(ready.parent)


@pytest.mark.parametrize("end", [_leave, _delete_folder])
def test_a_server_is_kept_until_its_session_ends(ready: Path, end: Callable[[Path], None]) -> None:
    keeper = _keep(ready)
    kept = read_ready(ready)
    assert (kept.address, kept.token, kept.keeper) == ("127.0.0.1:7700", "secret", os.getpid())
    if os.name != "nt":
        assert ready.stat().st_mode & 0o077 == 0
    end(ready)
    keeper.join(_WAIT_S)
    assert not keeper.is_alive()
    assert not ready.exists()


@pytest.mark.skipif(os.name == "nt", reason="nobody tells there whether a process lives")
def test_a_server_ends_with_whoever_started_its_worker(ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The highest number that Linux gives a process is far below.
    monkeypatch.setenv(OWNER_VARIABLE, str(2**30))
    keeper = _keep(ready)
    keeper.join(_WAIT_S)
    assert not keeper.is_alive()


def test_what_a_job_does_not_say_is_as_the_workers_environment_says(
    ready: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKLET_MODEL", "small")
    monkeypatch.setenv("MASKLET_QUALITY", "fast")
    for given in ({}, {"weights": "large", "quality": "best", "device": "cpu"}):
        keeper = _keep(ready, **given)
        leave(ready)
        keeper.join(_WAIT_S)
        ready.with_suffix(".leave").unlink()
    assert StandInServer.started == [
        {"weights": "small", "device": None, "quality": "fast"},
        {"weights": "large", "device": "cpu", "quality": "best"},
    ]


def test_a_task_whose_sessions_server_has_ended_says_so(ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert connect_to_kept() is None
    monkeypatch.setenv(SERVER_VARIABLE, str(ready))
    with pytest.raises(ServerUnreachableError, match="the masklet server of this worker has ended"):
        connect_to_kept()
    ready.write_text("{}")
    with pytest.raises(BadInputError, match="tells of no server: enter the environment again"):
        read_ready(ready)
