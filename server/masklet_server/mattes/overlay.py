"""Pictures for people: the plate with every object tinted and outlined, as a movie or one sheet."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.errors import BadInputError, ClipError, OutputError
from masklet_server.mattes.alpha import render_alpha, render_preview
from masklet_server.mattes.drawn import DrawnOn, drawn_codes
from masklet_server.mattes.picture_file import exact_rate
from masklet_server.mattes.refine import as_codes, refine_alpha
from masklet_server.mattes.strokes import StrokesOn, obeyed_codes

if TYPE_CHECKING:
    from masklet.types import ObjectInfo
    from masklet_server.tracking import FrameSource, ObjectFrame, ResultReader

#: One colour per object, by its place in the list; told apart with the common colour weaknesses
#: too. Source: M. Okabe and K. Ito, "Color Universal Design", 2002.
PALETTE: tuple[tuple[int, int, int], ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (204, 121, 167),
    (213, 94, 0),
    (0, 114, 178),
)
_TINT = 0.45


def paint(
    picture: NDArray[np.uint8], masks: Sequence[tuple[tuple[int, int, int], NDArray[np.uint8]]]
) -> NDArray[np.uint8]:
    """The picture with each mask as a tint and an outline.

    Args:
        picture: ``(H, W, 3)`` sRGB; stays as it is.
        masks: Colour and ``(H, W)`` coverage of each object, painted in this order.
    """
    shown = picture.copy()
    for colour, mask in masks:
        # Only where the object is: most objects are small, and float copies of a frame are not.
        left, top, width, height = cv2.boundingRect(mask)
        part = shown[top : top + height, left : left + width]
        weight = (mask[top : top + height, left : left + width] * np.float32(_TINT / 255.0))[..., None]
        part[:] = np.rint(part + weight * (np.asarray(colour, np.float32) - part))
    thickness_px = max(1, round(max(picture.shape[:2]) / 640))
    for colour, mask in masks:
        inside = (mask > 127).astype(np.uint8)
        outlines, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(shown, outlines, -1, colour, thickness_px, cv2.LINE_AA)
    return shown


def overlay_pictures(
    source: FrameSource,
    objects: Sequence[ObjectInfo],
    results: ResultReader,
    frames: Iterable[int],
    *,
    max_side_px: int = 1280,
    label: bool = True,
    refine: bool = True,
    drawn_on: DrawnOn | None = None,
    strokes_on: StrokesOn = lambda _: (),
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Painted frames, one after another, with square pixels and even sides.

    Frames that the clip does not have, or that cannot be read, are left out.

    Args:
        source: The clip.
        objects: Whom to paint, in the order of :data:`PALETTE`.
        results: Where their masks are found.
        frames: The plate's own numbers.
        max_side_px: Longest side; smaller plates keep their size.
        label: Writes the frame number into the corner.
        refine: Lets edges follow the picture, as in exported mattes.
        drawn_on: Finds masks that the artist drew, which are shown as they are; none when None.
        strokes_on: Finds strokes, which are obeyed.

    Yields:
        Frame number and ``(H, W, 3)`` sRGB.
    """
    info = source.info
    missing = frozenset(info.missing_frames)
    width = info.width_px * info.pixel_aspect
    scale = min(1.0, max_side_px / max(width, info.height_px))
    # H.264 halves its colour planes, so both sides must be even.
    size = (max(2, round(width * scale / 2) * 2), max(2, round(info.height_px * scale / 2) * 2))
    for frame in frames:
        if frame in missing or frame not in info.frames:
            continue
        try:
            picture = as_codes(source.read(frame))
        except ClipError:
            continue
        small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        masks = []
        for place, each in enumerate(objects):
            result = results.find(each.object_id, frame)
            if result is None:
                continue
            drawn = None if drawn_on is None else drawn_on(result)
            if drawn is not None:
                mask = drawn_codes(drawn, *size)
            else:
                mask = _shown_mask(result, small, refine=refine)
                mask = obeyed_codes(mask, strokes_on(result), (info.width_px, info.height_px))
            masks.append((PALETTE[place % len(PALETTE)], mask))
        shown = paint(small, masks)
        if label:
            _write_label(shown, str(frame))
        yield frame, shown


_TICK_S = Fraction(1, 90_000)


def encode_movie(
    pictures: Iterable[tuple[int, NDArray[np.uint8]]],
    *,
    frames_per_s: float | None,
    time_s: Callable[[int], float | None] | None = None,
) -> bytes:
    """An H.264 MP4 of the pictures, all of one even size.

    Args:
        pictures: As :func:`overlay_pictures` gives them.
        frames_per_s: 24 when None.
        time_s: When each frame is shown, where the rate varies; None where pictures follow each other evenly.

    Raises:
        BadInputError: There are no pictures.
        OutputError: This build of FFmpeg cannot write H.264.
    """
    # Video libraries are slow to load and mattes are mostly written without them.
    import av
    from av.video.reformatter import ColorRange, Colorspace

    waiting = iter(pictures)
    first = next(waiting, None)
    if first is None:
        raise BadInputError("an overlay movie needs at least one frame: track something first.")
    height_px, width_px = first[1].shape[:2]
    buffer = io.BytesIO()
    try:
        container = av.open(buffer, "w", format="mp4")
        stream = container.add_stream("libx264", rate=exact_rate(frames_per_s or 24.0))
    except (av.error.FFmpegError, ValueError) as error:
        raise OutputError("movies cannot be written here: install PyAV with MP4 and H.264.") from error
    with container:
        stream.width, stream.height, stream.pix_fmt = width_px, height_px, "yuv420p"
        stream.options = {"crf": "18", "preset": "veryfast"}
        # Said in the stream, or players guess the matrix from the size of the picture.
        stream.codec_context.colorspace = Colorspace.ITU709
        stream.codec_context.color_range = ColorRange.MPEG
        start_s = (time_s(first[0]) or 0.0) if time_s is not None else 0.0
        if time_s is not None:
            stream.codec_context.time_base = _TICK_S
        for number, picture in itertools.chain((first,), waiting):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
                format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
            )
            if time_s is not None:
                frame.pts = round(((time_s(number) or 0.0) - start_s) / _TICK_S)
                frame.time_base = _TICK_S
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()


def encode_contact_sheet(pictures: Sequence[tuple[int, NDArray[np.uint8]]], *, width_px: int = 1920) -> bytes:
    """A PNG that shows all pictures side by side, in reading order.

    Args:
        pictures: As :func:`overlay_pictures` gives them; a dozen makes a good sheet.
        width_px: Of the sheet.

    Raises:
        BadInputError: There are no pictures.
    """
    if not pictures:
        raise BadInputError("a contact sheet needs at least one frame: track something first.")
    height, width = pictures[0][1].shape[:2]
    # As near to 16:9 as whole rows and columns come.
    columns = min(len(pictures), max(1, round(math.sqrt(len(pictures) * height / width * 16 / 9))))
    rows = math.ceil(len(pictures) / columns)
    gap_px = 4
    cell_width = (width_px - gap_px * (columns + 1)) // columns
    cell_height = max(1, round(cell_width * height / width))
    sheet = np.full((rows * (cell_height + gap_px) + gap_px, width_px, 3), 24, np.uint8)
    for place, (_, picture) in enumerate(pictures):
        top = gap_px + (place // columns) * (cell_height + gap_px)
        left = gap_px + (place % columns) * (cell_width + gap_px)
        cell = cv2.resize(picture, (cell_width, cell_height), interpolation=cv2.INTER_AREA)
        sheet[top : top + cell_height, left : left + cell_width] = cell
    _, data = cv2.imencode(".png", np.ascontiguousarray(sheet[..., ::-1]))
    return data.tobytes()


def spread_frames(frames: Sequence[int], count: int) -> list[int]:
    """At most ``count`` of the frames, evenly spread, first and last included."""
    if len(frames) <= count:
        return list(frames)
    places = np.linspace(0, len(frames) - 1, count).round().astype(int)
    return [frames[place] for place in places]


def _shown_mask(result: ObjectFrame, picture: NDArray[np.uint8], *, refine: bool) -> NDArray[np.uint8]:
    height_px, width_px = picture.shape[:2]
    if not refine:
        return render_preview(result.logits, width_px, height_px)
    rows, columns = result.logits.shape
    alpha = refine_alpha(
        render_alpha(result.logits, width_px, height_px),
        picture,
        cell_px=max(width_px / columns, height_px / rows),
    )
    return np.asarray(np.rint(alpha * 255.0), np.uint8)


def _write_label(picture: NDArray[np.uint8], text: str) -> None:
    scale = max(picture.shape[:2]) / 1000
    place = (round(14 * scale) + 4, picture.shape[0] - round(14 * scale) - 4)
    for colour, thickness in (((0, 0, 0), 4), ((255, 255, 255), 1)):
        weight = max(1, round(thickness * max(1.0, scale)))
        cv2.putText(
            picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, max(0.4, scale), colour, weight, cv2.LINE_AA
        )
