"""What a person at the terminal sees while something runs: on stderr, so that output can be piped."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Task, TaskID
    from rich.text import Text

    from masklet.events import Waiting


class _SpeedColumn(TextColumn):
    """Frames per second."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Task) -> Text:
        from rich.text import Text

        return Text(f"{task.speed:.1f} fps" if task.speed else "")


class Bar:
    """One bar; its length may become known late."""

    def __init__(self, bars: Bars, task: TaskID) -> None:
        self._bars = bars
        self._task = task

    def total(self, frames: int) -> None:
        """Say how long the bar is."""
        self._bars.update(self._task, total=frames)

    def step(self, frames: float = 1.0) -> None:
        """So many frames more."""
        self._bars.advance(self._task, frames)


def spoken_duration(seconds: float) -> str:
    """A duration that is a guess, with no more digits than a guess has."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{round(seconds / 3600)} h"


class Progress:
    """Sentences and bars."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False)
        self._writing: int | None = None
        self._looking: tuple[str, int] | None = None
        self._place: int | None = None

    def say(self, sentence: str) -> None:
        """Print one line."""
        self.console.print(sentence, markup=False, soft_wrap=True)

    @contextmanager
    def bar(self, title: str) -> Iterator[Bar]:
        """A bar with speed and time left, for the length of a ``with``."""
        bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TaskProgressColumn(),
            _SpeedColumn(),
            TimeRemainingColumn(),
            console=self.console,
            # A bar in a log file is noise; the sentences say enough there.
            disable=not self.console.is_terminal,
        )
        with bars:
            yield Bar(bars, bars.add_task(title, total=None))

    def waiting(self, waiting: Waiting) -> None:
        """Tell the place in a queue of the server, when it changes."""
        if waiting.place == self._place:
            return
        self._place = waiting.place
        about = "" if waiting.expected_s is None else f", about {spoken_duration(waiting.expected_s)}"
        self.say(f"the server is full: waiting as number {waiting.place} in line{about} (Ctrl-C leaves)")

    def writing(self, done: int, total: int) -> None:
        """Tell the progress of an export, at most once per tenth of it."""
        tenth = 10 * done // max(total, 1)
        if tenth != self._writing and self.console.is_terminal:
            self.console.print(f"writing {done}/{total}", end="\r" if done < total else "\n")
        self._writing = tenth

    def looking(self, name: str, done: int, total: int) -> None:
        """Tell the progress of a second look at an object, at most once per hundredth of it."""
        told = (name, 100 * done // max(total, 1))
        if told != self._looking and self.console.is_terminal:
            line = f"second look, {name}, frame {done} of {total}"
            self.console.print(line, markup=False, end="\r" if done < total else "\n")
        self._looking = told
