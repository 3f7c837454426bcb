"""Scripts that are saved, closed and opened again: masks are still there, and two Nukes do not fight."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.nuke import FakeNuke, rotopaint
from fakes.nuke.nodes import FakeNode
from fakes.prompted_server import PromptedServer
from masklet.client import Server
from masklet.hosting.presence import Presence
from masklet.hosting.work.connection import Connection
from masklet.types import Direction
from masklet_nuke import documents, node_knobs, prompting
from masklet_nuke.runtime import Runtime, set_runtime
from masklet_nuke.tracking import track
from nuke_scripts import new_read, run


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))


class Artist:
    """Opens, tracks, saves and closes, on one server."""

    def __init__(self, server: PromptedServer, files: Path, script: Path) -> None:
        self.server, self.files, self.script = server, files, script
        self.loops: list[Runtime] = []

    def sit_down(self) -> tuple[FakeNuke, Runtime]:
        nuke = FakeNuke()
        loop = Runtime(nuke, Connection(lambda settings: Server(self.server)), rotopaint)
        set_runtime(loop)
        nuke.root()["name"].setValue(str(self.script))
        nuke.current_frame = 1001
        self.loops.append(loop)
        return nuke, loop

    def track(self, nuke: FakeNuke, loop: Runtime) -> FakeNode:
        from masklet_nuke.masklet_node import make_node

        node: Any = make_node(nuke)
        node.setInput(0, new_read(nuke, self.files))
        node[node_knobs.SERVER].setValue("localhost:1")
        prompting.add_click(loop, node, 20.0, 18.0, positive=True)
        run(nuke, loop)
        track(loop, node, Direction.BOTH)
        run(nuke, loop)
        return node

    def open(self, nuke: FakeNuke, loop: Runtime, kept: dict[str, Any]) -> FakeNode:
        node = nuke.pasted(kept)
        node.setInput(0, new_read(nuke, self.files))
        loop.openings.opened()
        run(nuke, loop)
        return node


@pytest.fixture
def artist(server: PromptedServer, files: Path, tmp_path: Path) -> Iterator[Artist]:
    made = Artist(server, files, tmp_path / "shot.nk")
    yield made
    for loop in made.loops:
        loop.close()
    set_runtime(None)


def test_a_saved_script_comes_back_to_its_masks(artist: Artist) -> None:
    nuke, loop = artist.sit_down()
    node = artist.track(nuke, loop)
    loop.openings.saved()
    kept = nuke.copied(node)
    loop.close()
    assert list(artist.server.sessions) == ["session1"]

    nuke, loop = artist.sit_down()
    again = artist.open(nuke, loop, kept)

    book = loop.memory(again).book
    uid = documents.objects(again)[0].uid
    assert book.frames_with_masks(uid) == 12
    assert all(strip.held for strip in book.strips(uid))
    assert again["masklet_state_1"].getValueAt(1010) == 1.0
    assert artist.server.opened == [str(artist.files)]


def test_a_session_that_no_saved_script_knows_is_given_back(artist: Artist) -> None:
    nuke, loop = artist.sit_down()
    artist.track(nuke, loop)

    loop.close()

    assert artist.server.sessions == {}


def test_a_script_whose_session_is_gone_says_so_and_keeps_everything(artist: Artist) -> None:
    nuke, loop = artist.sit_down()
    node = artist.track(nuke, loop)
    loop.openings.saved()
    kept = nuke.copied(node)
    loop.close()
    artist.server.sessions.clear()

    nuke, loop = artist.sit_down()
    again = artist.open(nuke, loop, kept)

    assert "no longer on the server: track again" in again[node_knobs.NOTICE].value()
    assert len(documents.objects(again)[0].at(1001).clicks) == 1


def test_two_nukes_on_one_script_work_in_sessions_of_their_own_and_are_told(artist: Artist) -> None:
    nuke, loop = artist.sit_down()
    node = artist.track(nuke, loop)
    loop.openings.saved()
    kept = nuke.copied(node)
    other = Presence(artist.script)
    assert len(other.beat()) == 1

    second, its_loop = artist.sit_down()
    again = artist.open(second, its_loop, kept)

    assert "open in another Nuke too" in again[node_knobs.NOTICE].value()
    assert its_loop.host.session(again).session_id == ""
    other.leave()


def test_a_farm_leaves_no_note_beside_the_script(artist: Artist, tmp_path: Path) -> None:
    nuke, loop = artist.sit_down()
    nuke.GUI = False
    artist.track(nuke, loop)

    loop.openings.saved()

    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".shot")] == []
