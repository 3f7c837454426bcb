"""Publishing by the panel's dialog: what was looked at is ticked, and a version is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from Qt import QtWidgets

from fakes.published_shot import FRAMES, UNCERTAIN, make_shot
from masklet.publish.shot_record import ObjectStates
from masklet_panel.panel_model import PanelModel
from masklet_panel.working.export_dialog import ExportDialog
from masklet_panel.working.publish_dialog import PublishDialog


def opened(model: PanelModel, folder: Path) -> PublishDialog:
    export = ExportDialog(model)
    export.folder.setText(str(folder))
    dialog = export.show_publish()
    assert dialog is not None
    return dialog


def test_what_is_ready_is_published_and_told(
    model: PanelModel, settle: Callable[[], None], tmp_path: Path
) -> None:
    dialog = opened(model, make_shot(tmp_path).mattes)
    dialog.comment.setText("hair fixed")
    settle()

    assert dialog.windowTitle() == "Publish shot, version 1"
    labels = [label.text() for label in dialog.findChildren(QtWidgets.QLabel)]
    assert sum(text.startswith("✓") for text in labels) == 9
    dialog.publish()
    settle()

    version = tmp_path / "published/shot/v001"
    assert "hair fixed" in next(version.glob("*.version.json")).read_text(encoding="utf-8")
    assert model.notice is not None
    assert str(version) in model.notice.sentence


def test_what_is_not_ready_stays_open_until_it_is_ticked(
    model: PanelModel, settle: Callable[[], None], tmp_path: Path
) -> None:
    dialog = opened(model, make_shot(tmp_path, states=(ObjectStates("hero", FRAMES, UNCERTAIN),)).mattes)
    dialog.publish()
    settle()

    assert dialog.isVisible()
    assert not (tmp_path / "published").exists()
    ((box, problem),) = dialog.boxes
    assert "hero may be lost" in problem.words
    box.setChecked(True)
    dialog.publish()
    settle()

    assert (tmp_path / "published/shot/v001").is_dir()


def test_a_folder_without_mattes_is_a_sentence(
    model: PanelModel, settle: Callable[[], None], tmp_path: Path
) -> None:
    export = ExportDialog(model)
    export.folder.setText(str(tmp_path))

    assert export.show_publish() is None
    assert model.notice is not None
    assert "export them first" in model.notice.sentence
