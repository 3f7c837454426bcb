"""Runs in a Python with PySide2 and pyblish-lite: an artist's way through its window, and pictures of it.

    python lite_window.py PICTURES FOLDER…

Validates, accepts what may be accepted, validates again and publishes. Prints JSON in its last line.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pyblish.api
import pyblish_lite.app as lite
from pyblish_lite.vendor.Qt import QtCore, QtWidgets

from masklet.publish import for_pyblish

PATIENCE_MS = 60_000


def wait(signal: Any, start: Any) -> None:
    """Do something and wait for what it signals."""
    loop = QtCore.QEventLoop()
    signal.connect(lambda *_: loop.quit())
    watch = QtCore.QTimer()
    watch.setSingleShot(True)
    watch.timeout.connect(lambda: sys.exit("the window did not answer"))
    watch.start(PATIENCE_MS)
    start()
    loop.exec_()
    watch.stop()
    settle()


def settle() -> None:
    """Have everything drawn."""
    for _ in range(20):
        QtWidgets.QApplication.processEvents()
        QtCore.QThread.msleep(10)


def failed(window: Any) -> dict[str, str]:
    """What went wrong, by plug-in."""
    return {
        one["plugin"].__name__: str(one["error"])
        for one in window.controller.context.data["results"]
        if one["error"]
    }


def main() -> None:
    """Go the way."""
    pictures = Path(sys.argv[1])
    for_pyblish.register(for_pyblish.PANEL)
    for_pyblish.use_folders(Path(one) for one in sys.argv[2:])
    # Kept: it goes with its last name.
    _application = QtWidgets.QApplication(sys.argv[:1])
    window = lite.show()
    control = window.controller
    wait(control.was_reset, lambda: None)
    window.setGeometry(0, 0, 780, 640)

    def shoot(name: str, tab: str = "overview") -> None:
        window.data["tabs"][tab].setChecked(True)
        settle()
        window.grab().save(str(pictures / name))

    told: dict[str, Any] = {"shots": [one.data["label"] for one in control.context]}
    wait(control.was_validated, window.validate)
    told["failed"] = failed(window)
    shoot("validated.png")
    shoot("words.png", "terminal")

    plugin = next(one for one in control.plugins if one.__name__ == "ValidateMaskletReviewed")
    told["actions"] = [action.label for action in plugin.actions]
    if "ValidateMaskletReviewed" in told["failed"]:
        wait(control.was_acted, lambda: window.act(plugin, plugin.actions[0]))
    wait(control.was_reset, window.reset)
    wait(control.was_validated, window.validate)
    told["failed_after_accepting"] = failed(window)
    if not told["failed_after_accepting"]:
        wait(control.was_published, window.publish)
        told["failed_at_the_end"] = failed(window)
        told["published"] = [str(one.data["maskletPublished"].folder) for one in control.context]
        shoot("published.png")
    print(json.dumps(told), flush=True)
    pyblish.api.deregister_all_plugins()


main()
