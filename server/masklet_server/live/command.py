"""``masklet-server live``."""

from __future__ import annotations

import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from masklet.types import FramePrompts
    from masklet_server.engine import TrackerFactory
    from masklet_server.live.feed import Arrival, Stream
    from masklet_server.live.follower import Follower
    from masklet_server.tracking import ObjectFrame

_ROOM_FRAMES = 4
_GAPS_TOLD = 20
_DELAYS = 1000


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
    """
    from masklet.conversion import check_size
    from masklet.names import layer_names
    from masklet.prompts import read_shot
    from masklet_server.engine import load_tracker_factory
    from masklet_server.live.feed import Feed

    shot = read_shot(prompts)
    document = shot.document
    names = layer_names(document.objects)
    said = document.prompts
    feed = Feed(
        stream_of(source, raw, device_format, first_frame, last_frame, patience_s),
        room=room,
        keeps_all=keep_all or (source != "-" and device_format is None),
        needed={each.frame for each in said},
    )
    make_tracker, _ = load_tracker_factory(weights, device, "editor", length_known=False)
    told = Told(said)
    follower = None
    with feed:
        try:
            for arrival in feed:
                if follower is None:
                    height_px, width_px = arrival.picture.shape[:2]
                    check_size(shot, "the stream", width_px, height_px)
                    follower = follower_of(arrival, make_tracker, said)
                results = follower.follow(arrival)
                write_mattes(out, names, arrival, results)
                told.note(arrival.frame, time.monotonic() - arrival.at_s)
        except KeyboardInterrupt:
            typer.echo("stopped; mattes that were finished are kept", err=True)
    typer.echo(told.sentence(feed.dropped), err=True)
    for words in told.lacking(names):
        typer.echo(words, err=True)


@dataclass
class Told:
    """What is said of a run when it ends.

    Attributes:
        delays_s: From when a frame was whole until its mattes were written; of the newest ones.
        said: All prompts.
        frames: How many came.
        last: The newest of them.
        gaps: First and last of frames that did not come, the earliest gaps.
        gap_count: All gaps.
        used: Frames with prompts that came.
    """

    said: Sequence[FramePrompts]
    delays_s: deque[float] = field(default_factory=lambda: deque(maxlen=_DELAYS))
    frames: int = 0
    last: int | None = None
    gaps: list[tuple[int, int]] = field(default_factory=list)
    gap_count: int = 0
    used: set[int] = field(default_factory=set)

    def note(self, frame: int, delay_s: float) -> None:
        """One more frame."""
        if self.last is not None and frame > self.last + 1:
            self.gap_count += 1
            if len(self.gaps) < _GAPS_TOLD:
                self.gaps.append((self.last + 1, frame - 1))
        if any(each.frame == frame for each in self.said):
            self.used.add(frame)
        self.frames, self.last = self.frames + 1, frame
        self.delays_s.append(delay_s)

    def lacking(self, names: Mapping[int, str]) -> Iterator[str]:
        """What has no matte because its frame did not come, a sentence each."""
        from masklet.frame_runs import runs_of, shown
        from masklet.types import FrameRange

        if self.gaps:
            more = f", and {self.gap_count - _GAPS_TOLD} gaps more" if self.gap_count > _GAPS_TOLD else ""
            gaps = [FrameRange(first, last) for first, last in self.gaps]
            yield f"frames without a matte, dropped or never whole: {shown(gaps)}{more}"
        unseen: dict[int, list[int]] = {}
        for each in self.said:
            if each.frame not in self.used:
                unseen.setdefault(each.object_id, []).append(each.frame)
        for object_id, frames in unseen.items():
            yield (
                f"the prompts of {names[object_id]} on {shown(runs_of(frames))} were not used: no picture of "
                "these frames came; check --first-frame and the numbers in the prompts"
            )

    def sentence(self, dropped: int) -> str:
        """Frames, dropped ones, and the delay."""
        words = f"{self.frames} frames, {dropped} dropped"
        if not self.delays_s:
            return words
        ordered = sorted(self.delays_s)
        middle, late = ordered[len(ordered) // 2], ordered[int(0.95 * (len(ordered) - 1))]
        return f"{words}; delay {1000 * middle:.0f} ms, of one in twenty more than {1000 * late:.0f} ms"


def stream_of(
    source: str,
    raw: str | None,
    device_format: str | None,
    first_frame: int | None,
    last_frame: int | None,
    patience_s: float,
) -> Stream:
    """The stream that was named.

    Raises:
        BadInputError: It is none of the kinds that are known.
    """
    from masklet.errors import BadInputError
    from masklet.patterns import FramePattern
    from masklet_server.live.streams import EncodedStream, GrowingSequence, RawPipe

    first = first_frame or 0
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
        return EncodedStream(sys.stdin.buffer, first_frame=first)
    if device_format is not None:
        return EncodedStream(source, input_format=device_format, first_frame=first)
    path = Path(source)
    pattern = FramePattern.parse(path.name)
    if pattern is None:
        raise BadInputError(
            f"{source} is no stream: give - for standard input, a pattern like plate.%04d.exr, or --capture"
        )
    return GrowingSequence(
        path.parent, pattern, read_file, first_frame=first_frame, last_frame=last_frame, patience_s=patience_s
    )


def read_file(file: Path) -> NDArray[np.uint8] | NDArray[np.float32]:
    """The picture in one file, as clips read it; raises ClipError while it is not whole."""
    from masklet_server.media.source import open_clip

    with open_clip(file) as clip:
        return clip.read(clip.info.first_frame)


def follower_of(arrival: Arrival, make_tracker: TrackerFactory, said: Sequence[FramePrompts]) -> Follower:
    """A follower for a stream that begins with this frame."""
    from masklet.types import ClipInfo
    from masklet_server.live.follower import Follower

    height_px, width_px = arrival.picture.shape[:2]
    info = ClipInfo("stream", width_px, height_px, arrival.frame, arrival.frame)
    return Follower(make_tracker, info, said)


def write_mattes(
    folder: Path, names: Mapping[int, str], arrival: Arrival, results: Sequence[ObjectFrame]
) -> None:
    """Write a frame's mattes, each whole or not at all.

    Args:
        folder: Where those of all objects go.
        names: Of their folders and files, by object: whatever people call an object, no path.
        arrival: The frame.
        results: Its masks.

    Raises:
        OutputError: They cannot be written.
    """
    import cv2

    from masklet.errors import OutputError
    from masklet_server.mattes.alpha import render_preview

    height_px, width_px = arrival.picture.shape[:2]
    for result in results:
        name = names[result.object_id]
        file = folder / name / f"{name}.{arrival.frame:06d}.png"
        _, data = cv2.imencode(".png", render_preview(result.logits, width_px, height_px))
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(".part")
            part.write_bytes(data.tobytes())
            part.replace(file)
        except OSError as error:
            raise OutputError(f"{file} cannot be written ({error.strerror}): check the folder") from error
