"""``masklet-server live``."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from masklet.clip_reading import ClipReading
    from masklet.types import PromptDocument
    from masklet_server.engine import TrackerFactory
    from masklet_server.live.feed import Arrival, Stream
    from masklet_server.live.follower import Follower
    from masklet_server.tracking import ObjectFrame

_ROOM_FRAMES = 4


def add_commands(app: typer.Typer) -> None:
    """Register ``live``."""
    app.command()(live)


def live(
    source: Annotated[
        str,
        typer.Argument(help="- for standard input, plate.%04d.exr that is being written, or a device."),
    ],
    prompts: Annotated[
        Path, typer.Option("--prompts", metavar="FILE.json", help="Prompt document, as roto writes it.")
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="FOLDER", help="Where mattes go: OBJECT/OBJECT.NUMBER.png.")
    ],
    raw: Annotated[
        str | None,
        typer.Option("--raw", metavar="WIDTHxHEIGHT", help="Standard input is raw 8-bit RGB of this size."),
    ] = None,
    device_format: Annotated[
        str | None,
        typer.Option("--capture", metavar="FORMAT", help="The source is a device: v4l2, avfoundation."),
    ] = None,
    first_frame: Annotated[
        int | None, typer.Option("--first-frame", help="Number of the first picture; a sequence says itself.")
    ] = None,
    last_frame: Annotated[
        int | None, typer.Option("--last-frame", help="Of a sequence, if that is known.")
    ] = None,
    patience_s: Annotated[
        float, typer.Option("--patience", min=0.5, metavar="SECONDS", help="Wait so long for the next file.")
    ] = 60.0,
    room: Annotated[
        int, typer.Option("--room", min=1, max=64, help="Frames that may wait; the delay is so many at most.")
    ] = _ROOM_FRAMES,
    keep_all: Annotated[
        bool, typer.Option("--keep-all", help="Drop nothing: whoever sends has to wait. Files always do.")
    ] = False,
    weights: Annotated[str, typer.Option(help="Name in the weight store, or a file.")] = "masklet_embedded",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, …")] = "auto",
) -> None:
    """Track objects through frames as they come, and write their mattes.

    ffmpeg -i rtsp://camera -f rawvideo -pix_fmt rgb24 - | masklet-server live - --raw 1280x720 …

    Where the device is too slow, the oldest frame that waits is dropped: it gets no matte, and its number is
    not used. Frames with prompts are never dropped. Ctrl-C ends it after the frame in hand.
    Objects are tracked with the policies of the document; mattes are 8-bit and have no settings.
    """
    from masklet.conversion import check_size
    from masklet.names import layer_names
    from masklet.prompts import read_shot
    from masklet_server.engine import load_tracker_factory
    from masklet_server.live.feed import Feed
    from masklet_server.live.told import Told, not_used

    def say(sentence: str) -> None:
        typer.echo(sentence, err=True)

    shot = read_shot(prompts)
    document = shot.document
    names = layer_names(document.objects)
    said = document.prompts
    feed = Feed(
        stream_of(source, raw, device_format, first_frame, last_frame, patience_s, shot.reading, say),
        room=room,
        keeps_all=keep_all or (source != "-" and device_format is None),
        needed={each.frame for each in said},
    )
    for sentence in not_used(shot, is_raw=raw is not None):
        say(sentence)
    make_tracker, _ = load_tracker_factory(weights, device, "editor", length_known=False)
    told = Told(said)
    follower = None
    try:
        with feed:
            for arrival in feed:
                height_px, width_px = arrival.picture.shape[:2]
                if follower is None:
                    check_size(shot, "the stream", width_px, height_px)
                    follower = follower_of(arrival, make_tracker, document)
                if not told.fits(arrival.frame, width_px, height_px):
                    continue
                results = follower.follow(arrival)
                write_mattes(out, names, arrival, results)
                told.note(arrival.frame, time.monotonic() - arrival.at_s)
    except KeyboardInterrupt:
        say("stopped; mattes that were finished are kept")
    finally:
        # A stream that breaks leaves what came before.
        say(told.sentence(feed.dropped))
        for sentence in told.lacking(names):
            say(sentence)


def stream_of(
    source: str,
    raw: str | None,
    device_format: str | None,
    first_frame: int | None,
    last_frame: int | None,
    patience_s: float,
    reading: ClipReading,
    say: Callable[[str], None],
) -> Stream:
    """The stream that was named, read as the document says and told of what was assumed.

    Raises:
        BadInputError: It is none of the kinds that are known.
    """
    from masklet.errors import BadInputError
    from masklet.patterns import FramePattern
    from masklet_server.live.encoded import EncodedStream
    from masklet_server.live.streams import GrowingSequence, PlateReader, RawPipe

    first = next((each for each in (first_frame, reading.first_frame) if each is not None), 0)
    colour = reading.colour_space
    if raw is not None:
        width, x, height = raw.partition("x")
        if source != "-" or not (
            x and width.isdecimal() and height.isdecimal() and int(width) * int(height) > 0
        ):
            raise BadInputError(
                "--raw is for standard input, with a size like 1280x720: give - as the source"
            )
        if max(int(width), int(height)) > 16_384:
            raise BadInputError(f"frames of {raw} pixels are too large: 16384 along a side at most")
        return RawPipe(sys.stdin.buffer, int(width), int(height), first_frame=first)
    if source == "-":
        return EncodedStream(sys.stdin.buffer, first_frame=first, colour=colour, tell=say)
    if device_format is not None:
        return EncodedStream(source, input_format=device_format, first_frame=first, colour=colour, tell=say)
    path = Path(source)
    pattern = FramePattern.parse(path.name)
    if pattern is None:
        raise BadInputError(
            f"{source} is no stream: give - for standard input, a pattern like plate.%04d.exr, or --capture"
        )
    return GrowingSequence(
        path.parent,
        pattern,
        PlateReader(reading, say),
        first_frame=first_frame,
        last_frame=last_frame,
        patience_s=patience_s,
    )


def follower_of(arrival: Arrival, make_tracker: TrackerFactory, document: PromptDocument) -> Follower:
    """A follower for a stream that begins with this frame, of all that a document says of tracking."""
    from masklet.types import ClipInfo
    from masklet_server.live.follower import Follower

    height_px, width_px = arrival.picture.shape[:2]
    info = ClipInfo("stream", width_px, height_px, arrival.frame, arrival.frame)
    policies = {each.object_id: each.policy.value for each in document.policies}
    return Follower(make_tracker, info, document.prompts, policies)


def write_mattes(
    folder: Path, names: Mapping[int, str], arrival: Arrival, results: Sequence[ObjectFrame]
) -> None:
    """Write a frame's mattes, and those of earlier frames that have become others, each whole or not at all.

    Args:
        folder: Where those of all objects go.
        names: Of their folders and files, by object: whatever people call an object, no path.
        arrival: The frame; all have its size.
        results: Masks, of it and of frames before it.

    Raises:
        OutputError: They cannot be written.
    """
    import cv2

    from masklet.errors import OutputError
    from masklet_server.mattes.alpha import render_preview

    height_px, width_px = arrival.picture.shape[:2]
    for result in results:
        name = names[result.object_id]
        file = folder / name / f"{name}.{result.frame:06d}.png"
        _, data = cv2.imencode(".png", render_preview(result.logits, width_px, height_px))
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(".part")
            part.write_bytes(data.tobytes())
            part.replace(file)
        except OSError as error:
            raise OutputError(f"{file} cannot be written ({error.strerror}): check the folder") from error
