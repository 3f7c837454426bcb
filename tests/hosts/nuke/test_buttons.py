"""A node's buttons, from the first object to native results: pressed as an artist presses them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.nuke import FakeNuke
from fakes.nuke.nodes import FakeNode
from fakes.prompted_server import PromptedServer
from masklet.client import Server
from masklet.errors import BadInputError
from masklet.hosting.work.jobs import Job
from masklet.hosting.work.plate_session import PlateSession
from masklet.types import Click, ObjectInfo, Presence
from masklet_nuke import documents, node_knobs, prompting
from masklet_nuke.callbacks import knob_changed, script_changed
from masklet_nuke.farm import missing
from masklet_nuke.runtime import Runtime
from nuke_scripts import run


@pytest.fixture
def tracked(nuke: FakeNuke, loop: Runtime, node: FakeNode, server: PromptedServer) -> FakeNode:
    """A node whose object was clicked and tracked."""
    server.objects = [ObjectInfo(1, "hero", ())]
    nuke.answers.append("hero")
    nuke.press(node, "masklet_add_object")
    prompting.add_click(loop, node, 20.0, 18.0, positive=True)
    nuke.press(node, "masklet_track")
    run(nuke, loop)
    return node


@pytest.fixture
def saved(nuke: FakeNuke, tmp_path: Path) -> Path:
    """The script was saved in this folder."""
    nuke.root()["name"].setValue(str(tmp_path / "shot.nk"))
    return tmp_path


def test_every_button_has_its_script(nuke: FakeNuke, node: FakeNode) -> None:
    from masklet_nuke import buttons

    for command, *_ in node_knobs.BUTTONS:
        assert callable(getattr(buttons, command))
        assert command in node[f"masklet_{command}"].raw


def test_without_masklet_a_button_prints_one_sentence(
    nuke: FakeNuke, node: FakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "nuke", nuke)  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "masklet_nuke.buttons", None)

    nuke.press(node, "masklet_track")

    assert nuke.printed == ['masklet is not installed in this Nuke: run "masklet install nuke"']


def test_an_object_is_added_clicked_and_tracked_with_a_progress_bar(
    nuke: FakeNuke, tracked: FakeNode, server: PromptedServer
) -> None:
    assert tracked[node_knobs.OBJECT].value() == "hero"
    assert server.calls == ["add", "click"]
    assert [task.name for task in nuke.tasks][-1] == "Tracking"
    assert tracked["masklet_state_1"].getValueAt(1012) == 1.0
    assert tracked["masklet_state_1"].getValueAt(1013) == 0.0
    assert tracked[node_knobs.NOTICE].value() == "Tracked"


def test_a_bar_that_is_cancelled_stops_the_work(
    nuke: FakeNuke, loop: Runtime, node: FakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fakes.nuke import application

    monkeypatch.setattr(application.FakeTask, "isCancelled", lambda self: bool(self.percents[1:]))
    done: list[int] = []

    def endless(session: PlateSession, job: Job, server: Server) -> Iterator[object]:
        while not job.is_cancelled:
            time.sleep(0.002)
            done.append(1)
            job.done, job.total = 3, 6
        yield from ()

    loop.start(node, "Tracking", endless, wait=False)
    run(nuke, loop)

    assert done
    assert nuke.tasks[-1].percents[-1] == 50


def test_what_is_refused_is_a_sentence_in_a_window(nuke: FakeNuke, loop: Runtime, node: FakeNode) -> None:
    nuke.press(node, "masklet_track")
    nuke.press(node, "masklet_clear_frame")
    nuke.press(node, "masklet_mask_from_roto")

    assert "nothing was said yet" in nuke.messages[0]
    assert all("Add Object" in message for message in nuke.messages[1:])


def test_an_object_is_found_again_on_a_frame_and_taken_with_one_click_that_can_be_undone(
    nuke: FakeNuke, loop: Runtime, tracked: FakeNode, server: PromptedServer
) -> None:
    nuke.frame(1010)
    nuke.press(tracked, "masklet_find_again")
    run(nuke, loop)

    assert tracked[node_knobs.PLACE].values() == ["1: 90 % alike"]
    assert "1 places" not in tracked[node_knobs.NOTICE].value()
    assert "frame 1010" in tracked[node_knobs.NOTICE].value()
    # From the bottom left, as Nuke counts.
    assert tracked["masklet_found_1"].value() == [3.0, 35.0]
    assert tracked["masklet_found_1"].visible
    steps = len(nuke.Undo.steps)

    nuke.press(tracked, "masklet_take_place")
    run(nuke, loop)

    (said,) = loop.host.document(tracked)
    assert said.at(1010).clicks == (Click(3.0, 1.0),)
    assert server.calls[-1] == "click"
    assert len(nuke.Undo.steps) == steps + 1
    assert not tracked["masklet_found_1"].visible
    assert tracked[node_knobs.PLACE].values() == [node_knobs.NO_PLACE]
    assert "frame 1010" not in tracked[node_knobs.NOTICE].value(), "it asks for what was done"
    nuke.Undo.take_back()
    assert loop.host.document(tracked)[0].at(1010).is_empty


def test_places_are_not_looked_for_where_something_is_said_nor_taken_before_a_look(
    nuke: FakeNuke, loop: Runtime, tracked: FakeNode
) -> None:
    nuke.frame(1001)
    nuke.press(tracked, "masklet_find_again")
    run(nuke, loop)
    nuke.press(tracked, "masklet_take_place")

    assert "something is said about hero on frame 1001 already" in tracked[node_knobs.NOTICE].value()
    assert nuke.messages == ["press Find Again first, on a frame that shows the object"]


def test_mattes_are_layers_of_the_node_alpha_of_all_and_reads_of_their_own(
    nuke: FakeNuke, loop: Runtime, tracked: FakeNode, saved: Path
) -> None:
    nuke.press(tracked, "masklet_get_mattes")
    run(nuke, loop)

    inside = {each.name(): each for each in tracked.nodes()}
    assert inside["mattes_hero"]["raw"].value() is True
    assert inside["mattes_hero"]["on_error"].value() == "error"
    assert inside["layer_hero"]["to0"].value() == "hero.alpha"
    assert inside["alpha"]["expr0"].value() == "hero.alpha"
    assert (tracked.nodes()[0].kind, inside["range"]["first_frame"].value()) == ("Input", 1001)
    file = Path(inside["mattes_hero"]["file"].value() % 1005)
    assert file.is_file()
    assert file.is_relative_to(saved / "masklet" / "shot")
    (read,) = [each for each in nuke.allNodes("Read") if each.knob("masklet_result")]
    assert read["file"].value() == inside["mattes_hero"]["file"].value()
    assert len(nuke.allNodes("BackdropNode")) == 1
    assert nuke.Undo.steps[-1][0] == "masklet: mattes"

    nuke.press(tracked, "masklet_get_mattes")
    run(nuke, loop)

    assert len([each for each in nuke.allNodes("Read") if each.knob("masklet_result")]) == 1


def test_alpha_is_of_the_object_that_is_chosen(
    nuke: FakeNuke, loop: Runtime, tracked: FakeNode, saved: Path
) -> None:
    nuke.answers.append("duck")
    nuke.press(tracked, "masklet_add_object")
    prompting.add_click(loop, tracked, 5.0, 6.0, positive=True)
    nuke.press(tracked, "masklet_track")
    run(nuke, loop)
    nuke.press(tracked, "masklet_get_mattes")
    run(nuke, loop)
    alpha = next(each for each in tracked.nodes() if each.name() == "alpha")
    assert alpha["expr0"].value() == "max(hero.alpha, duck.alpha)"

    nuke.callbacks["knobChanged"] = [(knob_changed, "Group")]
    tracked.is_open = True
    nuke.artist_sets(tracked, node_knobs.OUTPUT, "duck")

    assert alpha["expr0"].value() == "duck.alpha"

    # Another name changes nothing, and an object without mattes is no black and no other one's matte.
    nuke.answers += ["Ente", "hat"]
    nuke.press(tracked, "masklet_rename_object")
    run(nuke, loop)
    assert tracked[node_knobs.OUTPUT].value() == "Ente"
    assert alpha["expr0"].value() == "duck.alpha"
    nuke.press(tracked, "masklet_add_object")
    run(nuke, loop)
    nuke.artist_sets(tracked, node_knobs.OUTPUT, "hat")
    assert alpha["expr0"].value() == "hat_has_no_mattes_yet"
    write = nuke.nodes.Write(inputs=[tracked])
    assert "has no mattes of hat yet" in missing(write, 1005)


def test_a_node_inside_of_a_group_says_where_it_has_to_be(
    nuke: FakeNuke, loop: Runtime, node: FakeNode
) -> None:
    outer = nuke.nodes.Group(name="Outer")
    kept = nuke.copied(node)
    outer.begin()
    inner = nuke.pasted(kept)
    outer.end()

    nuke.press(inner, "masklet_add_object")

    assert "lies inside of a group" in nuke.messages[0]


def test_a_roto_is_fitted_for_nukes_own_curve(
    nuke: FakeNuke, loop: Runtime, tracked: FakeNode, server: PromptedServer
) -> None:
    from masklet.interpolation import Interpolation

    nuke.press(tracked, "masklet_make_roto")
    run(nuke, loop)

    assert server.rules == [Interpolation.NUKE_SMOOTH]
    (roto,) = nuke.allNodes("Roto")
    assert len(roto["curves"].rootLayer) >= 1
    assert "is a Roto with" in tracked[node_knobs.NOTICE].value()


def test_what_a_result_kept_and_lost_lies_beside_the_script_and_is_told(
    nuke: FakeNuke, loop: Runtime, tracked: FakeNode, saved: Path
) -> None:
    for button, file in (("make_roto", "hero_roto"), ("make_anchor", "hero_similarity")):
        nuke.press(tracked, f"masklet_{button}")
        run(nuke, loop)
        record = json.loads((saved / f"masklet/shot/{file}_nuke.record.json").read_text("utf-8"))
        assert record["format"] == "masklet-record"
        lost = [line for line in record["words"] if " approximated: " in line or " lost: " in line]
        assert all(line in tracked[node_knobs.NOTICE].value() for line in lost)
    assert "confidence approximated" in tracked[node_knobs.NOTICE].value()


def test_an_anchor_comes_home_and_what_is_selected_follows_it(
    nuke: FakeNuke, loop: Runtime, tracked: FakeNode, read: FakeNode
) -> None:
    nuke.press(tracked, "masklet_make_anchor")
    run(nuke, loop)
    nuke.press(tracked, "masklet_make_stabiliser")
    run(nuke, loop)
    for each in nuke.selectedNodes():
        each.setSelected(False)
    blur = nuke.nodes.Blur(inputs=[read])
    blur.setSelected(True)
    nuke.press(tracked, "masklet_attach")
    run(nuke, loop)

    kinds = [each.kind for each in nuke.allNodes() if each.knob("masklet_result")]
    assert kinds.count("Transform") == 3
    assert "Blur1 follows" in "".join(each.name().replace("_", " ") for each in nuke.allNodes("Transform"))
    assert "follow hero now" in tracked[node_knobs.NOTICE].value()


def test_a_cryptomatte_is_picked_by_the_objects_name(
    nuke: FakeNuke, loop: Runtime, tracked: FakeNode, saved: Path
) -> None:
    nuke.press(tracked, "masklet_make_cryptomatte")
    run(nuke, loop)

    (picked,) = nuke.allNodes("Cryptomatte")
    assert picked["matteList"].value() == "hero"
    assert picked.input(0).Class() == "Read"


def test_the_next_bad_frame_is_gone_to_in_the_scripts_own_numbers(
    nuke: FakeNuke, loop: Runtime, tracked: FakeNode, read: FakeNode
) -> None:
    read["frame_mode"].setValue("start at")
    read["frame"].setValue("1")
    nuke.current_frame = 1
    uid = documents.objects(tracked)[0].uid
    loop.memory(tracked).book.report(uid, 1006, Presence.UNCERTAIN)

    nuke.press(tracked, "masklet_next_bad")

    assert nuke.current_frame == 6
    assert "hero is uncertain" in tracked[node_knobs.NOTICE].value()


def test_a_run_of_frames_is_locked_and_takes_no_click(
    nuke: FakeNuke, loop: Runtime, tracked: FakeNode
) -> None:
    nuke.press(tracked, "masklet_lock")
    run(nuke, loop)

    (said,) = loop.host.document(tracked)
    assert said.is_locked(1001)
    assert said.masks
    with pytest.raises(BadInputError, match="is locked"):
        prompting.add_click(loop, tracked, 20.0, 18.0, positive=True)

    nuke.press(tracked, "masklet_unlock")
    run(nuke, loop)
    assert not loop.host.document(tracked)[0].is_locked(1001)


def test_a_click_is_one_step_of_undo_and_its_handle_goes_with_it(
    nuke: FakeNuke, loop: Runtime, tracked: FakeNode, server: PromptedServer
) -> None:
    nuke.callbacks["updateUI"] = [(script_changed, "Group")]
    nuke.call_back("updateUI", tracked)
    nuke.Undo.steps.clear()
    prompting.add_click(loop, tracked, 40.0, 10.0, positive=False)
    run(nuke, loop)
    assert [name for name, _ in nuke.Undo.steps] == ["masklet: click"]
    assert tracked["masklet_click_2"].value() == [40.0, 26.0]
    assert (tracked["masklet_click_2"].label, tracked["masklet_click_2"].visible) == ("- 2", True)
    nuke.call_back("updateUI", tracked)

    nuke.Undo.take_back()
    nuke.call_back("updateUI", tracked)
    run(nuke, loop)

    assert len(loop.host.document(tracked)[0].at(1001).clicks) == 1
    assert tracked["masklet_click_2"].visible is False
    assert server.calls[-1] == "undo"


def test_a_handle_that_is_dragged_moves_its_click_and_executes_nothing(
    nuke: FakeNuke, loop: Runtime, tracked: FakeNode
) -> None:
    nuke.callbacks["knobChanged"] = [(knob_changed, "Group")]
    tracked.is_open = True
    renders = len(nuke.renders)

    nuke.artist_sets(tracked, "masklet_click_1", [30.5, 35.5])

    (said,) = loop.host.document(tracked)
    assert (said.at(1001).clicks[0].x_px, said.at(1001).clicks[0].y_px) == (30.5, 0.5)
    assert len(nuke.renders) == renders
    # Nothing slow: the masks of locked frames are not even looked at.
    tracked[node_knobs.LOCKED_MASKS].setValue("[{")
    nuke.artist_sets(tracked, "masklet_click_1", [31.5, 35.5])
    assert documents.objects(tracked)[0].at(1001).clicks[0].x_px == 31.5
    tracked[node_knobs.LOCKED_MASKS].setValue("")
    run(nuke, loop)


def test_a_box_has_two_handles_with_its_lower_corner_first(
    nuke: FakeNuke, loop: Runtime, tracked: FakeNode
) -> None:
    prompting.set_box(loop, tracked, (30.0, 4.0), (10.0, 20.0))
    run(nuke, loop)

    assert tracked["masklet_box_low"].value() == [10.0, 16.0]
    assert tracked["masklet_box_high"].value() == [30.0, 32.0]
    nuke.callbacks["knobChanged"] = [(knob_changed, "Group")]
    tracked.is_open = True
    nuke.artist_sets(tracked, "masklet_box_high", [40.0, 30.0])
    box = loop.host.document(tracked)[0].at(1001).box
    assert box is not None
    assert (box.left_px, box.top_px, box.right_px, box.bottom_px) == (10.0, 6.0, 40.0, 20.0)
    run(nuke, loop)


def test_handles_stand_where_the_current_frame_says(nuke: FakeNuke, loop: Runtime, tracked: FakeNode) -> None:
    nuke.callbacks["updateUI"] = [(script_changed, "Group")]
    nuke.frame(1004)
    nuke.call_back("updateUI", tracked)
    assert tracked["masklet_click_1"].visible is False

    nuke.frame(1001)
    nuke.call_back("updateUI", tracked)
    assert tracked["masklet_click_1"].visible is True
    assert tracked["masklet_click_1"].value() == [20.0, 18.0]


def test_without_windows_a_button_waits_and_raises_what_went_wrong(
    server: PromptedServer, files: Path, tmp_path: Path
) -> None:
    from fakes.nuke import rotopaint
    from masklet.hosting.work.connection import Connection
    from masklet_nuke.masklet_node import make_node
    from masklet_nuke.runtime import set_runtime
    from nuke_scripts import new_read

    nuke = FakeNuke(gui=False)
    node = make_node(nuke)
    node.setInput(0, new_read(nuke, files))
    loop = Runtime(nuke, Connection(lambda settings: Server(server)), rotopaint)
    set_runtime(loop)
    try:
        nuke.root()["name"].setValue(str(tmp_path / "shot.nk"))
        nuke.current_frame = 1001
        with pytest.raises(BadInputError, match="nothing was said yet"):
            nuke.press(node, "masklet_track")
        prompting.add_click(loop, node, 20.0, 18.0, positive=True)
        nuke.press(node, "masklet_track")
        nuke.press(node, "masklet_get_mattes")
        assert len(list((tmp_path / "masklet").rglob("*.exr"))) == 12
        assert nuke.printed[0].startswith("masklet: nothing was said yet")
    finally:
        loop.close()
        set_runtime(None)


def test_renaming_keeps_the_object_chosen(nuke: FakeNuke, loop: Runtime, tracked: FakeNode) -> None:
    nuke.answers.append("Ente")
    nuke.press(tracked, "masklet_rename_object")
    run(nuke, loop)

    assert tracked[node_knobs.OBJECT].value() == "Ente"
    assert loop.host.document(tracked) == (replace(loop.host.document(tracked)[0], name="Ente"),)
