"""``masklet click``: the mask of one frame as a picture, before anything is tracked."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Optional

import typer

from masklet.clip_reading import AS_FILES_SAY
from masklet.commands.options import (
    ColourOption,
    DeviceOption,
    FirstFrameOption,
    FrameRateOption,
    JsonOption,
    LayerOption,
    OverscanOption,
    ServerOption,
    TlsCaOption,
    TokenFileOption,
    ViewOption,
    WeightsOption,
    check_clip,
    connect_as_asked,
    open_as_asked,
    reading_as_asked,
)
from masklet.commands.progress import Progress
from masklet.commands.summary import print_json
from masklet.commands.typed import OrderedCommand, typed_in
from masklet.commands.typed_options import BoxOption, ClickOption, MaskOption, ObjectOption, ScribbleOption
from masklet.errors import BadInputError, NotPromptedError, OutputError
from masklet.events import OverlayKind
from masklet.png import write_mask
from masklet.types import FrameRange


def add_commands(app: typer.Typer) -> None:
    """Register ``click``."""
    app.command(name="click", cls=OrderedCommand)(preview)


def preview(
    context: typer.Context,
    clip: Annotated[
        str, typer.Argument(help="plate.%04d.exr, plate.####.exr, a folder, a movie, a picture.")
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE.png", help="The picture with the masks over it.")
    ],
    objects: ObjectOption = None,
    clicks: ClickOption = None,
    boxes: BoxOption = None,
    scribbles: ScribbleOption = None,
    masks: MaskOption = None,
    matte: Annotated[
        Optional[Path],
        typer.Option("--matte", metavar="FILE.png", help="Also the first object's mask alone."),
    ] = None,
    colour_space: ColourOption = None,
    first_frame: FirstFrameOption = None,
    fps: FrameRateOption = None,
    layer: LayerOption = None,
    view: ViewOption = None,
    overscan: OverscanOption = None,
    as_json: JsonOption = False,
    weights: WeightsOption = None,
    device: DeviceOption = None,
    server: ServerOption = None,
    token_file: TokenFileOption = None,
    tls_ca: TlsCaOption = None,
) -> None:
    """Show what clicks select on one frame.

    masklet click plate.%04d.exr --click 1001:640,360 --out look.png
    """
    del objects, clicks, boxes, scribbles, masks  # in the order they were typed, they come from the context
    typed = typed_in(context)
    document = typed.prompts
    frames = {prompts.frame for prompts in document.prompts}
    if not frames:
        raise NotPromptedError("nothing was clicked: add --click FRAME:X,Y")
    if len(frames) > 1:
        raise BadInputError(
            "a preview shows one frame and the clicks are on several: keep those of one frame"
        )
    frame = frames.pop()
    reading = reading_as_asked(
        AS_FILES_SAY, colour_space, first_frame, fps, layer=layer, view=view, overscan=overscan
    )
    check_clip(clip, server, reading)
    progress = Progress()
    for notice in typed.notices:
        progress.say(notice)
    with (
        connect_as_asked(server, token_file, tls_ca, weights, device) as connected,
        open_as_asked(connected, clip, reading, progress, used=FrameRange(frame, frame)) as session,
    ):
        names = {info.object_id: info.name for info in document.objects}
        updates = []
        for item in document.prompts:
            shown = session.object(names[item.object_id])
            updates.append(shown.prompt(replace(item, object_id=shown.object_id)))
        with tempfile.TemporaryDirectory() as folder:
            files = session.export_overlay(
                folder, kind=OverlayKind.SHEET, frames=FrameRange(frame, frame)
            ).files
            copy_picture(files[0], out)
        first = updates[0]
        if matte is not None and first is not None:
            matte.write_bytes(write_mask(first.mask))
    for update in updates:
        if update is not None:
            progress.say(f"{update.object_name}: {update.presence.value}, quality {update.predicted_iou:.2f}")
    progress.say(f"look at {out}")
    if as_json:
        print_json(
            {
                "frame": frame,
                "picture": str(out),
                "objects": [
                    {
                        "name": update.object_name,
                        "presence": update.presence.value,
                        "quality": round(update.predicted_iou, 4),
                    }
                    for update in updates
                    if update is not None
                ],
            }
        )


def copy_picture(source: Path, target: Path) -> None:
    """Put a picture where it was asked for; raises OutputError."""
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise OutputError(f"{target} cannot be written ({error.strerror}): check the folder") from error
