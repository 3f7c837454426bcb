"""Nuke keeps what every host keeps, and what is said lives in the script."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fakes.nuke import FakeNuke
from fakes.nuke.nodes import FakeFormat, FakeNode
from fakes.prompted_server import PromptedServer
from host_contract import CHECKS, LOCKED, SECOND
from masklet.errors import BadInputError
from masklet.hosting.ports import Host
from masklet.said.documents import SaidObject
from masklet.types import Click, FramePrompts
from masklet_nuke import node_knobs
from masklet_nuke.masklet_node import make_node
from masklet_nuke.runtime import Runtime
from nuke_scripts import run

HERO = SaidObject("u1", "hero", (FramePrompts(0, 1001, (Click(20.0, 18.0),)),))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_nuke_keeps_the_contract(
    check: Callable[[Host[Any], Any], None], loop: Runtime, node: FakeNode
) -> None:
    check(loop.host, node)


def test_a_click_reaches_the_server_from_the_nodes_knobs_and_its_state_comes_back_as_a_curve(
    nuke: FakeNuke, loop: Runtime, node: FakeNode, server: PromptedServer
) -> None:
    loop.host.adopt(node)
    loop.host.take(node, (HERO,))

    loop.synchronise(node, wait=False)
    run(nuke, loop)

    assert server.calls[0] == "add"
    assert loop.memory(node).masks.get("u1", 1001) is not None
    assert node["masklet_state_1"].getValueAt(1001) == 1.0
    assert node["masklet_state_1"].getValueAt(1002) == 0.0


def test_what_the_loop_keeps_by_itself_is_no_step_of_undo(
    nuke: FakeNuke, loop: Runtime, node: FakeNode
) -> None:
    loop.host.adopt(node)
    loop.host.take(node, (LOCKED,))

    loop.synchronise(node, wait=False)
    run(nuke, loop)

    assert loop.host.session(node).session_id == "session1"
    assert nuke.Undo.steps == []


def test_a_script_that_was_saved_and_opened_again_knows_everything(
    nuke: FakeNuke, loop: Runtime, node: FakeNode
) -> None:
    uid = loop.host.adopt(node)
    loop.host.take(node, (LOCKED, SECOND))
    kept = nuke.copied(node)
    nuke.delete(node)

    again = nuke.pasted(kept)

    assert loop.host.adopt(again) == uid
    assert loop.host.document(again) == (LOCKED, SECOND)


def test_a_pasted_copy_keeps_the_prompts_and_gets_a_name_and_a_session_of_its_own(
    nuke: FakeNuke, loop: Runtime, node: FakeNode
) -> None:
    uid = loop.host.adopt(node)
    loop.host.take(node, (HERO,))
    loop.synchronise(node, wait=False)
    run(nuke, loop)

    copy = nuke.pasted(nuke.copied(node))

    assert copy.name() != node.name()
    assert loop.host.adopt(copy) != uid
    assert loop.host.adopt(node) == uid
    assert [said.name for said in loop.host.document(copy)] == ["hero"]
    assert loop.host.session(copy).session_id == ""


def test_renaming_a_node_keeps_its_name_of_ours(nuke: FakeNuke, loop: Runtime, node: FakeNode) -> None:
    uid = loop.host.adopt(node)
    node.setName("hero_roto")

    assert loop.host.adopt(node) == uid
    assert node[node_knobs.KNOWN_NAME].value() == "hero_roto"


def test_an_undo_of_prompts_is_followed_by_the_server(
    nuke: FakeNuke, loop: Runtime, node: FakeNode, server: PromptedServer
) -> None:
    from masklet_nuke import documents

    loop.host.adopt(node)
    documents.take(node, (HERO,))
    loop.synchronise(node, wait=False)
    run(nuke, loop)

    nuke.Undo.take_back()
    loop.after_history()
    run(nuke, loop)

    assert loop.host.document(node) == ()
    assert server.calls[-1] == "remove"


def test_another_thread_may_not_touch_the_script(loop: Runtime, node: FakeNode) -> None:
    errors: list[Exception] = []

    def touch() -> None:
        try:
            loop.host.document(node)
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=touch)
    thread.start()
    thread.join()

    assert "main thread only" in str(errors[0])


def test_a_node_without_a_plate_says_so(nuke: FakeNuke, loop: Runtime) -> None:
    lonely = make_node(nuke)

    with pytest.raises(BadInputError, match="nothing is connected to Masklet1"):
        loop.host.source(lonely)


def test_damaged_knobs_are_told_and_nothing_is_written_over(loop: Runtime, node: FakeNode) -> None:
    node[node_knobs.DOCUMENT].setValue("[{")

    with pytest.raises(BadInputError, match="was damaged"):
        loop.host.document(node)

    assert node[node_knobs.DOCUMENT].value() == "[{"


def test_a_plate_is_read_at_full_size_whatever_proxy_is_shown(
    nuke: FakeNuke, loop: Runtime, node: FakeNode, read: FakeNode, files: Path
) -> None:
    nuke.scale = 0.5
    read.picture = FakeFormat(2048, 858, 2.0)

    source = loop.host.source(node)

    assert (source.width_px, source.height_px, source.path) == (2048, 858, str(files))
    assert source.reading.colour_space == "sRGB"
