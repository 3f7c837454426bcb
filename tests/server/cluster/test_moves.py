"""A gateway and real workers: artists are sent to one, and see a pause when their session moves."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import masklet
from fakes.clustered import Cluster, wait_until
from fakes.kept import plates
from masklet.errors import MovedError, ServerUnreachableError
from masklet.events import TrackFinished
from masklet.session import Session
from masklet.types import MaskFormat, MaskUpdate
from masklet.version import VERSION
from masklet_server.cluster.codec import info_of

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows shares no folder of sessions")

SMALL = MaskFormat(max_side_px=32)
NEXT = "{}.{}.{}".format(*VERSION.split(".")[:2], int(VERSION.split(".")[2]) + 1)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    with Cluster(folder, frame_s=0.04) as made:
        made.start("one")
        made.start("two")
        yield made


@pytest.fixture(autouse=True)
def both_workers(cluster: Cluster) -> None:
    """Whatever a test did to them."""
    for name in ("one", "two"):
        if not cluster.lives(name):
            cluster.start(name)


@pytest.fixture(scope="module")
def clip(cluster: Cluster) -> Path:
    return plates(cluster.folder / "clip")


def masks(session: Session) -> dict[tuple[str, int], bytes]:
    return {(each.object_name, each.frame): each.mask.alpha for each in session.masks(mask_format=SMALL)}


def clicked(client: masklet.Server, clip: Path, x_px: float = 8.0) -> Session:
    session = client.open(clip)
    session.object("hero").click(frame=10, x_px=x_px, y_px=9.0)
    return session


def tracked(
    session: Session, *, at_frame: Callable[[int], None] = lambda count: None
) -> dict[tuple[str, int], bytes]:
    """What a whole track shows, each frame once; told how many masks have come."""
    shown: dict[tuple[str, int], bytes] = {}
    for event in session.track(mask_format=SMALL).events():
        if isinstance(event, MaskUpdate):
            assert (event.object_name, event.frame) not in shown
            shown[event.object_name, event.frame] = event.mask.alpha
            at_frame(len(shown))
        last = event
    assert isinstance(last, TrackFinished)
    assert (last.updates, last.cancelled) == (24, False)
    return shown


@pytest.fixture(scope="module")
def undisturbed(cluster: Cluster, clip: Path) -> dict[tuple[str, int], bytes]:
    """What the same work gives where nothing happens."""
    with masklet.connect(cluster.address) as client:
        session = clicked(client, clip)
        tracked(session)
        session.object("hero").click(frame=15, x_px=20.0, y_px=9.0)
        list(session.track(mask_format=SMALL).events())
        found = masks(session)
        session.close()
        return found


def corrected(session: Session) -> dict[tuple[str, int], bytes]:
    """The rest of that work, after the first track."""
    session.object("hero").click(frame=15, x_px=20.0, y_px=9.0)
    list(session.track(mask_format=SMALL).events())
    return masks(session)


def test_one_address_leads_to_workers_and_tells_of_all_sessions(cluster: Cluster, clip: Path) -> None:
    with masklet.connect(cluster.address) as client:
        assert client.info().device == "a cluster of 2 servers"
        sessions = [clicked(client, clip) for _ in range(2)]
        for session in sessions:
            events = list(session.track(mask_format=SMALL).events())
            assert sum(isinstance(each, MaskUpdate) for each in events) == 24
        # The second one was sent where its plate was.
        assert len({cluster.at(each.session_id) for each in sessions}) == 1
        assert {each.session_id for each in client.sessions()} >= {each.session_id for each in sessions}
        with masklet.connect(cluster.address) as another:
            assert masks(another.resume(sessions[0].session_id)) == masks(sessions[0])
        for session in sessions:
            session.close()
        assert cluster.gateway.directory.locate(sessions[0].session_id) is None


def test_a_track_goes_on_at_another_worker_when_its_own_is_stopped(
    cluster: Cluster, clip: Path, undisturbed: dict[tuple[str, int], bytes]
) -> None:
    with masklet.connect(cluster.address) as client:
        session = clicked(client, clip)
        first = cluster.at(session.session_id)

        def stop(count: int) -> None:
            if count == 5:
                cluster.workers[first].stop()

        tracked(session, at_frame=stop)
        assert cluster.at(session.session_id) != first
        assert corrected(session) == undisturbed
        session.close()


def test_workers_are_replaced_one_by_one_while_an_artist_works(
    cluster: Cluster, clip: Path, undisturbed: dict[tuple[str, int], bytes]
) -> None:
    with masklet.connect(cluster.address) as client:
        session = clicked(client, clip)
        owners = set()
        replaced = set()

        def replace() -> None:
            # Where it is in nobody's hands since it has moved, somebody takes it now.
            session.info()
            home = cluster.at(session.session_id)
            owners.add(epoch_of(cluster, session))
            cluster.gateway.directory.drain(home)
            wait_until(lambda: cluster.at(session.session_id) != home)
            cluster.workers[home].stop()
            # It has room at once: the session may come back to it.
            cluster.start(home, ["--version", NEXT])
            replaced.add(home)

        tracked(session, at_frame=lambda count: replace() if count == 5 else None)
        replace()
        assert corrected(session) == undisturbed
        assert len({*owners, epoch_of(cluster, session)}) == 3
        told = {each.name: info_of(each.offer).version for each in cluster.gateway.directory.workers()}
        assert {told[name] for name in replaced} == {NEXT}
        session.close()


def test_a_session_whose_worker_dies_goes_on_at_another(cluster: Cluster, clip: Path) -> None:
    with masklet.connect(cluster.address) as client:
        session = clicked(client, clip)
        first = cluster.at(session.session_id)
        cluster.workers[first].kill()
        session.object("hero").click(frame=12, x_px=9.0, y_px=9.0)
        assert cluster.at(session.session_id) not in ("", first)
        assert session.info().objects[0].prompted_frames == (10, 12)
        session.close()


def test_a_worker_that_froze_and_wakes_writes_nothing(cluster: Cluster, clip: Path) -> None:
    with masklet.connect(cluster.address) as client:
        session = clicked(client, clip)
        first = cluster.at(session.session_id)
        frozen = cluster.workers[first]
        with masklet.connect(frozen.address) as direct:
            asleep = direct.resume(session.session_id)
            frozen.freeze()
            try:
                wait_until(lambda: cluster.state(first) == "gone")
                with masklet.connect(cluster.address) as another:
                    awake = another.resume(session.session_id)
                    awake.object("hero").click(frame=12, x_px=9.0, y_px=9.0)
                    after = masks(awake)
                    written = journal(cluster, session.session_id)
            finally:
                frozen.thaw()
            # Its own artists are sent to the front door, and nothing is said twice.
            with pytest.raises(MovedError, match="connect to the cluster's front door"):
                direct._transport.add_object(asleep.session_id, "late")  # type: ignore[attr-defined]
        assert journal(cluster, session.session_id) == written
        assert [each.name for each in session.info().objects] == ["hero"]
        assert masks(session) == after
        session.close()


def test_the_gateway_may_go_while_artists_work_and_finds_their_sessions_again(
    cluster: Cluster, clip: Path
) -> None:
    with masklet.connect(cluster.address) as client:
        session = clicked(client, clip)
        cluster.gateway.stop()
        with pytest.raises(ServerUnreachableError, match="no server answers"):
            masklet.connect(cluster.address)
        session.object("hero").click(frame=12, x_px=9.0, y_px=9.0)
        before = masks(session)
        cluster.gateway.start()
        assert [each.session_id for each in client.sessions()][:1] == [session.session_id]
        with masklet.connect(cluster.address) as another:
            assert masks(another.resume(session.session_id)) == before
        session.close()


def test_a_directory_that_is_lost_is_made_again_from_what_workers_have(cluster: Cluster, clip: Path) -> None:
    with masklet.connect(cluster.address) as client:
        session = clicked(client, clip)
        before = masks(session)
        cluster.gateway.stop()
        for file in cluster.folder.glob("directory.sqlite*"):
            file.unlink()
        cluster.gateway.start()
        wait_until(lambda: cluster.gateway.directory.locate(session.session_id) is not None)
        with masklet.connect(cluster.address) as another:
            assert masks(another.resume(session.session_id)) == before
        # The worker without a session comes back with its next report.
        wait_until(lambda: {"one", "two"} <= {each.name for each in cluster.gateway.directory.workers()})
        session.close()


def test_a_session_is_carried_with_its_clip_when_nobody_else_reaches_its_disk(
    cluster: Cluster, clip: Path, undisturbed: dict[tuple[str, int], bytes]
) -> None:
    cluster.workers["two"].stop()
    with masklet.connect(cluster.address) as client:
        idle = clicked(client, clip)
        cluster.workers["one"].stop()
        cluster.start("one")
        session = client.open(clip, upload=True)
        session.object("hero").click(frame=10, x_px=8.0, y_px=9.0)
        far = cluster.start("far", ["--sessions", "far"])

        def drain(count: int) -> None:
            if count == 5:
                cluster.gateway.directory.drain("one")
                wait_until(lambda: cluster.at(session.session_id) != "one")

        tracked(session, at_frame=drain)
        assert cluster.at(session.session_id) == "far"
        assert (cluster.folder / "far" / session.session_id / "clip").is_dir()
        wait_until(lambda: not (cluster.folder / "sessions" / session.session_id).exists())
        assert corrected(session) == undisturbed
        session.close()
        # Nobody had opened this one since its worker was started.
        wait_until(lambda: (cluster.folder / "far" / idle.session_id).is_dir())
        assert [each.name for each in idle.info().objects] == ["hero"]
        assert cluster.at(idle.session_id) == "far"
        idle.close()
    far.stop()
    cluster.workers["one"].stop()


def epoch_of(cluster: Cluster, session: Session) -> int:
    """Rises with each owner."""
    found = cluster.gateway.directory.locate(session.session_id)
    assert found is not None
    return found.epoch


def journal(cluster: Cluster, session_id: str) -> list[tuple[object, ...]]:
    """All that a session's journal says, and at which epoch."""
    file = cluster.folder / "sessions" / session_id / "session.sqlite"
    with sqlite3.connect(file) as database:
        rows = database.execute("SELECT kind, key, value FROM record ORDER BY kind, key").fetchall()
        return [*rows, *database.execute("SELECT epoch FROM owner")]
