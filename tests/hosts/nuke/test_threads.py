"""Nuke's nodes, knobs and calls belong to its main thread: by type, in the source, and in the stand-in."""

from __future__ import annotations

import ast
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import masklet_nuke
from fakes.nuke import FakeNuke
from fakes.nuke.nodes import FakeNode
from masklet_nuke.api import AnyThread, Nuke, any_thread
from masklet_nuke.ticking import Ticking

SOURCES = sorted(Path(next(iter(masklet_nuke.__path__))).glob("*.py"))
OF_THE_MAIN_THREAD = {"node", "nuke", "runtime", "own", "results", "loop", "self"}
"""What the source calls things of Nuke, or what holds them."""
RUNS_WORK = {"start", "_work"}


def members(protocol: type) -> set[str]:
    return {name for name in vars(protocol) if not name.startswith("_")}


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for file in SOURCES:
        yield file, ast.parse(file.read_text(encoding="utf-8"))


def works() -> Iterator[tuple[str, ast.Lambda]]:
    """What jobs run in their threads."""
    for file, tree in trees():
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call):
                continue
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if name in RUNS_WORK:
                yield from ((file.name, one) for one in call.args if isinstance(one, ast.Lambda))


def test_what_a_thread_may_call_is_a_type_of_its_own_and_no_part_of_the_main_threads() -> None:
    assert members(AnyThread) == {"executeInMainThread", "executeInMainThreadWithResult"}
    assert members(AnyThread) & members(Nuke) == set()
    # The module itself has both.
    assert all(hasattr(FakeNuke, name) for name in members(AnyThread))


def test_no_class_that_starts_a_thread_is_given_nuke() -> None:
    found = []
    for file, tree in trees():
        for owner in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
            text = ast.unparse(owner)
            if "threading.Thread(" in text:
                found.append(owner.name)
                annotations = [
                    ast.unparse(argument.annotation)
                    for made in owner.body
                    if isinstance(made, ast.FunctionDef) and made.name == "__init__"
                    for argument in made.args.args
                    if argument.annotation is not None
                ]
                assert not {"Nuke", "Node", "Group"} & set(annotations), f"{file.name}: {owner.name}"
    assert found == ["_Beating", "Ticking"]


def test_the_work_of_a_job_holds_nothing_of_nuke() -> None:
    found = list(works())
    for name, work in found:
        own = {argument.arg for argument in work.args.args}
        used = {node.id for node in ast.walk(work.body) if isinstance(node, ast.Name)} - own
        assert used & OF_THE_MAIN_THREAD == set(), f"{name}:{work.lineno}"
    assert len(found) >= 5


def test_a_beat_is_called_in_the_main_thread_and_nowhere_else(nuke: FakeNuke) -> None:
    seen: list[int] = []

    def beat() -> bool:
        seen.append(threading.get_ident())
        nuke.root()
        return len(seen) < 3

    ticking = Ticking(any_thread(nuke), beat, 0.001, has_windows=True)
    ticking.keep_on()
    while len(seen) < 3:
        nuke.pump()

    assert set(seen) == {threading.get_ident()}


def test_every_part_of_the_stand_in_refuses_another_thread(nuke: FakeNuke, node: FakeNode) -> None:
    calls = {
        "a knob": lambda: node["label"].value(),
        "a knob that is set": lambda: node["label"].setValue("x"),
        "a node": lambda: node.name(),
        "an input": lambda: node.input(0),
        "the script": nuke.root,
        "a frame": nuke.frame,
        "nodes": nuke.allNodes,
        "making one": lambda: nuke.nodes.Dot(),
        "undo": lambda: nuke.Undo.begin("x"),
        "a render": lambda: nuke.execute(node, 1, 1),
    }
    refused: list[str] = []

    def touch() -> None:
        for what, call in calls.items():
            with pytest.raises(RuntimeError, match="main thread only"):
                call()
            refused.append(what)

    thread = threading.Thread(target=touch)
    thread.start()
    thread.join()

    assert refused == list(calls)
