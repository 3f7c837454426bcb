"""Submitting by the panel's dialog: a job is there, and what came of it is told when the document opens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from Qt import QtWidgets

from masklet.farm.job import read_job
from masklet.farm.places import JobPlaces
from masklet.farm.results import ShotResult, keep_result
from masklet_panel.panel_model import PanelModel
from masklet_panel.working.export_dialog import ExportDialog


def test_a_shot_is_submitted_and_its_results_are_told_when_its_document_opens_again(
    model: PanelModel, settle: Callable[[], None]
) -> None:
    document = model.file
    assert document is not None
    for frame in range(1001, 1013):
        (document.parent / f"plate.{frame}.png").write_bytes(b"picture %d" % frame)
    model.host.settings = replace(model.host.settings, quality="best")
    dialog = ExportDialog(model).show_farm()
    assert dialog is not None
    shapes, tool, comment = (dialog.lines[name] for name in ("shapes", "tool", "comment"))
    assert isinstance(shapes, QtWidgets.QCheckBox)
    assert isinstance(tool, QtWidgets.QComboBox)
    assert isinstance(comment, QtWidgets.QLineEdit)
    shapes.setChecked(True)
    tool.setCurrentText("fusion")
    comment.setText("for tuesday")
    bundle = Path(dialog.sheet.job)
    settle()
    dialog.submit()
    settle()

    job = read_job(bundle)
    assert (job.request.extras.tools, job.request.comment) == (("fusion",), "for tuesday")
    # As the artist has seen the masks, so the farm makes them.
    assert (job.request.weights, job.request.quality) == (None, "best")
    assert job.shots[0].home == str(document)
    assert model.notice is not None
    assert model.notice.sentence.startswith(f"The job is {bundle}")

    keep_result(JobPlaces(bundle / "out"), ShotResult(job.shots[0].name, "k", False, "hero flickers on 1003"))
    model.open(str(document))
    settle()
    assert model.notice is not None
    assert model.notice.sentence == "The farm's check did not pass: hero flickers on 1003"


def test_without_a_plate_there_is_nothing_to_submit(model: PanelModel, settle: Callable[[], None]) -> None:
    model.close()
    settle()
    assert ExportDialog(model).show_farm() is None
