"""The directory: one owner a session, epochs that only rise, durations instead of clocks."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from masklet.errors import BadInputError, SilentError
from masklet_server.cluster import plate_places
from masklet_server.cluster.ports import (
    HEARD_SHARE,
    LEASE_S,
    FencedError,
    Load,
    Membership,
    NameOfAnotherError,
    NoRoomError,
    NotAMemberError,
    Offer,
    SessionFacts,
    Wish,
    WorkerState,
)
from masklet_server.cluster.sqlite_directory import PAUSED_S, SqliteDirectory

ROOM = Load(free_bytes=1000, free_sessions=4)
ANN = SessionFacts("ann", guests={"ben": ("read",)}, clip_name="plate.mov")


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def offer(name: str, *, volume: str = "disk", port: int = 1) -> Offer:
    return Offer(name, f"127.0.0.1:{port}", volume)


def joined(directory: SqliteDirectory, name: str, load: Load = ROOM, **of: object) -> Membership:
    membership = directory.join(offer(name, **of))  # type: ignore[arg-type]
    directory.report(membership, load)
    return membership


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def directory(clock: Clock) -> SqliteDirectory:
    return SqliteDirectory(clock_s=clock)


def test_a_session_goes_to_the_freest_worker_and_the_next_one_to_another(directory: SqliteDirectory) -> None:
    joined(directory, "one", Load(900, 4))
    joined(directory, "two", Load(1000, 4))
    wish = Wish("ann", needed_bytes=200)
    assert [directory.place(wish).name for _ in range(3)] == ["two", "one", "two"]


def test_a_session_goes_where_its_plate_is_unless_that_one_is_nearly_full(directory: SqliteDirectory) -> None:
    near = joined(directory, "near", Load(1000, 9))
    joined(directory, "far", Load(500, 9))
    assert directory.place(Wish("ann", "plate")).name == "near"
    directory.report(near, Load(300, 9))
    assert directory.place(Wish("ben", "plate")).name == "near"
    directory.report(near, Load(100, 9))
    assert directory.place(Wish("ben", "plate")).name == "far"


def test_where_plates_were_is_forgotten_when_nobody_opens_them_any_more(tmp_path: Path, clock: Clock) -> None:
    told_s = [1e9]
    file = tmp_path / "directory.sqlite"
    directory = SqliteDirectory(file, clock_s=clock, now_s=lambda: told_s[0])
    near = joined(directory, "near", Load(1000, 9))
    joined(directory, "far", Load(900, 9))
    for _ in range(3):
        directory.place(Wish("ann", "used"))
        directory.place(Wish("ann", "left"))
        told_s[0] += plate_places.KEPT_S / 2
        directory.place(Wish("ann", "used"))
        directory.tidy()
    directory.report(near, Load(300, 9))
    told_s[0] += plate_places.KEPT_S / 2
    directory.place(Wish("ann", "used"))
    directory.tidy()
    # One is near still, and the other one goes to the freest.
    assert directory.place(Wish("ann", "used")).name == "near"
    assert directory.place(Wish("ann", "left")).name == "far"
    told_s[0] += plate_places.KEPT_S
    directory.tidy()
    directory.close()
    with sqlite3.connect(file) as database:
        assert database.execute("SELECT count(*) FROM near").fetchone() == (0,)


def test_a_directory_of_the_format_before_is_opened_with_its_sessions(tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "directory.sqlite"
    before = SqliteDirectory(file, clock_s=clock)
    one = joined(before, "one")
    before.claim(one, "s", ANN)
    before.close()
    with sqlite3.connect(file) as database:
        database.executescript(
            "DROP TABLE near; CREATE TABLE near (content TEXT NOT NULL, worker TEXT NOT NULL, PRIMARY KEY "
            "(content, worker)) WITHOUT ROWID; INSERT INTO near VALUES ('plate', 'one'); "
            "PRAGMA user_version = 1"
        )
    database.close()
    after = SqliteDirectory(file, clock_s=clock)
    assert after.locate("s") is not None
    after.report(one, ROOM)
    assert after.place(Wish("ann", "plate")).name == "one"


def test_who_has_room_is_not_known_before_it_was_said(directory: SqliteDirectory) -> None:
    one = directory.join(offer("one"))
    with pytest.raises(SilentError, match="has yet to hear which servers have room"):
        directory.place(Wish("ann"))
    directory.report(one, Load(1000, 0))
    with pytest.raises(NoRoomError, match="all 1 servers are full"):
        directory.place(Wish("ann"))


def test_nothing_new_goes_to_a_worker_that_is_silent(directory: SqliteDirectory, clock: Clock) -> None:
    joined(directory, "one", Load(1000, 9))
    two = joined(directory, "two", Load(500, 9))
    assert directory.place(Wish("ann")).name == "one"
    clock.now_s += HEARD_SHARE * LEASE_S
    directory.report(two, Load(500, 9))
    assert directory.place(Wish("ann")).name == "two"
    assert [each.state for each in directory.workers()] == [WorkerState.ALIVE] * 2


def test_a_full_cluster_and_an_empty_one_say_which_they_are(directory: SqliteDirectory) -> None:
    with pytest.raises(NoRoomError, match="no server of this cluster answers"):
        directory.place(Wish("ann"))
    joined(directory, "one", Load(1000, 0))
    with pytest.raises(NoRoomError, match="all 1 servers are full"):
        directory.place(Wish("ann"))


def test_a_name_is_taken_while_its_worker_lives_and_free_after_its_lease(
    directory: SqliteDirectory, clock: Clock
) -> None:
    joined(directory, "one", port=1)
    with pytest.raises(NameOfAnotherError, match=r"called one is at 127\.0\.0\.1:1 already"):
        directory.join(offer("one", port=2))
    clock.now_s += LEASE_S
    assert directory.join(offer("one", port=2)).incarnation == 2


def test_a_worker_that_slept_is_told_to_join_anew_and_what_it_has_lost(
    directory: SqliteDirectory, clock: Clock
) -> None:
    slept = joined(directory, "one", port=1)
    epoch = directory.claim(slept, "s", ANN)
    kept = directory.claim(slept, "kept", ANN)
    clock.now_s += LEASE_S
    other = joined(directory, "two", port=2)
    assert directory.claim(other, "s", ANN) == epoch + 1
    with pytest.raises(NotAMemberError):
        directory.report(slept, ROOM, [("s", epoch)])
    with pytest.raises(NotAMemberError):
        directory.claim(slept, "s", ANN)
    again = directory.join(offer("one", port=1))
    assert directory.report(again, ROOM, [("s", epoch), ("kept", kept)]).lost == ("s",)
    assert directory.claim(again, "kept", ANN) == kept + 1
    for call in (directory.release, directory.forget):
        with pytest.raises(FencedError):
            call("s", epoch)
    with pytest.raises(FencedError):
        directory.tell("s", epoch, ANN)


def test_a_claim_is_a_sign_of_life(directory: SqliteDirectory, clock: Clock) -> None:
    one = joined(directory, "one")
    for number in range(8):
        clock.now_s += LEASE_S / 2
        directory.claim(one, f"s{number}", ANN)
    assert directory.workers()[0].state is WorkerState.ALIVE
    directory.report(one, ROOM)


def beats(directory: SqliteDirectory, clock: Clock, seconds: float) -> None:
    until_s = clock.now_s + seconds
    while clock.now_s < until_s:
        clock.now_s += PAUSED_S / 2
        directory.beat()


@pytest.mark.parametrize("first", ["report", "claim", "beat", "workers"])
def test_while_the_directory_was_paused_nobodys_lease_ended(
    directory: SqliteDirectory, clock: Clock, first: str
) -> None:
    one = joined(directory, "one")
    epoch = directory.claim(one, "s", ANN)
    directory.beat()
    beats(directory, clock, LEASE_S / 2)
    clock.now_s += 5 * LEASE_S
    match first:
        case "claim":
            assert directory.claim(one, "s", ANN) == epoch
        case "beat":
            directory.beat()
        case "workers":
            assert [each.state for each in directory.workers()] == [WorkerState.ALIVE]
    # It has a whole lease again, and no more.
    clock.now_s += PAUSED_S / 2
    assert directory.report(one, ROOM, [("s", epoch)]).lost == ()
    beats(directory, clock, LEASE_S)
    assert [each.state for each in directory.workers()] == [WorkerState.GONE]


def test_who_had_gone_before_a_pause_of_the_directory_stays_gone(
    directory: SqliteDirectory, clock: Clock
) -> None:
    joined(directory, "dead", port=1)
    left = joined(directory, "left", port=2)
    directory.beat()
    # Also where nobody at all is heard.
    beats(directory, clock, LEASE_S)
    left = directory.join(offer("left", port=2))
    directory.leave(left)
    clock.now_s += 5 * LEASE_S
    assert [each.state for each in directory.workers()] == [WorkerState.GONE] * 2
    with pytest.raises(NotAMemberError):
        directory.report(left, ROOM)


def test_a_session_in_the_hands_of_a_living_worker_is_nobody_elses(directory: SqliteDirectory) -> None:
    one, two = joined(directory, "one", port=1), joined(directory, "two", port=2)
    epoch = directory.claim(one, "s", ANN)
    assert directory.claim(one, "s", ANN) == epoch
    with pytest.raises(FencedError):
        directory.claim(two, "s", ANN)
    directory.release("s", epoch)
    assert directory.claim(two, "s", ANN) > epoch


def test_a_journal_on_another_disk_is_opened_by_nobody(directory: SqliteDirectory) -> None:
    one, other = joined(directory, "one", port=1), joined(directory, "two", port=2, volume="elsewhere")
    directory.release("s", directory.claim(one, "s", ANN))
    with pytest.raises(FencedError, match="another disk"):
        directory.claim(other, "s", ANN)
    found = directory.locate("s")
    assert found is not None
    with pytest.raises(NotAMemberError, match="does not reach"):
        directory.fence("s", found.epoch, to="two")


def test_a_drained_worker_gets_nothing_and_is_told_so(directory: SqliteDirectory) -> None:
    one, _ = joined(directory, "one", port=1), joined(directory, "two", Load(1, 1), port=2)
    epoch = directory.claim(one, "s", ANN)
    assert [each.session_id for each in directory.drain("one")] == ["s"]
    assert directory.report(one, ROOM).drain
    assert directory.place(Wish("ann")).name == "two"
    directory.release("s", epoch)
    assert directory.workers()[0].state is WorkerState.DRAINING


def test_a_directory_that_was_closed_finds_sessions_again_and_waits_two_leases_for_workers(
    tmp_path: Path, clock: Clock
) -> None:
    file = tmp_path / "directory.sqlite"
    before = SqliteDirectory(file, clock_s=clock)
    one = joined(before, "one")
    epoch = before.claim(one, "s", ANN)
    before.close()
    clock.now_s += 3600.0
    after = SqliteDirectory(file, clock_s=clock)
    found = after.locate("s")
    assert found is not None
    assert (found.epoch, found.worker, found.facts) == (epoch, "one", ANN)
    # It is not asked to join anew: the gateway's absence is no fault of its.
    clock.now_s += 1.9 * LEASE_S
    assert after.report(one, ROOM, [("s", epoch)]).lost == ()
    assert [each.session_id for each in after.of_account("ben")] == ["s"]
    after.close()
    again = SqliteDirectory(file, clock_s=clock)
    assert again.workers()[0].silent_s == 0.0
    clock.now_s += 2 * LEASE_S
    assert again.workers()[0].state is WorkerState.GONE


@pytest.mark.parametrize("jump_s", [-3600.0, 3600.0])
def test_a_clock_that_jumps_by_an_hour_takes_nobodys_lease(clock: Clock, jump_s: float) -> None:
    told_s = [1e9]
    directory = SqliteDirectory(clock_s=clock, now_s=lambda: told_s[0])
    one = joined(directory, "one")
    epoch = directory.claim(one, "s", ANN)
    told_s[0] += jump_s
    clock.now_s += 1.0
    assert directory.report(one, ROOM, [("s", epoch)]).lost == ()
    assert directory.workers()[0].state is WorkerState.ALIVE
    (found,) = directory.of_account("ann")
    assert found.idle_s == max(0.0, jump_s)


def test_a_second_gateway_on_one_directory_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "directory.sqlite"
    held = SqliteDirectory(file)
    with pytest.raises(BadInputError, match="another gateway has it"):
        SqliteDirectory(file)
    held.close()


def test_a_directory_on_a_network_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("masklet_server.cluster.directory_file.network_type", lambda folder: "nfs4")
    with pytest.raises(BadInputError, match=r"lies on a network \(nfs4\)"):
        SqliteDirectory(tmp_path / "directory.sqlite")


NAMES = st.sampled_from(["one", "two", "three"])
IDS = st.sampled_from(["a", "b"])


class Owners(RuleBasedStateMachine):
    """Workers that join, sleep, wake, claim and drain in any order, held against who may write."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.directory = SqliteDirectory(clock_s=self.clock)
        self.members: dict[str, Membership] = {}
        self.believed: dict[tuple[str, str], int] = {}
        self.highest: dict[str, int] = {}

    @rule(name=NAMES)
    def join(self, name: str) -> None:
        self.members[name] = self.directory.join(offer(name))

    @rule(name=NAMES)
    def report(self, name: str) -> None:
        if name in self.members:
            held = [(each, epoch) for (owner, each), epoch in self.believed.items() if owner == name]
            try:
                orders = self.directory.report(self.members[name], ROOM, held)
            except NotAMemberError:
                return
            for each in orders.lost:
                del self.believed[name, each]

    @rule(name=NAMES, session_id=IDS)
    def claim(self, name: str, session_id: str) -> None:
        if name in self.members:
            try:
                epoch = self.directory.claim(self.members[name], session_id, ANN)
            except (FencedError, NotAMemberError):
                return
            self.believed[name, session_id] = epoch

    @precondition(lambda self: self.believed)
    @rule(data=st.data())
    def let_go(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.believed)))
        epoch = self.believed.pop(key)
        with suppress(FencedError):
            self.directory.release(key[1], epoch)

    @rule(session_id=IDS, name=NAMES)
    def fence(self, session_id: str, name: str) -> None:
        found = self.directory.locate(session_id)
        if found is not None and name in self.members:
            self.directory.fence(session_id, found.epoch, to=name)

    @rule(name=NAMES)
    def drain(self, name: str) -> None:
        if name in self.members:
            self.directory.drain(name)

    @rule(seconds=st.sampled_from([1.0, LEASE_S]))
    def wait(self, seconds: float) -> None:
        self.clock.now_s += seconds

    @invariant()
    def one_owner_can_write_and_epochs_only_rise(self) -> None:
        for session_id in ("a", "b"):
            found = self.directory.locate(session_id)
            if found is None:
                continue
            assert found.epoch >= self.highest.get(session_id, 0)
            self.highest[session_id] = found.epoch
            able = []
            for (name, each), epoch in self.believed.items():
                if each == session_id:
                    with suppress(FencedError):
                        self.directory.tell(each, epoch, ANN)
                        able.append(name)
            assert len(able) <= 1
            assert not able or found.worker == able[0]


Owners.TestCase.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
TestOwners = Owners.TestCase
