"""Measures the panel: first picture, click to mask, playing, and how long the interface stands still.

    PYTHON_WITH_QT server/benchmarks/bench_panel.py CLIP --python PYTHON_WITH_MASKLET [--server ADDRESS]

Runs in a host's Python, with Qt and without gRPC; the window is shown on whatever screen there is.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from records import begin, write_line

from masklet.hosting.work import plate_work
from masklet.hosting.work.connection import ConnectionSettings
from masklet.hosting.work.plate_events import TrackRequest
from masklet_panel.panel_widget import PanelWidget
from masklet_panel.qt import QtCore, QtGui, QtWidgets
from masklet_panel.theme import dark_palette

_WAIT_S = 240.0
_LEFT = QtCore.Qt.MouseButton.LeftButton
_NONE = QtCore.Qt.KeyboardModifier.NoModifier


class Standstill(QtCore.QObject):
    """Notes how long the main thread is away, by a timer that is due every 5 ms."""

    def __init__(self) -> None:
        super().__init__()
        self._timer = QtCore.QTimer(self)
        self._timer.setTimerType(QtCore.Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self.gaps_s: list[float] = []
        self.busy_s: list[float] = []

    def begin(self) -> None:
        """Forget what was, and measure."""
        self.gaps_s, self.busy_s = [], []
        self._last = (time.perf_counter(), time.thread_time())
        self._timer.start(5)

    def end(self) -> dict[str, float]:
        """The longest, in milliseconds: by the clock, and of the main thread's own processor time."""
        self._timer.stop()
        return {"clock_ms": 1e3 * max(self.gaps_s), "processor_ms": 1e3 * max(self.busy_s)}

    def _beat(self) -> None:
        now = (time.perf_counter(), time.thread_time())
        self.gaps_s.append(now[0] - self._last[0])
        self.busy_s.append(now[1] - self._last[1])
        self._last = now


class Paints(QtCore.QObject):
    """Calls whoever listens when a widget is painted."""

    def __init__(self, widget: QtWidgets.QWidget) -> None:
        super().__init__(widget)
        self.heard: Callable[[], None] = lambda: None
        widget.installEventFilter(self)

    def eventFilter(self, watched: QtCore.QObject, event: QtCore.QEvent) -> bool:  # noqa: N802
        """Look, and leave it alone."""
        if event.type() == QtCore.QEvent.Type.Paint:
            self.heard()
        return super().eventFilter(watched, event)


def until(happened: Callable[[], bool]) -> float:
    """Let events come until something has happened; seconds that it took.

    The event loop sleeps in between, as a program's does: a thread that looks again and again would take a
    core from the server.
    """
    began_s = time.perf_counter()
    loop, timer = QtCore.QEventLoop(), QtCore.QTimer()

    def look() -> None:
        if happened() or time.perf_counter() - began_s > _WAIT_S:
            loop.quit()

    timer.setTimerType(QtCore.Qt.TimerType.PreciseTimer)
    timer.timeout.connect(look)
    timer.start(2)
    if not happened():
        (getattr(loop, "exec", None) or loop.exec_)()
    took_s = time.perf_counter() - began_s
    if took_s > _WAIT_S:
        raise SystemExit("it does not come to that")
    return took_s


def processor_s(server_pid: int) -> float:
    """Processor time of this process, and of the server's."""
    if not server_pid:
        return time.process_time()
    fields = Path(f"/proc/{server_pid}/stat").read_text().rpartition(")")[2].split()
    return time.process_time() + (int(fields[11]) + int(fields[12])) / 100.0


def press(widget: QtWidgets.QWidget, at: QtCore.QPointF) -> None:
    """A click of the mouse."""
    for kind, buttons in (
        (QtCore.QEvent.Type.MouseButtonPress, _LEFT),
        (QtCore.QEvent.Type.MouseButtonRelease, QtCore.Qt.MouseButton.NoButton),
    ):
        place = QtCore.QPointF(widget.mapToGlobal(at.toPoint()))
        QtWidgets.QApplication.sendEvent(widget, QtGui.QMouseEvent(kind, at, place, _LEFT, buttons, _NONE))


def main() -> None:
    """Measure, and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip")
    parser.add_argument("--python", required=True)
    parser.add_argument("--server", default="")
    parser.add_argument("--server-pid", type=int, default=0, help="whose processor time counts with ours")
    parser.add_argument("--clicks", type=int, default=9)
    parser.add_argument("--frames", type=int, default=24, help="that are tracked")
    parser.add_argument("--at", default="0.5,0.5", help="where the object is, as shares of the plate")
    arguments = parser.parse_args()
    application = QtWidgets.QApplication([])
    application.setStyle("Fusion")
    application.setPalette(dark_palette())
    began_s = time.perf_counter()
    panel = PanelWidget(
        ConnectionSettings(address=arguments.server, helper_python=arguments.python),
        folder=Path(tempfile.mkdtemp()),
    )
    begin("bench_panel", footage=Path(arguments.clip).name, clicks=arguments.clicks)
    panel.resize(1360, 860)
    panel.show()
    model, pictures = panel.workspace.model, panel.workspace.pictures
    panel.open(arguments.clip)
    until(lambda: pictures.get(model.frame) is not None)
    found: dict[str, object] = {"first_picture_s": time.perf_counter() - began_s}
    until(lambda: len(pictures.frames) == len(model.frames))
    width_px, height_px = model.size_px
    share_x, share_y = (float(share) for share in arguments.at.split(","))
    at_px = share_x * width_px, share_y * height_px
    viewer = panel.viewer

    paints = Paints(viewer)

    def said_at(x_px: float, y_px: float) -> float:
        x, y = viewer.placement.to_view(x_px, y_px)
        before = model.mask(model.active, model.frame) if model.active else None
        seen: list[bool] = []

        def look() -> None:
            if model.mask(model.active, model.frame) not in (None, before):
                seen.append(True)

        paints.heard = look
        press(viewer, QtCore.QPointF(x, y))
        return until(lambda: bool(seen))

    found["first_click_ms"] = 1e3 * said_at(*at_px)
    clicks_s, computed_s = [], []
    for number in range(arguments.clicks):
        until(
            lambda: (
                not model.loop.board.jobs
                or all(job.name == "Reading pictures" for job in model.loop.board.jobs)
            )
        )
        before_s = processor_s(arguments.server_pid)
        clicks_s.append(said_at(at_px[0] + 3 * (number % 3) + 1, at_px[1] + 2 * number + 1))
        computed_s.append(processor_s(arguments.server_pid) - before_s)
    found["click_ms"] = {
        "median": 1e3 * statistics.median(clicks_s),
        "longest": 1e3 * max(clicks_s),
        "processor": 1e3 * statistics.median(computed_s),
    }
    last = min(model.frames.last, model.frames.first + arguments.frames - 1)
    until(lambda: all(pictures.has(frame) for frame in range(model.frames.first, last + 1)))
    still = Standstill()
    still.begin()
    rest_s = time.perf_counter() + 2.0
    until(lambda: time.perf_counter() > rest_s)
    found["idle"] = still.end()
    still.begin()
    job = model.start(
        "Tracking",
        lambda session, job, server: plate_work.track(
            session, job, server, TrackRequest(model.frames.first, last)
        ),
    )
    assert job is not None
    began_s = time.perf_counter()

    def tracked() -> bool:
        # The artist scrubs over what comes, twelve frames a second.
        frame = int(12 * (time.perf_counter() - began_s))
        model.go_to(model.frames.first + frame % (last - model.frames.first + 1))
        return job.has_ended

    found["track_s"] = until(tracked)
    found["tracking"] = still.end()
    model.go_to(model.frames.first)
    model.set_span(type(model.frames)(model.frames.first, last))
    panel.workspace.playback.play()
    play_s = time.perf_counter() + 3.0
    until(lambda: time.perf_counter() > play_s)
    found["played_per_s"] = panel.workspace.playback.shown_per_s
    found["plate_per_s"] = panel.workspace.playback.frames_per_s
    panel.workspace.playback.stop()
    panel.shut()
    write_line(found)


if __name__ == "__main__":
    main()
