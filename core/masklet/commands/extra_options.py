"""The options by which is said what is written besides mattes."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from masklet.anchors import Absence
from masklet.types import CutPolicy

ShapesOption = Annotated[bool, typer.Option("--shapes", help="Also Bezier shapes of every object.")]
ToleranceOption = Annotated[
    float, typer.Option("--tolerance", metavar="PIXELS", help="How far shapes may lie off the edge.")
]
AnchorsOption = Annotated[
    Optional[str],
    typer.Option("--anchors", metavar="KIND,…", help="Also transforms: similarity, planar, centroid, …"),
]
AbsenceOption = Annotated[
    Absence, typer.Option("--absence", help="What anchors do while their object is not seen.")
]
ToolsOption = Annotated[
    Optional[str],
    typer.Option("--export", metavar="TOOL,…", help="Write them for nuke, fusion, ae, json, otio."),
]
AtCutsOption = Annotated[CutPolicy, typer.Option("--at-cuts", help="Where one shot ends and another begins.")]
