"""Whether the host and the server see the same pictures under the same numbers.

Both read files with decoders of their own. Where they disagree on size, count or time, a mask would lie
beside the object without anybody saying so.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from masklet.errors import ClipError
from masklet.phrases import phrase

if TYPE_CHECKING:
    from masklet.types import ClipInfo

PROXY_ROUNDING_PX = 4
"""A quarter-size proxy of a size that four does not divide is that much short of it."""
_COUNT_ROUNDING = 1
"""A container's duration may hold a picture more or less than there are; none of the others moves."""
_SAME_TIME_US = 1000
"""Containers round times to thousandths of a second."""


@dataclass(frozen=True)
class HostClip:
    """A clip as the host shows it.

    Attributes:
        name: For people.
        width_px: Of its pictures.
        height_px: The same.
        pictures: Of a movie: how many there are; 0 for picture sequences, whose files have numbers.
        frames_per_s: At which the host plays the movie; 0 where it does not say.
        is_proxy: The size was worked out from smaller pictures.
        turns: The host turns pictures as a movie's header asks; none mirrors them.
    """

    name: str
    width_px: int
    height_px: int
    pictures: int = 0
    frames_per_s: float = 0.0
    is_proxy: bool = False
    turns: bool = True


def check_match(host: HostClip, clip: ClipInfo, *, host_name: str) -> None:
    """Refuse a clip that host and server see differently.

    Args:
        host: As the host shows it.
        clip: As the server reads it.
        host_name: The host's own name.

    Raises:
        ClipError: They disagree on the pictures' size, on which way is up, on their count or their times.
    """
    if not _is_same_way_up(host, clip):
        what = (
            phrase("mirrored")
            if clip.mirrored
            else phrase("turned by {degrees} degrees", degrees=90 * clip.quarter_turns)
        )
        raise ClipError(
            phrase(
                "{name} is to be shown {what}, as phones write movies, and {host} does not do that: "
                "convert the movie to an image sequence, and open that instead",
                name=host.name,
                what=what,
                host=host_name,
            )
        )
    slack_px = PROXY_ROUNDING_PX if host.is_proxy else 0
    # Hosts tell the size of the format; overscan that was asked for lies around it.
    width_px, height_px = clip.display_width_px, clip.display_height_px
    apart_px = max(abs(host.width_px - width_px), abs(host.height_px - height_px))
    if apart_px > slack_px and not host.pictures:
        raise ClipError(_other_pictures(host, clip, host_name))
    if apart_px > slack_px:
        raise ClipError(
            phrase(
                "{host} shows {name} as {shown}, and the server reads it as {read}: masks would lie beside "
                "the object, so convert the movie to an image sequence, and open that instead",
                host=host_name,
                name=host.name,
                shown=f"{host.width_px} x {host.height_px}",
                read=f"{width_px} x {height_px}",
            )
        )
    if host.pictures and not _is_same_numbering(host, clip):
        why = phrase("its frame rate varies") if clip.is_variable_rate else phrase("they count differently")
        raise ClipError(
            phrase(
                "{host} shows {name} on {frames} frames, and it has {pictures} pictures, because {why}: "
                "masks would lie beside the object, so convert the movie to an image sequence, and open "
                "that instead",
                host=host_name,
                name=host.name,
                frames=host.pictures,
                pictures=len(clip.frames),
                why=why,
            )
        )


def _other_pictures(host: HostClip, clip: ClipInfo, host_name: str) -> str:
    """Why files of pictures have another size in the host."""
    words = {
        "host": host_name,
        "name": host.name,
        "shown": f"{host.width_px} x {host.height_px}",
        "read": f"{clip.display_width_px} x {clip.display_height_px}",
    }
    is_larger = host.width_px >= clip.display_width_px and host.height_px >= clip.display_height_px
    if is_larger and not host.is_proxy:
        return phrase(
            "{host} shows {name} as {shown}, with what lies beyond its format of {read}: masks would lie "
            "beside the object, so render the plate cropped to its format, or cut it out on the command line "
            "with --overscan",
            **words,
        )
    return phrase(
        "{host} shows {name} as {shown}, and the server reads it as {read}: see that both have the same "
        "files, and reload the clip",
        **words,
    )


def shown_pictures(host: HostClip, clip: ClipInfo) -> tuple[int, ...]:
    """Which picture, from 0, a host shows on each of its frames: the last one that is not later."""
    times_us = [time_us - _SAME_TIME_US for time_us in clip.frame_times_us]
    return tuple(
        bisect_right(times_us, round(1e6 * frame / host.frames_per_s)) - 1 for frame in range(host.pictures)
    )


def _is_same_way_up(host: HostClip, clip: ClipInfo) -> bool:
    return not clip.mirrored and (host.turns or clip.quarter_turns == 0)


def _is_same_numbering(host: HostClip, clip: ClipInfo) -> bool:
    if abs(host.pictures - len(clip.frames)) > _COUNT_ROUNDING:
        return False
    if not clip.is_variable_rate or not host.frames_per_s:
        return not clip.is_variable_rate
    shown = shown_pictures(host, clip)
    return shown[: len(clip.frames)] == tuple(range(len(clip.frames)))[: len(shown)]
