"""Where the front door sends people while a worker is silent, but not yet given up."""

from __future__ import annotations

from pathlib import Path

import pytest

from masklet.errors import SilentError
from masklet_server.cluster.front_door import FrontDoor
from masklet_server.cluster.ports import HEARD_SHARE, LEASE_S, Load, Offer, SessionFacts
from masklet_server.cluster.sqlite_directory import SqliteDirectory

ROOM = Load(free_bytes=1 << 30, free_sessions=4)


def test_nobody_is_sent_to_a_worker_that_hangs_and_its_session_goes_on_after_the_lease() -> None:
    now_s = [100.0]
    directory = SqliteDirectory(clock_s=lambda: now_s[0])
    door = FrontDoor(directory, clock_s=lambda: now_s[0])
    hangs, other = (
        directory.join(Offer(name, f"127.0.0.1:{port}", "disk")) for name, port in (("a", 1), ("b", 2))
    )
    directory.report(hangs, ROOM)
    assert door.of_opening("ann", "request", "", can_wait=False).name == "a"
    directory.claim(hangs, "s", SessionFacts("ann"))
    assert door.of_session("s", "ann").name == "a"

    now_s[0] += HEARD_SHARE * LEASE_S
    directory.report(other, ROOM)
    for ask in (
        lambda: door.of_session("s", "ann"),
        # Asked for again: it may have been opened there.
        lambda: door.of_opening("ann", "request", "", can_wait=False),
    ):
        with pytest.raises(SilentError, match="is silent: the same works in some seconds"):
            ask()
    assert door.of_opening("ann", "another", "", can_wait=True).name == "b"

    now_s[0] += LEASE_S - HEARD_SHARE * LEASE_S
    directory.report(other, ROOM)
    assert door.of_session("s", "ann").name == "b"
    assert door.of_opening("ann", "request", "", can_wait=False).name == "b"


def test_a_front_door_that_was_just_started_waits_for_a_word_of_its_workers(tmp_path: Path) -> None:
    file = tmp_path / "directory.sqlite"
    before = SqliteDirectory(file)
    one = before.join(Offer("a", "127.0.0.1:1", "disk"))
    before.claim(one, "s", SessionFacts("ann"))
    before.close()
    directory = SqliteDirectory(file)
    door = FrontDoor(directory)
    with pytest.raises(SilentError, match="has yet to hear"):
        door.of_opening("ann", "request", "", can_wait=True)
    with pytest.raises(SilentError, match="is silent"):
        door.of_session("s", "ann")
    directory.report(one, ROOM)
    assert door.of_opening("ann", "request", "", can_wait=True).name == "a"
    assert door.of_session("s", "ann").name == "a"
    directory.close()
