"""Exports by the panel's dialog: into a folder, never over what others wrote."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from Qt import QtWidgets

from fakes.panel_server import PanelServer
from masklet.anchors import AnchorKind
from masklet.events import MatteFormat
from masklet.types import FrameRange
from masklet_panel.panel_model import PanelModel
from masklet_panel.working.export_dialog import ExportDialog
from masklet_panel.working.tracking import Tracking


@pytest.fixture
def dialog(model: PanelModel, settle: Callable[[], None], tmp_path: Path) -> ExportDialog:
    Tracking(model).both()
    settle()
    made = ExportDialog(model)
    made.folder.setText(str(tmp_path / "out"))
    made.show()
    settle()
    return made


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_mattes_are_written_where_the_artist_says_and_the_panel_says_how_many(
    model: PanelModel, dialog: ExportDialog, server: PanelServer, settle: Callable[[], None], tmp_path: Path
) -> None:
    dialog.format.setCurrentIndex(list(MatteFormat).index(MatteFormat.EXR_PER_OBJECT))
    dialog.export()
    settle()

    request = server.exported[-1]
    assert request.matte_format is MatteFormat.EXR_PER_OBJECT
    assert "plate.1001.exr" in names(tmp_path / "out")
    assert model.notice is not None
    assert not model.notice.is_alarm
    assert str(tmp_path / "out") in model.notice.sentence


def test_chosen_objects_and_the_range_are_exported_where_that_is_asked(
    model: PanelModel, server: PanelServer, dialog: ExportDialog, settle: Callable[[], None], tmp_path: Path
) -> None:
    model.set_span(FrameRange(1010, 1020))
    model.select(("u2",))
    again = ExportDialog(model)
    again.folder.setText(str(tmp_path / "out"))
    assert again.range.currentText() == "1010 to 1020"
    again.whom.setCurrentIndex(1)

    again.export()
    settle()

    request = server.exported[-1]
    assert (request.object_ids, request.frames) == ((2,), FrameRange(1010, 1020))


def test_shapes_anchors_and_files_for_every_tool_come_with_them(
    model: PanelModel, dialog: ExportDialog, server: PanelServer, settle: Callable[[], None], tmp_path: Path
) -> None:
    dialog.name.setText("shot")
    dialog.shapes.setChecked(True)
    dialog.tolerance.setValue(0.5)
    dialog.anchors[AnchorKind.SIMILARITY].setChecked(True)
    for box in dialog.tools.values():
        box.setChecked(True)

    dialog.export()
    settle()

    written = names(tmp_path / "out")
    assert {"shot.nk", "shot.comp", "shot.setting", "shot.json", "shot.otio", "shot_masks.jsx"} <= set(
        written
    )
    assert {request.kind for request in server.anchored} == {AnchorKind.SIMILARITY}


def test_files_of_others_stop_the_export_in_the_panels_own_words(
    model: PanelModel, dialog: ExportDialog, settle: Callable[[], None], tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    foreign = tmp_path / "out/plate.1001.exr"
    foreign.write_bytes(b"somebody else's")

    dialog.export()
    settle()

    assert foreign.read_bytes() == b"somebody else's"
    assert model.notice is not None
    assert model.notice.is_alarm
    assert "choose the next version" in model.notice.sentence
    assert "--" not in model.notice.sentence


def test_the_next_version_is_written_beside_the_one_before(
    model: PanelModel, dialog: ExportDialog, settle: Callable[[], None], tmp_path: Path
) -> None:
    dialog.version.setChecked(True)
    dialog.export()
    settle()
    again = ExportDialog(model)
    again.folder.setText(str(tmp_path / "out"))
    again.version.setChecked(True)
    again.export()
    settle()

    assert names(tmp_path / "out") == ["v001", "v002"]
    assert "plate.1001.exr" in names(tmp_path / "out/v002")


def test_a_name_that_no_file_can_have_is_told_and_the_dialog_stays(
    model: PanelModel, dialog: ExportDialog, server: PanelServer
) -> None:
    dialog.name.setText("a/b")

    dialog.export()

    assert dialog.isVisible()
    assert server.exported == []
    assert model.notice is not None


def test_a_folder_that_cannot_be_made_is_told(
    model: PanelModel, dialog: ExportDialog, settle: Callable[[], None], tmp_path: Path
) -> None:
    dialog.folder.setText(str(tmp_path / "plate.1001.png/mattes"))

    dialog.export()
    settle()

    assert model.notice is not None
    assert model.notice.is_alarm
    assert model.job is None


def test_every_field_has_a_name_for_a_screen_reader(dialog: ExportDialog) -> None:
    kinds = (QtWidgets.QAbstractButton, QtWidgets.QComboBox, QtWidgets.QDoubleSpinBox)
    for kind in kinds:
        for one in dialog.findChildren(kind):
            assert one.accessibleName() or getattr(one, "text", str)(), one
    assert dialog.folder.accessibleName() == "Folder"
