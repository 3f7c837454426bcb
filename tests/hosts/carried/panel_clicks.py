"""In a host's Python with Qt: open a clip or a document in the panel, click once if told where, track, save.

Arguments: clip or document, then x and y of a click in pixels and its frame, or nothing.
Prints what the panel knows of the plate at the end.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable

from masklet.hosting.work import plate_work
from masklet.hosting.work.connection import ConnectionSettings
from masklet.hosting.work.plate_events import TrackRequest
from masklet_panel.panel_widget import PanelWidget
from masklet_panel.qt import QtCore, QtGui, QtWidgets

LEFT = QtCore.Qt.MouseButton.LeftButton


def until(happened: Callable[[], bool]) -> None:
    until_s = time.monotonic() + 120.0
    while not happened():
        QtWidgets.QApplication.processEvents()
        assert time.monotonic() < until_s, model.notice
        time.sleep(0.005)


def at_rest() -> bool:
    return not any(str(job.name) != "Reading pictures" for job in model.loop.board.jobs)


path, where = sys.argv[1], sys.argv[2:]
application = QtWidgets.QApplication([])
panel = PanelWidget(ConnectionSettings(helper_python=os.environ["MASKLET_TEST_PYTHON"]))
panel.resize(1200, 800)
panel.show()
model = panel.workspace.model
assert panel.open(path), model.notice
until(lambda: model.clip is not None and at_rest())
if where:
    x_px, y_px, frame = (float(word) for word in where)
    model.go_to(int(frame))
    until(lambda: panel.workspace.pictures.get(int(frame)) is not None)
    x, y = panel.viewer.placement.to_view(x_px, y_px)
    place = QtCore.QPointF(x, y)
    for kind, buttons in (
        (QtCore.QEvent.Type.MouseButtonPress, LEFT),
        (QtCore.QEvent.Type.MouseButtonRelease, QtCore.Qt.MouseButton.NoButton),
    ):
        there = QtCore.QPointF(panel.viewer.mapToGlobal(place.toPoint()))
        event = QtGui.QMouseEvent(kind, place, there, LEFT, buttons, QtCore.Qt.KeyboardModifier.NoModifier)
        application.sendEvent(panel.viewer, event)
    until(lambda: bool(model.active) and model.mask(model.active, model.frame) is not None and at_rest())
    model.start(
        "Tracking", lambda session, job, server: plate_work.track(session, job, server, TrackRequest())
    )
    until(at_rest)
until(lambda: at_rest() and all(model.mask(item.uid, model.frame) is not None for item in model.objects))
kept = model.kept
assert kept is not None
answer = {
    "document": str(model.file),
    "session": kept.session.session_id,
    "objects": [said.name for said in kept.document],
    "clicks": {str(prompts.frame): len(prompts.clicks) for said in kept.document for prompts in said.frames},
    "colours": [list(item.colour) for item in model.objects],
    "held": [
        [strip.first, strip.last, strip.held, strip.stale]
        for item in model.objects
        for strip in model.strips(item.uid)
    ],
    "notice": None if model.notice is None else model.notice.sentence,
}
panel.shut()
print(json.dumps(answer))
