"""The note beside delivered files, ``NAME.masklet.json``: JSON to values and back.

::

    {
      "masklet_delivery": 1,
      "files": {
        "shot_mattes.%04d.exr": {
          "kind": "exr", "layers": ["hero"], "width_px": 1920, "height_px": 1080,
          "runs": [{"prompts_sha256": "…", "model": "…", "weights_sha256": "…", "settings": "{…}",
                    "frames": [[1001, 1100]], "complete": true}],
          "holes": [{"object": "hero", "first_frame": 1047, "last_frame": 1060,
                     "reason": "behind-cut", "cut": 1047}]
        }
      }
    }
"""

from __future__ import annotations

import json
import os
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from masklet.deliveries import NOTE_SUFFIX, PastDelivery, PastRun, RunMark
from masklet.types import FrameRange

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from masklet.holes import Hole

VERSION = 1
MAX_BYTES = 16 << 20
_KEY = "masklet_delivery"


def note_path(folder: Path, name: str) -> Path:
    """Where the note of a shot lies in a folder."""
    return folder / f"{name}{NOTE_SUFFIX}"


def read_note(path: Path) -> dict[str, PastDelivery]:
    """What the note says, by file name or pattern; empty where there is none that can be understood."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return {}
        content = json.loads(path.read_text(encoding="utf-8"))
        if content[_KEY] != VERSION:
            return {}
        return {str(files): _from_json(item) for files, item in content["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def write_note(
    path: Path, deliveries: Mapping[str, PastDelivery], holes: Mapping[str, Sequence[Hole]]
) -> None:
    """Write the note, whole or not at all.

    Args:
        path: Where to.
        deliveries: By file name or pattern.
        holes: Frames without a matte, for the sequences that were written now.

    Raises:
        OSError: It cannot be written.
    """
    _write(
        path,
        {
            files: {
                **_to_json(item),
                **({"holes": [hole.as_json() for hole in holes[files]]} if files in holes else {}),
            }
            for files, item in sorted(deliveries.items())
        },
    )


def join_note(
    path: Path, arriving: Path, came: Callable[[str], bool], keeps: Callable[[str, PastDelivery], bool]
) -> tuple[str, ...]:
    """Add to a note what another one tells, whose files have come to lie beside it.

    Args:
        path: The note; it need not exist.
        arriving: The other; what it tells of a delivery takes the place of what was told.
        came: Asked of each delivery of the other, whether its files are here.
        keeps: Asked of each delivery that the note alone tells of: its files, and what was told.

    Returns:
        The deliveries that were kept of the note; where nothing came, it stays as it is.

    Raises:
        OSError: It cannot be written.
    """
    before = _read(path)
    new = {files: item for files, item in _read(arriving).items() if came(files)}
    if not new:
        return ()
    told = read_note(path)
    kept = tuple(files for files, item in sorted(told.items()) if files not in new and keeps(files, item))
    _write(path, dict(sorted({**{files: before[files] for files in kept}, **new}.items())))
    return kept


def _read(path: Path) -> dict[str, Any]:
    """The deliveries of a note as JSON; empty where :func:`read_note` finds none."""
    return json.loads(path.read_text(encoding="utf-8"))["files"] if read_note(path) else {}


def _write(path: Path, files: Mapping[str, Any]) -> None:
    content = {_KEY: VERSION, "files": files}
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with temporary.open("x", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink()


def _to_json(item: PastDelivery) -> dict[str, Any]:
    content: dict[str, Any] = {
        "kind": item.kind,
        "layers": list(item.layers),
        "width_px": item.width_px,
        "height_px": item.height_px,
        "runs": [
            {
                "prompts_sha256": run.mark.prompts_sha256,
                "model": run.mark.model,
                "weights_sha256": run.mark.weights_sha256,
                "settings": run.mark.settings,
                "frames": [[span.first, span.last] for span in run.frames],
                "complete": run.complete,
            }
            for run in item.runs
        ],
    }
    if item.sha256:
        content["sha256"] = item.sha256
    return content


def _from_json(item: dict[str, Any]) -> PastDelivery:
    runs = tuple(
        PastRun(
            RunMark(
                str(run["prompts_sha256"]),
                str(run["model"]),
                str(run["weights_sha256"]),
                str(run["settings"]),
            ),
            tuple(FrameRange(int(first), int(last)) for first, last in run["frames"]),
            bool(run["complete"]),
        )
        for run in item["runs"]
    )
    return PastDelivery(
        str(item["kind"]),
        tuple(map(str, item["layers"])),
        int(item["width_px"]),
        int(item["height_px"]),
        runs,
        str(item.get("sha256", "")),
    )
