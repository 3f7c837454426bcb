"""In a host's Python: a small window of another program, from which a file is dragged.

Arguments: the file, and the window's left and top edge.
"""

from __future__ import annotations

import sys

from masklet_panel.qt import QtCore, QtGui, QtWidgets, run


class Source(QtWidgets.QLabel):
    """A file that is dragged by the mouse."""

    def mousePressEvent(self, event: QtGui.QMouseEvent) -> None:
        """Begin the drag."""
        del event
        data = QtCore.QMimeData()
        data.setUrls([QtCore.QUrl.fromLocalFile(sys.argv[1])])
        drag = QtGui.QDrag(self)
        drag.setMimeData(data)
        start = getattr(drag, "exec", None) or getattr(drag, "exec_")  # noqa: B009
        start(QtCore.Qt.DropAction.CopyAction)


application = QtWidgets.QApplication([])
source = Source("file")
source.setWindowFlags(QtCore.Qt.WindowType.FramelessWindowHint | QtCore.Qt.WindowType.WindowStaysOnTopHint)
source.setGeometry(int(sys.argv[2]), int(sys.argv[3]), 40, 40)
source.show()
print("shown", flush=True)
sys.exit(run(application))
