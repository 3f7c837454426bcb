"""Which pictures of a movie are shown, in which order, when, and from where each can be decoded.

The rule is what a player does: a frame is a picture that FFmpeg's decoder puts out when the file is read
from its start, in the order in which they come. Numbers follow from the packets alone wherever those can
be trusted, because decoding an hour of film to count it would take minutes
(docs/decisions/0031-movie-numbering.md).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from masklet_server.media.movie_packets import PacketMark, StoredPacket

# Two fields of one picture lie half a picture apart; nothing else in a transport stream does.
_FIELD_SPACING = 0.6
# No codec holds a picture back for longer.
_MAX_REORDER_PACKETS = 64


class Start(NamedTuple):
    """A packet with which decoding can begin.

    Attributes:
        number: Of the packet, in storage order.
        first_place: From here on, pictures come out as they do when the file is read from its start. Those
            shown before it and stored behind it need packets before it.
        stamps: Time stamps to seek to, the likelier one first.
        mark: By which the packet is known.
    """

    number: int
    first_place: int
    stamps: tuple[int, ...]
    mark: PacketMark


@dataclass(frozen=True)
class MovieIndex:
    """The shown pictures of a movie; frame k of a clip is the one at place k.

    Attributes:
        numbers: For each place, the packet that holds the picture, counted in storage order.
        times: For each place, when it is shown, in the stream's time base; None where the file does not
            say.
        starts: Where decoding can begin, in storage order.
        dropped: Pictures before the first one that can be shown: the file begins between key frames.
        missing: Pictures that the file's header promises and that are not in the file: it breaks off.
    """

    numbers: tuple[int, ...]
    times: tuple[int, ...] | None
    starts: tuple[Start, ...]
    dropped: int = 0
    missing: int = 0

    def __len__(self) -> int:
        return len(self.numbers)

    @cached_property
    def places(self) -> Mapping[int, int]:
        """The place of each packet whose picture is shown."""
        return {number: place for place, number in enumerate(self.numbers)}

    @cached_property
    def starts_by_mark(self) -> Mapping[PacketMark, Start]:
        """Those starts whose marks no other has."""
        found: dict[PacketMark, Start] = {}
        twice = set()
        for start in self.starts:
            if start.mark in found:
                twice.add(start.mark)
            found[start.mark] = start
        return {mark: start for mark, start in found.items() if mark not in twice}

    def starts_for(self, place: int) -> Iterator[Start]:
        """Starts from which the picture at a place can be decoded, nearest first."""
        at = bisect_right(self._first_places, place)
        yield from reversed(self.starts[:at])

    def stamps_before(self, start: Start) -> Iterator[int]:
        """Where to seek in order to reach a start, nearest first: seeking may land late."""
        yield from start.stamps
        at, step = bisect_left(self._start_numbers, start.number), 1
        while at - step > 0:
            yield from self.starts[at - step].stamps[-1:]
            step *= 2

    @cached_property
    def _first_places(self) -> list[int]:
        return [start.first_place for start in self.starts]

    @cached_property
    def _start_numbers(self) -> list[int]:
        return [start.number for start in self.starts]


def expected_order(packets: Sequence[StoredPacket], *, intra_only: bool, fields: bool) -> list[int] | None:
    """The packets that will be shown, in order, as far as the packets tell; None where they do not.

    Args:
        packets: In storage order.
        intra_only: Every picture stands for itself.
        fields: Two packets may hold one picture, a field each, as in transport streams.
    """
    shown = [number for number, packet in enumerate(packets) if not packet.is_hidden]
    first_key = next((number for number, packet in enumerate(packets) if packet.is_key), None)
    if first_key is None:
        return shown if intra_only else None
    shown = [number for number in shown if number >= first_key]
    times = {number: packets[number].mark.pts for number in shown}
    stamps = [time for time in times.values() if time is not None]
    if len(stamps) < len(shown) or len(set(stamps)) < len(shown):
        # AVI has no presentation times; of pictures that stand for themselves none overtakes another.
        return shown if intra_only else None
    if fields and not intra_only and _is_uneven(sorted(stamps)):
        return None
    ordered = sorted(shown, key=lambda number: times[number] or 0)
    if any(abs(shown[place] - number) > _MAX_REORDER_PACKETS for place, number in enumerate(ordered)):
        # Recordings that were joined: their clocks begin anew.
        return None
    return ordered


def without_dropped(
    expected: Sequence[int], seen: Sequence[int], *, ended: bool, failures: int = 0
) -> list[int] | None:
    """What is expected, less what the decoder dropped at the start; None where it shows something else.

    Args:
        expected: From :func:`expected_order`.
        seen: The first packets whose pictures came out of the decoder.
        ended: There are no more.
        failures: So many packets among them are damaged. Their pictures keep their places and cannot be
            read.
    """
    if not seen or seen[0] not in expected:
        return None
    shown = list(expected[expected.index(seen[0]) :])
    if seen[-1] not in shown:
        return None
    told = shown if ended else shown[: shown.index(seen[-1]) + 1]
    if len(told) - len(seen) > failures:
        return None
    left = iter(told)
    return shown if all(number in left for number in seen) else None


def index_of(packets: Sequence[StoredPacket], numbers: Sequence[int], *, promised: int = 0) -> MovieIndex:
    """The index of a movie of which the packets in ``numbers`` are shown, in this order.

    Args:
        packets: In storage order.
        numbers: Some of them.
        promised: So many packets are in the header's list.
    """
    stamps = [packets[number].mark.pts for number in numbers]
    known = [stamp for stamp in stamps if stamp is not None]
    times = tuple(known) if len(known) == len(stamps) and _ascends(known) else None
    if times:
        dropped = sum(
            not packet.is_hidden and packet.mark.pts is not None and packet.mark.pts < times[0]
            for packet in packets
        )
    else:
        first = min(numbers, default=0)
        dropped = sum(not packet.is_hidden for packet in packets[:first])
    starts = _starts(packets, numbers, times, {number: place for place, number in enumerate(numbers)})
    return MovieIndex(tuple(numbers), times, starts, dropped, max(0, promised - len(packets)))


def _starts(
    packets: Sequence[StoredPacket],
    numbers: Sequence[int],
    times: Sequence[int] | None,
    places: Mapping[int, int],
) -> tuple[Start, ...]:
    # Of all pictures from a place on, the one that is stored first.
    stored_first = list(numbers)
    for place in range(len(numbers) - 2, -1, -1):
        stored_first[place] = min(stored_first[place], stored_first[place + 1])
    starts: list[Start] = []
    for number, packet in enumerate(packets):
        if not packet.is_key:
            continue
        place = bisect_left(stored_first, number)
        pts = packet.mark.pts
        if times is not None and pts is not None:
            place = max(place, bisect_left(times, pts))
        elif number in places:
            place = max(place, places[number])
        if place < len(numbers) and (not starts or place >= starts[-1].first_place):
            stamps = tuple(stamp for stamp in dict.fromkeys((pts, packet.dts)) if stamp is not None)
            starts.append(Start(number, place, stamps, packet.mark))
    return tuple(starts)


def _is_uneven(times: Sequence[int]) -> bool:
    spacings = sorted(later - earlier for earlier, later in pairwise(times))
    return bool(spacings) and spacings[0] < _FIELD_SPACING * spacings[len(spacings) // 2]


def _ascends(values: Sequence[int]) -> bool:
    return all(earlier < later for earlier, later in pairwise(values))
