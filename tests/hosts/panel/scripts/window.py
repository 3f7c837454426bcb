"""In a host's Python: the desktop's own window, which tells a test where things are on the screen.

Arguments: clip, and the file to tell it in.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from masklet.hosting.work.connection import ConnectionSettings
from masklet_panel import desktop
from masklet_panel.panel_widget import PanelWidget
from masklet_panel.qt import QtCore, QtWidgets

clip, told = sys.argv[1], Path(sys.argv[2])


def tell() -> None:
    """Where the plate's pixels are on the screen, and what shows."""
    for panel in QtWidgets.QApplication.allWidgets():
        if isinstance(panel, PanelWidget) and panel.workspace.model.plate is not None:
            model, place = panel.workspace.model, panel.viewer.placement
            corner = panel.viewer.mapToGlobal(QtCore.QPoint(0, 0))
            content = {
                "left": corner.x() + place.left,
                "top": corner.y() + place.top,
                "scale": place.scale,
                "frame": model.frame,
                "has_picture": panel.workspace.pictures.get(model.frame) is not None,
                "has_preview": panel.viewer.hover.mask is not None,
                "masks": [
                    item.name for item in model.objects if model.mask(item.uid, model.frame) is not None
                ],
                "jobs": [str(job.name) for job in model.loop.board.jobs],
                "versions": len(model.versions),
                "notice": None if model.notice is None else model.notice.sentence,
                "mode": panel.workspace.view.look.mode.name,
            }
            temporary = told.with_suffix(".new")
            temporary.write_text(json.dumps(content))
            temporary.replace(told)


start = desktop.run


def run_and_tell(modal: object) -> int:
    """Run the application as ever, and tell."""
    timer = QtCore.QTimer()
    timer.timeout.connect(tell)
    timer.start(100)
    return start(modal)  # type: ignore[arg-type]


desktop.run = run_and_tell  # type: ignore[assignment]
settings = ConnectionSettings(helper_python=os.environ["MASKLET_TEST_PYTHON"])
sys.exit(desktop.main(clip, settings))
