"""The button that publishes: it asks what is to be asked; a version is there, or a sentence says why not."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from fakes.nuke import FakeNuke
from fakes.nuke.nodes import FakeNode
from fakes.published_shot import FRAMES, UNCERTAIN, make_shot
from masklet.errors import BadInputError
from masklet.publish import sheet as sheets
from masklet.publish.shot_record import ObjectStates
from masklet.publish.shots_of_files import ShotFolder
from masklet_nuke import node_knobs
from masklet_nuke.inside import Mattes, show_mattes
from masklet_nuke.runtime import Runtime
from nuke_scripts import run


def with_mattes(nuke: FakeNuke, node: FakeNode, folder: Path, **given: object) -> Path:
    """Have a node show mattes that a run wrote; where versions go."""
    shot = make_shot(folder, **given)  # type: ignore[arg-type]
    pattern = f"{shot.mattes.as_posix()}/shot_mattes.%04d.exr"
    show_mattes(nuke, node, {"u1": Mattes("hero", pattern, 1001, 1005)})
    return folder / "published/shot"


def test_what_is_ready_is_published_with_the_artists_comment(
    nuke: FakeNuke, loop: Runtime, node: FakeNode, tmp_path: Path
) -> None:
    versions = with_mattes(nuke, node, tmp_path)
    nuke.panel_answers.append({"comment": "hair fixed"})

    nuke.press(node, "masklet_publish")
    run(nuke, loop)

    assert nuke.panels[0].title == "Publish shot, version 1"
    assert nuke.panels[0].values["checks"].count("ok  ") == 9
    assert "hair fixed" in next((versions / "v001").glob("*.version.json")).read_text(encoding="utf-8")
    assert node[node_knobs.NOTICE].value() == f"version 1 is {versions / 'v001'}"
    assert nuke.tasks[-1].name == "Publishing"


def test_what_was_looked_at_is_ticked_and_then_published(
    nuke: FakeNuke, loop: Runtime, node: FakeNode, tmp_path: Path
) -> None:
    versions = with_mattes(nuke, node, tmp_path, states=(ObjectStates("hero", FRAMES, UNCERTAIN),))
    nuke.panel_answers += [{}, {"1. it is right so": True}]

    nuke.press(node, "masklet_publish")
    run(nuke, loop)

    # Asked again, since nothing was ticked the first time.
    assert len(nuke.panels) == 2
    assert "hero may be lost on 1001-1005" in nuke.panels[0].values["checks"]
    assert (versions / "v001").is_dir()


def test_cancel_publishes_nothing(nuke: FakeNuke, loop: Runtime, node: FakeNode, tmp_path: Path) -> None:
    versions = with_mattes(nuke, node, tmp_path)

    nuke.press(node, "masklet_publish")
    run(nuke, loop)

    assert len(nuke.panels) == 1
    assert not versions.exists()


def test_mattes_that_lack_frames_are_made_again_from_the_dialog(
    nuke: FakeNuke, loop: Runtime, node: FakeNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = with_mattes(nuke, node, tmp_path, frames_written=(1001, 1002, 1003, 1004))

    def rebuild(shot: ShotFolder) -> str:
        last = shot.folder / "shot_mattes.1005.exr"
        last.write_bytes((shot.folder / "shot_mattes.1004.exr").read_bytes())
        return "done"

    monkeypatch.setattr(sheets, "rebuild_mattes", rebuild)
    nuke.panel_answers.append({"make the mattes again": True})

    nuke.press(node, "masklet_publish")
    run(nuke, loop)

    assert "no file on 1005" in nuke.panels[0].values["checks"]
    assert node[node_knobs.NOTICE].value() == "The mattes were made again: publish them now"
    assert not versions.exists()


def test_without_windows_nothing_is_asked_and_what_is_not_ready_is_refused(tmp_path: Path) -> None:
    from fakes.nuke import rotopaint
    from fakes.prompted_server import PromptedServer
    from masklet.client import Server
    from masklet.hosting.work.connection import Connection
    from masklet_nuke.masklet_node import make_node
    from masklet_nuke.publish_dialog import publish

    nuke = FakeNuke(gui=False)
    loop = Runtime(nuke, Connection(lambda settings: Server(PromptedServer())), rotopaint)
    node = cast("FakeNode", make_node(nuke))
    versions = with_mattes(nuke, node, tmp_path, states=(ObjectStates("hero", FRAMES, UNCERTAIN),))

    with pytest.raises(BadInputError, match="hero may be lost"):
        publish(loop, node)
    sheets.accepting(
        sheet := sheets.open_sheet(sheets.shot_of([f"{tmp_path}/mattes/shot_mattes.%04d.exr"])),
        sheet.problems,
    )
    publish(loop, node)

    assert (versions / "v001").is_dir()
    loop.close()


def test_a_node_without_mattes_says_what_to_do_first(nuke: FakeNuke, loop: Runtime, node: FakeNode) -> None:
    nuke.press(node, "masklet_publish")

    assert nuke.messages == [
        "there are no mattes of this plate to publish yet: get the mattes, then publish them"
    ]
