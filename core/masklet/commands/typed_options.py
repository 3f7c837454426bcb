"""The options by which objects are said on a command line."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from masklet.policies import MemoryPolicy

ObjectOption = Annotated[
    Optional[list[str]],
    typer.Option("--object", metavar="NAME", help="Start an object; what follows it is its own."),
]
ClickOption = Annotated[
    Optional[list[str]],
    typer.Option("--click", metavar="FRAME:X,Y[:-]", help="A point on the object, or off it with ':-'."),
]
BoxOption = Annotated[
    Optional[list[str]],
    typer.Option("--box", metavar="FRAME:LEFT,TOP,RIGHT,BOTTOM", help="A rectangle around the object."),
]
ScribbleOption = Annotated[
    Optional[list[str]],
    typer.Option(
        "--scribble", metavar="FRAME:WIDTH:X,Y/X,Y/…[:-]", help="A stroke on the object, or off it with ':-'."
    ),
]
MaskOption = Annotated[
    Optional[list[str]],
    typer.Option("--mask", metavar="FRAME:FILE", help="The object drawn by hand: PNG, EXR or TIFF."),
]
LockOption = Annotated[
    Optional[list[str]],
    typer.Option("--lock", metavar="FIRST-LAST", help="Frames that later runs leave as they are."),
]
UnlockOption = Annotated[
    Optional[list[str]],
    typer.Option("--unlock", metavar="FIRST-LAST", help="Frames that tracking may change again."),
]
MatteOption = Annotated[
    Optional[list[str]],
    typer.Option(
        "--matte",
        metavar="NAME=VALUE,…",
        help="Finish of the matte: grow=-1.5,feather=2,calm=0,exclusive, …; 'plain' for none.",
    ),
]
PolicyOption = Annotated[
    Optional[list[str]],
    typer.Option(
        "--policy",
        metavar="NAME",
        help=f"How the object's memory is used: {', '.join(each.value for each in MemoryPolicy)}.",
    ),
]
