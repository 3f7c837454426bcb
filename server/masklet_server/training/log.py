"""The log of a run: one JSON object per line, and a picture of its curves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from masklet.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_CURVES = (
    ("loss", ("loss", "presence", "iou")),
    ("mean IoU", ("j_prompted", "j_tracked", "presence_right")),
    ("learning rate", ("rate",)),
    ("clips a second", ("clips_per_s",)),
)


class RunLog:
    """Appends records to a file as they come.

    Args:
        path: The file; its folder is made.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path

    def add(self, record: Mapping[str, float | int | str]) -> None:
        """Append one record; it is on the disk before this returns, whatever happens next."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")


def read_log(path: Path) -> list[dict[str, float | int | str]]:
    """All records; a last line cut short by an interruption is left out.

    Raises:
        BadInputError: The file is missing or no log.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BadInputError(f"The log {path.name!r} cannot be read: {error.strerror}.") from error
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            records.append(json.loads(line))
        except ValueError as error:
            if number == len(lines):
                break
            raise BadInputError(
                f"Line {number} of {path.name!r} is no record: is it a training log?"
            ) from error
    return records


def plot_log(log: Path, picture: Path) -> None:
    """A PNG of the run's curves over its progress.

    Raises:
        BadInputError: The log holds nothing to plot, or matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure  # optional, and slow to import
    except ImportError as error:
        raise BadInputError("Curves need matplotlib: install it with `pip install matplotlib`.") from error
    records = [record for record in read_log(log) if "loss" in record]
    if not records:
        raise BadInputError(f"{log.name!r} holds no steps yet: let the run go on, then plot again.")
    figure = Figure(figsize=(12, 8), layout="constrained")
    steps = [record["step"] for record in records]
    for axes, (title, names) in zip(figure.subplots(2, 2).flat, _CURVES, strict=True):
        for name in names:
            values = [float(record.get(name, "nan")) for record in records]
            axes.plot(steps, values, linewidth=1, label=name)
        axes.set_title(title)
        axes.set_xlabel("step")
        axes.grid(alpha=0.3)
        axes.legend()
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=110)
