"""In a host's Python: what goes wrong between panel, helper and server, and the button that repairs it.

Arguments: clip, x and y of a click in pixels, its frame, a file with the token, the process of the server, a
folder on a disk that is full, or nothing.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace

from masklet.hosting.notices import Remedy
from masklet.hosting.work.connection import ConnectionSettings
from masklet.said.documents import with_click
from masklet.types import Click
from masklet_panel.panel_widget import PanelWidget
from masklet_panel.qt import QtWidgets

clip, token_file, process = sys.argv[1], sys.argv[5], int(sys.argv[6])
x_px, y_px, frame = (float(word) for word in sys.argv[2:5])
answer: dict[str, object] = {}
application = QtWidgets.QApplication([])
python, address = os.environ["MASKLET_TEST_PYTHON"], os.environ["MASKLET_TEST_SERVER"]
wrong = f"{token_file}.wrong"
with open(wrong, "w", encoding="utf-8") as file:
    file.write("not the token")
panel = PanelWidget(ConnectionSettings(address, token_file=wrong, helper_python=python))
panel.show()
model = panel.workspace.model


def until(happened: Callable[[], bool]) -> None:
    until_s = time.monotonic() + 120.0
    while not happened():
        application.processEvents()
        assert time.monotonic() < until_s, (model.notice, [str(job.name) for job in model.loop.board.jobs])
        time.sleep(0.005)


def told() -> list[str]:
    """The alarm that shows, once it does, and what its button does."""
    until(lambda: model.notice is not None and model.notice.is_alarm)
    assert model.notice is not None
    return [model.notice.sentence, model.notice.remedy.value]


def press(words: str) -> None:
    """Press the button below the sentence."""
    assert model.notice is not None
    button = next(each for each in panel.findChildren(QtWidgets.QPushButton) if each.text() == words)
    assert button.isVisible()
    button.click()


def repair(words: str = "Reconnect") -> None:
    """Press the button below the sentence, and wait until nothing is wrong any more."""
    press(words)
    until(lambda: model.clip is not None and (model.notice is None or not model.notice.is_alarm))


def click(dx_px: float) -> None:
    from masklet.said.documents import SaidObject

    document = model.document or (SaidObject("u1", "duck"),)
    first, *rest = document
    model.edit((with_click(first, int(frame), Click(x_px + dx_px, y_px)), *rest))
    model.select((first.uid,))


def clicks() -> int:
    return len(model.document[0].at(int(frame)).clicks)


panel.open(clip)
answer["wrong token"] = told()
model.host.settings = replace(model.host.settings, token_file=token_file)
repair()
click(0)
until(lambda: model.mask("u1", int(frame)) is not None and not model.loop.board.jobs)
answer["session"] = model.kept.session.session_id if model.kept else ""

server = model.loop.connection.server(model.host.settings)
helper = server._transport.helper_pid  # type: ignore[attr-defined]
os.kill(helper, signal.SIGKILL)
until(lambda: server._transport.helper_pid is None)  # type: ignore[attr-defined]
click(2)
time.sleep(0.2)
until(lambda: not model.loop.board.jobs)
answer["killed helper"] = None if model.notice is None else [model.notice.sentence, model.notice.remedy.value]
if model.notice is not None and model.notice.remedy is Remedy.RECONNECT:
    repair()
until(lambda: not model.loop.board.jobs)
answer["after helper"] = [clicks(), model.kept.session.session_id if model.kept else ""]

os.kill(process, signal.SIGKILL)
click(4)
answer["killed server"] = told()
answer["after server"] = clicks()
# The artist goes on with a server on this machine, first with weights that are not there.
model.host.settings = replace(model.host.settings, address="", token_file="", weights="/show/weights.pt")
press("Reconnect")
until(lambda: model.notice is not None and model.notice.remedy is Remedy.OTHER_WEIGHTS)
answer["missing weights"] = told()
repair("Use the Embedded Model")
until(lambda: model.mask("u1", int(frame)) is not None and not model.loop.board.jobs)
answer["goes on"] = [clicks(), None if model.notice is None else model.notice.remedy.value]
if len(sys.argv) > 7:
    dialog = panel.work.show_export()
    dialog.folder.setText(sys.argv[7])
    dialog.export()
    answer["full disk"] = told()
document = str(model.file)
panel.shut()
with open(document, encoding="utf-8") as file:
    kept = json.load(file)
answer["on disk"] = len(kept["objects"][0]["frames"][0]["clicks"])
print(json.dumps(answer))
