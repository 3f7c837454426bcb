"""The demo clip: rendered once by masklet's own Python, kept in the user's folder."""

from __future__ import annotations

import os
from pathlib import Path

from masklet.errors import MaskletError
from masklet.hosting.notices import Notice, notice_of
from masklet.phrases import phrase
from masklet.transport.helper_environment import clean_environment, find_helper_python
from masklet_panel.qt import QtCore, Signal

FRAMES = 36
_MODULE = "masklet_server.demo"
_PATTERN = "duck.%04d.png"


class DemoClip(QtCore.QObject):
    """Has the clip rendered where it is not there yet.

    Args:
        folder: Where it lies.
        python: Masklet's own; empty for the one that was written down.
        parent: Whose end ends the rendering.
    """

    ready = Signal(str)
    """The pattern of the clip."""
    changed = Signal()

    def __init__(self, folder: Path, python: str, parent: QtCore.QObject) -> None:
        super().__init__(parent)
        self._python = python
        self._folder = folder
        self._process: QtCore.QProcess | None = None
        self.problem: Notice | None = None

    @property
    def is_rendering(self) -> bool:
        """True until the clip is there."""
        return self._process is not None

    def ask(self) -> None:
        """Have :attr:`ready` told, at once where the clip is there already."""
        self.problem = None
        if self._process is not None:
            return
        if (self._folder / (_PATTERN % (1000 + FRAMES))).is_file():
            self.ready.emit(str(self._folder / _PATTERN))
            return
        try:
            python = Path(self._python) if self._python else find_helper_python()
            self._folder.mkdir(parents=True, exist_ok=True)
        except MaskletError as error:
            self._fail(notice_of(error))
            return
        except OSError as error:
            self._fail_because(error.strerror or str(error))
            return
        process = self._process = QtCore.QProcess(self)
        environment = QtCore.QProcessEnvironment()
        for name, value in clean_environment(os.environ).items():
            environment.insert(name, value)
        process.setProcessEnvironment(environment)
        process.finished.connect(self._ended)
        process.errorOccurred.connect(self._not_started)
        process.start(str(python), ["-I", "-m", _MODULE, str(self._folder), str(FRAMES)])
        self.changed.emit()

    def stop(self) -> None:
        """The panel goes away."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.waitForFinished(1000)

    def _ended(self, code: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if code == 0:
            self.changed.emit()
            self.ready.emit(str(self._folder / _PATTERN))
            return
        said = bytes(process.readAllStandardError().data()).decode("utf-8", "replace").strip().splitlines()
        self._fail_because(said[-1] if said else str(code))

    def _not_started(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            self._fail_because(process.errorString())

    def _fail_because(self, fault: str) -> None:
        self._fail(
            Notice(
                phrase(
                    "The demo clip could not be rendered ({fault}): open a clip of your own, or install "
                    "masklet[server] beside masklet",
                    fault=fault,
                )
            )
        )

    def _fail(self, problem: Notice) -> None:
        self.problem = problem
        self.changed.emit()
