"""The shared panel beside a node: docked, and both say the same; without it there is one sentence."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from fakes.nuke import FakeNuke
from fakes.nuke.nodes import FakeNode
from fakes.prompted_server import PromptedServer
from masklet.hosting import kept_plate
from masklet.hosting.kept_plate import KeptPlate, with_document
from masklet.said.documents import Document, SaidObject, with_click
from masklet.types import Click
from masklet_nuke import documents, panel_pane, panel_seam, prompting
from masklet_nuke.callbacks import script_changed
from masklet_nuke.runtime import Runtime
from nuke_scripts import run


class FakeSignal:
    """A signal of Qt."""

    def __init__(self) -> None:
        self.slots: list[Callable[..., object]] = []

    def connect(self, slot: Callable[..., object]) -> None:
        self.slots.append(slot)

    def emit(self) -> None:
        for slot in self.slots:
            slot()


class FakePanel:
    """``masklet_panel.panel_widget.PanelWidget`` without Qt: a document, and what was sent of it."""

    made: ClassVar[list[FakePanel]] = []

    def __init__(self, settings: object, connection: object) -> None:
        self.workspace = types.SimpleNamespace(model=self)
        self.document_changed, self.states_changed, self.destroyed = FakeSignal(), FakeSignal(), FakeSignal()
        self.kept: KeptPlate | None = None
        self.connection = connection
        FakePanel.made.append(self)

    def open(self, path: str) -> bool:
        self.kept, _ = kept_plate.read(Path(path))
        return True

    @property
    def document(self) -> Document:
        return () if self.kept is None else self.kept.document

    def edit(self, document: Document) -> None:
        assert self.kept is not None
        self.kept = with_document(self.kept, document)
        self.document_changed.emit()


@pytest.fixture
def panes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """Where panels were docked."""
    places: list[object] = []

    def register(widget: str, name: str, identifier: str, create: bool) -> object:
        assert widget == "masklet_nuke.panel_pane.made_widget()"
        assert create
        return types.SimpleNamespace(addToPane=places.append)

    panels = types.ModuleType("nukescripts.panels")
    panels.registerWidgetAsPanel = register  # type: ignore[attr-defined]
    widgets = types.ModuleType("masklet_panel.panel_widget")
    widgets.PanelWidget = FakePanel  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "nukescripts", types.ModuleType("nukescripts"))
    monkeypatch.setitem(sys.modules, "nukescripts.panels", panels)
    monkeypatch.setitem(sys.modules, "masklet_panel.panel_widget", widgets)
    FakePanel.made.clear()
    yield places
    panel_seam._docked.clear()


def test_without_a_panel_there_is_one_sentence(
    nuke: FakeNuke, loop: Runtime, node: FakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "masklet_panel.panel_widget", None)

    nuke.press(node, "masklet_open_panel")

    assert "panel cannot be opened in this Nuke" in nuke.messages[0]
    assert "own buttons do the same" in nuke.messages[0]


def test_the_panel_is_docked_with_the_nodes_plate_and_its_prompts(
    nuke: FakeNuke, loop: Runtime, node: FakeNode, panes: list[object], files: Path
) -> None:
    prompting.add_click(loop, node, 20.0, 18.0, positive=True)
    run(nuke, loop)

    nuke.press(node, "masklet_open_panel")

    (panel,) = FakePanel.made
    assert panes == ["Properties.1"]
    assert panel_pane.made_widget() is panel
    assert panel.connection is loop.connection
    assert panel.kept is not None
    assert (panel.kept.path, panel.kept.uid) == (str(files), loop.host.uid(node))
    assert panel.document == loop.host.document(node)
    assert panel.kept.session.session_id == "session1"


def test_what_is_said_in_the_panel_is_said_in_the_script_in_one_step_of_undo(
    nuke: FakeNuke, loop: Runtime, node: FakeNode, panes: list[object], server: PromptedServer
) -> None:
    prompting.add_object(loop, node, "hero")
    run(nuke, loop)
    nuke.press(node, "masklet_open_panel")
    (panel,) = FakePanel.made
    (said,) = panel.document
    nuke.Undo.steps.clear()
    before = list(server.calls)

    panel.edit((with_click(said, 1001, Click(5.0, 6.0)),))

    assert loop.host.document(node) == panel.document
    assert node["masklet_click_1"].value() == [5.0, 30.0]
    assert [name for name, _ in nuke.Undo.steps] == ["masklet: panel"]
    assert server.calls == before, "the panel sends it, not Nuke"

    nuke.callbacks["updateUI"] = [(script_changed, "Group")]
    nuke.call_back("updateUI", node)
    nuke.Undo.take_back()
    nuke.call_back("updateUI", node)
    assert panel.document == loop.host.document(node) == (SaidObject(said.uid, "hero"),)


def test_what_is_said_in_nuke_goes_to_the_panel_and_is_sent_once(
    nuke: FakeNuke, loop: Runtime, node: FakeNode, panes: list[object], server: PromptedServer
) -> None:
    prompting.add_object(loop, node, "hero")
    run(nuke, loop)
    nuke.press(node, "masklet_open_panel")
    (panel,) = FakePanel.made
    before = list(server.calls)

    prompting.add_click(loop, node, 7.0, 8.0, positive=True)
    run(nuke, loop)

    assert panel.document == loop.host.document(node)
    assert server.calls == before

    panel.destroyed.emit()
    prompting.add_click(loop, node, 9.0, 8.0, positive=False)
    run(nuke, loop)
    assert len(server.calls) > len(before)


def test_states_that_the_panel_knows_are_curves_of_the_node(
    nuke: FakeNuke, loop: Runtime, node: FakeNode, panes: list[object]
) -> None:
    from dataclasses import replace

    prompting.add_object(loop, node, "hero")
    run(nuke, loop)
    nuke.press(node, "masklet_open_panel")
    (panel,) = FakePanel.made
    assert panel.kept is not None
    (said,) = documents.objects(node)
    panel.kept = replace(
        panel.kept, states={said.uid: '[[1003, 1005, "uncertain", false, false, false, true]]'}
    )

    panel.states_changed.emit()

    assert [node["masklet_state_1"].getValueAt(frame) for frame in (1002, 1003, 1005, 1006)] == [
        0,
        0.5,
        0.5,
        0,
    ]
