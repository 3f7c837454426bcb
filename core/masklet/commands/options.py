"""Options that several commands share, and what follows from them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from masklet.clip_reading import ClipReading
from masklet.errors import BadInputError
from masklet.types import FrameRange, PromptDocument

if TYPE_CHECKING:
    from masklet.client import Server
    from masklet.commands.progress import Progress
    from masklet.session import Session

ServerOption = Annotated[
    Optional[str],
    typer.Option("--server", metavar="HOST:PORT", help="A running server; else one is started here."),
]
TokenFileOption = Annotated[
    Optional[Path], typer.Option("--token-file", help="File with the server's token (or MASKLET_TOKEN).")
]
TlsCaOption = Annotated[
    Optional[Path], typer.Option("--tls-ca", help="Certificate of the authority that signed the server's.")
]
WeightsOption = Annotated[
    Optional[str],
    typer.Option(
        "--weights", metavar="NAME|FILE", help="For a server started here; see masklet-server weights."
    ),
]
DeviceOption = Annotated[
    Optional[str], typer.Option("--device", metavar="cpu|cuda", help="For a server started here.")
]
QualityOption = Annotated[
    Optional[str],
    typer.Option(
        "--quality", metavar="fast|balanced|best", help="For a server started here; else MASKLET_QUALITY."
    ),
]
ColourOption = Annotated[
    Optional[str],
    typer.Option("--colour-space", metavar="NAME", help="Input space of the clip; else the files say."),
]
FirstFrameOption = Annotated[
    Optional[int],
    typer.Option("--first-frame", metavar="NUMBER", help="Of a movie's first picture, such as 1001; else 0."),
]
FrameRateOption = Annotated[
    Optional[str],
    typer.Option("--fps", metavar="RATE", help="Such as 24 or 24000/1001; else the files say, if they do."),
]
LayerOption = Annotated[
    Optional[str],
    typer.Option("--layer", metavar="NAME", help="Of an EXR: layer or part; else the one its name tells."),
]
ViewOption = Annotated[
    Optional[str],
    typer.Option("--view", metavar="NAME", help="Of a stereo EXR; else its first."),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print the result as JSON on standard output, for scripts.")
]
OverscanOption = Annotated[
    Optional[bool],
    typer.Option("--overscan/--no-overscan", help="Matte what the files hold beyond the format, too."),
]


def reading_as_asked(
    said: ClipReading,
    colour_space: str | None,
    first_frame: int | None,
    frame_rate: str | None,
    *,
    layer: str | None = None,
    view: str | None = None,
    overscan: bool | None = None,
) -> ClipReading:
    """How the shared options want the clip to be read; what they leave out is as ``said`` before.

    Raises:
        BadInputError: An option has a value that makes no sense; the message quotes it.
    """
    try:
        return said.typed_over(
            colour_space=colour_space,
            first_frame=first_frame,
            frame_rate=frame_rate,
            layer=layer,
            view=view,
            overscan=overscan,
        )
    except ValueError as error:
        raise BadInputError(str(error)) from error


def used_frames(frames: FrameRange | None, document: PromptDocument) -> FrameRange | None:
    """The frames of a clip that a run has to do with; None for all of them."""
    if frames is None:
        return None
    said = [item.frame for item in document.prompts]
    said += [edge for lock in document.locks for edge in (lock.frames.first, lock.frames.last)]
    return FrameRange(min(frames.first, *said), max(frames.last, *said)) if said else frames


def open_as_asked(
    server: Server, clip: str, reading: ClipReading, progress: Progress, *, used: FrameRange | None = None
) -> Session:
    """A session on the clip, read as the shared options or a prompt document say; says what was assumed.

    Raises:
        MaskletError: See :meth:`masklet.client.Server.open`.
    """
    session = server.open(
        clip,
        colour_space=reading.colour_space,
        first_frame=reading.first_frame,
        frame_rate=reading.frame_rate,
        layer=reading.layer,
        view=reading.view,
        overscan=reading.overscan,
        frames=used,
        on_waiting=progress.waiting,
    )
    for notice in session.clip.notices:
        progress.say(notice)
    for unreadable in session.clip.unreadable:
        progress.say(f"left out: {unreadable.reason}")
    return session


def check_clip(clip: str, server: str | None, reading: ClipReading) -> None:
    """See that the clip is there before a server is started for it; a server elsewhere may have it itself.

    Raises:
        MaskletError: See :func:`masklet.clip_files.find_clip`.
    """
    from masklet.clip_files import find_clip
    from masklet.settings import read_settings

    if server is None and read_settings().address is None:
        find_clip(Path(clip), first_frame=reading.first_frame)


def connect_as_asked(
    server: str | None,
    token_file: Path | None = None,
    tls_ca: Path | None = None,
    weights: str | None = None,
    device: str | None = None,
    quality: str | None = None,
) -> Server:
    """The server that the shared options name.

    Raises:
        MaskletError: See :func:`masklet.client.connect`.
    """
    from masklet.client import connect

    return connect(
        server,
        token_file=token_file,
        tls_ca_file=tls_ca,
        weights=weights,
        device=device,
        quality=quality,
    )
