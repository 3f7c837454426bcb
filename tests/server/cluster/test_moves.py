"""A gateway and real workers: artists are sent to one, and see a pause when their session moves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import masklet
from fakes.clustered import Cluster
from fakes.kept import plates
from masklet.session import Session
from masklet.types import MaskFormat, MaskUpdate

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows shares no folder of sessions")

SMALL = MaskFormat(max_side_px=32)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    with Cluster(folder, frame_s=0.02) as made:
        made.start("one")
        made.start("two")
        yield made


@pytest.fixture(scope="module")
def clip(cluster: Cluster) -> Path:
    return plates(cluster.folder / "clip")


def masks(session: Session) -> dict[tuple[str, int], bytes]:
    return {(each.object_name, each.frame): each.mask.alpha for each in session.masks(mask_format=SMALL)}


def clicked(client: masklet.Server, clip: Path, x_px: float = 8.0) -> Session:
    session = client.open(clip)
    session.object("hero").click(frame=10, x_px=x_px, y_px=9.0)
    return session


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
