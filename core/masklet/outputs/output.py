"""What is to be written, and where to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.deliveries import Existing
from masklet.events import MatteFormat

if TYPE_CHECKING:
    from masklet.outputs.extra_exports import ExtraExports


@dataclass(frozen=True)
class Output:
    """What is written, and where to.

    Attributes:
        folder: For all files.
        matte_format: Of the mattes.
        stem: What file names begin with; None for the clip's.
        raw_edges: Edges as the network gave them.
        extras: Shapes, anchors and files for other tools.
        overlay: Also a movie and a contact sheet.
        existing: What becomes of files that are there.
        objects: Names of those that are written; none given means all.
    """

    folder: Path
    matte_format: MatteFormat
    stem: str | None
    raw_edges: bool
    extras: ExtraExports
    overlay: bool
    existing: Existing
    objects: tuple[str, ...] = ()
