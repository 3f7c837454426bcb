"""Counts the pictures of a movie: by its packets where they can be trusted, else by decoding all."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from masklet.errors import ClipError
from masklet_server.media.movie_index import expected_order, index_of, without_dropped
from masklet_server.media.movie_packets import (
    is_intra_only,
    is_transport,
    mark_of,
    packets_by_demuxing,
    packets_in_header,
    packets_promised,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.video.frame import VideoFrame

    from masklet_server.media.limits import Limits
    from masklet_server.media.movie_file import Failure, MovieFile
    from masklet_server.media.movie_index import MovieIndex

# So many pictures tell whether the packets can be trusted: leading ones are dropped at once, and the
# fields of a picture are told apart at the second.
_TRIAL_FRAMES = 6


@dataclass
class _Trial:
    """What came out of the decoder when the file was read from its start.

    Attributes:
        numbers: Of the packets, in the order in which their pictures are shown.
        pictures: The first of them that are sound.
        failures: Packets that could not be decoded.
        rest: What comes out of it next.
    """

    numbers: list[int] = field(default_factory=list)
    pictures: dict[int, VideoFrame] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    rest: Iterator[tuple[int, VideoFrame]] | None = None


@dataclass(frozen=True)
class Count:
    """The index of a movie, and the pictures that were decoded on the way to it.

    Attributes:
        index: Of all pictures.
        first: The first picture that can be decoded.
        pictures: A few from the start, by place.
        rest: Packet numbers with the pictures that come out of the file's decoder next; None where it has to
            begin anew. An :class:`av.error.FFmpegError` where it meets damage.
    """

    index: MovieIndex
    first: VideoFrame
    pictures: dict[int, VideoFrame]
    rest: Iterator[tuple[int, VideoFrame]] | None


def count_pictures(file: MovieFile, limits: Limits) -> Count:
    """The index of a movie, whose file was just opened.

    Raises:
        ClipError: Nothing in it can be shown.
        LimitError: There are too many frames, or too many to count by decoding.
        av.error.FFmpegError: The file is damaged beyond demuxing.
    """
    container, stream = file.opened()
    fields = is_transport(container)
    if fields:
        container, stream = file.open()
    intra_only = is_intra_only(stream)
    promised = packets_promised(container, stream)
    packets = packets_in_header(container, stream, file.path.stat().st_size)
    if packets is not None:
        first = next(file.packets(), None)
        container, stream = file.open()
        if first is None or not packets or mark_of(first) != packets[0].mark:
            packets = None
    if packets is None:
        packets = packets_by_demuxing(container, stream, limits, name=file.name)
    expected = expected_order(packets, intra_only=intra_only, fields=fields)
    trial, shown = _Trial(), None
    if expected is not None:
        count = 1 if intra_only else _TRIAL_FRAMES
        trial = _decode(file, count)
        if intra_only and trial.numbers:
            shown = expected
        else:
            ended = len(trial.numbers) < count
            shown = without_dropped(expected, trial.numbers, ended=ended, failures=len(trial.failures))
    firsts, failures = trial.pictures, trial.failures
    if shown is None:
        limits.check_counted_by_decoding(len(packets), what=file.name)
        every = _decode(file, None)
        # Its decoder is a rough one.
        file.close()
        shown, firsts, failures = every.numbers, every.pictures, every.failures
    if not shown or not firsts:
        words = f" ({failures[0].error.strerror})" if failures else ""
        raise ClipError(
            f"{file.name} has no frame that can be read{words}, it is damaged or cut off: "
            "copy or render it again."
        )
    index = index_of(packets, shown, promised=promised)
    pictures = {
        index.places[number]: frame for number, frame in trial.pictures.items() if number in index.places
    }
    is_sound = trial.rest is not None and firsts is trial.pictures and not trial.failures
    rest = _raising(trial.rest, trial.failures) if is_sound and trial.rest is not None else None
    return Count(index, next(iter(firsts.values())), pictures, rest)


def _raising(
    rest: Iterator[tuple[int, VideoFrame]], failures: list[Failure]
) -> Iterator[tuple[int, VideoFrame]]:
    """Pictures up to the first damage, which is noted in ``failures``."""
    for numbered in rest:
        if failures:
            break
        yield numbered
    if failures:
        raise failures[0].error


def _decode(file: MovieFile, count: int | None) -> _Trial:
    """The first so many pictures when the file is read from its start; for None all, roughly."""
    # Only their order is wanted: a third less to compute.
    file.open(options={"skip_loop_filter": "all", "skip_idct": "all"} if count is None else {})
    trial, known = _Trial(), set()
    trial.rest = file.decode(enumerate(file.packets()), trial.failures)
    for number, frame in islice(trial.rest, count):
        if number in known:
            # A decoder's stand-in for a picture that the stream left out.
            continue
        known.add(number)
        trial.numbers.append(number)
        if len(trial.pictures) < _TRIAL_FRAMES and (not frame.is_corrupt or not trial.pictures):
            trial.pictures[number] = frame
    return trial
