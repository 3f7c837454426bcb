"""In a host's Python: the desktop's own window, which tells a test where things are on the screen.

Argument: the file to tell it in.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from masklet.hosting.work.connection import ConnectionSettings
from masklet_panel import desktop
from masklet_panel.panel_widget import PanelWidget
from masklet_panel.qt import QtCore, QtWidgets

told = Path(sys.argv[1])


def tell() -> None:
    """Where the plate's pixels are on the screen, and what shows."""
    for panel in QtWidgets.QApplication.allWidgets():
        if isinstance(panel, PanelWidget):
            temporary = told.with_suffix(".new")
            temporary.write_text(json.dumps(state(panel)))
            temporary.replace(told)


def state(panel: PanelWidget) -> dict[str, Any]:
    """What the panel shows."""
    model, place, look = panel.workspace.model, panel.viewer.placement, panel.workspace.view.look
    corner = panel.viewer.mapToGlobal(QtCore.QPoint(0, 0))
    return {
        "left": corner.x() + place.left,
        "top": corner.y() + place.top,
        "scale": place.scale,
        "frame": model.frame,
        "path": "" if model.kept is None else model.kept.path,
        "has_picture": panel.workspace.pictures.get(model.frame) is not None,
        "has_preview": panel.viewer.hover.mask is not None,
        "masks": [item.name for item in model.objects if model.mask(item.uid, model.frame) is not None],
        "objects": [item.name for item in model.objects],
        "jobs": [str(job.name) for job in model.loop.board.jobs],
        "done": 0 if model.job is None else model.job.done,
        "versions": len(model.versions),
        "wipe": None if look.wipe is None else look.wipe.position,
        "notice": "" if model.notice is None else model.notice.sentence,
        "mode": look.mode.name,
        "places": places(),
    }


def places() -> dict[str, list[int]]:
    """Middles of controls on the screen, by their names; those of a dialog before those below it."""
    found: dict[str, list[int]] = {}
    for top in QtWidgets.QApplication.topLevelWidgets():
        if not top.isVisible():
            continue
        found[f"window: {top.windowTitle()}"] = middle(top)
        for one in top.findChildren(QtWidgets.QWidget):
            if not one.isVisible():
                continue
            text = one.text() if isinstance(one, QtWidgets.QAbstractButton) else ""
            name = one.accessibleName() or text
            if name and (name not in found or isinstance(top, QtWidgets.QDialog)):
                found[name] = middle(one)
    return found


def middle(widget: QtWidgets.QWidget) -> list[int]:
    """Of a control, on the screen."""
    at = widget.mapToGlobal(widget.rect().center())
    return [at.x(), at.y()]


start = desktop.run


def run_and_tell(modal: object) -> int:
    """Run the application as ever, and tell."""
    if not isinstance(modal, QtWidgets.QApplication):
        return start(modal)  # type: ignore[arg-type]
    for top in QtWidgets.QApplication.topLevelWidgets():
        if isinstance(top, desktop.MainWindow):
            # Room on the screen for another program, from which files are dragged.
            top.setGeometry(0, 0, 1230, 790)
    timer = QtCore.QTimer()
    timer.timeout.connect(tell)
    timer.start(100)
    return start(modal)


desktop.run = run_and_tell  # type: ignore[assignment]
settings = ConnectionSettings(helper_python=os.environ["MASKLET_TEST_PYTHON"])
sys.exit(desktop.main(None, settings))
