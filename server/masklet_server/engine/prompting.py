"""An artist's prompts as the network takes them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from masklet.errors import BadInputError
from masklet.types import Box, Click, ClipInfo, FramePrompts, Mask

# Labels of the prompt encoder.
_NEGATIVE, _POSITIVE, _BOX_FIRST, _BOX_LAST = 0, 1, 2, 3


@dataclass(frozen=True)
class Turn:
    """What the network is shown at once: a box, clicks, or both."""

    box: Box | None
    clicks: tuple[Click, ...]

    @property
    def count(self) -> int:
        """Points that the network sees: a box counts as two."""
        return len(self.clicks) + (0 if self.box is None else 2)

    def points(self, clip: ClipInfo, *, side_px: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """``(1, N, 2)`` points in pixels of the S-square and ``(1, N)`` labels, box corners first.

        The network's points count from the centre of the first pixel, the plate's from its
        edge: hence the half pixel.
        """
        places: list[tuple[float, float]] = []
        labels: list[int] = []
        if self.box is not None:
            places += [(self.box.left_px, self.box.top_px), (self.box.right_px, self.box.bottom_px)]
            labels += [_BOX_FIRST, _BOX_LAST]
        places += [(click.x_px, click.y_px) for click in self.clicks]
        labels += [_POSITIVE if click.positive else _NEGATIVE for click in self.clicks]
        plate = torch.tensor([clip.width_px, clip.height_px], dtype=torch.float64)
        points = torch.tensor(places, dtype=torch.float64) * side_px / plate - 0.5  # (N, 2)
        return (
            points.float().unsqueeze(0).to(device),
            torch.tensor([labels], dtype=torch.int64, device=device),
        )


def turns_in_order(prompts: FramePrompts) -> tuple[Turn, ...]:
    """One turn for the box and one more per click, each seeing all that came before it."""
    starts = range(0 if prompts.box is not None else 1, len(prompts.clicks) + 1)
    return tuple(Turn(prompts.box, prompts.clicks[:count]) for count in starts)


def added_turns(turns: Sequence[Turn], done: Sequence[Turn]) -> tuple[Turn, ...] | None:
    """The turns that go on from ``done``, or None where these are no beginning of ``turns``."""
    if tuple(turns[: len(done)]) != tuple(done):
        return None
    return tuple(turns[len(done) :])


def is_begun(prompts: FramePrompts, first: FramePrompts) -> bool:
    """True where the clicks of ``prompts`` go on from all of ``first``."""
    count = len(first.clicks)
    return (
        count <= len(prompts.clicks)
        and prompts.clicks[:count] == first.clicks
        and (prompts.box, prompts.mask, prompts.base) == (first.box, first.mask, first.base)
    )


def check_prompts(prompts: FramePrompts, clip: ClipInfo) -> None:
    """Refuse prompts that say nothing or lie outside the picture.

    Raises:
        BadInputError: One of both.
    """
    if prompts.is_empty:
        raise BadInputError(
            f"frame {prompts.frame} has no prompt for this object: click on it, draw a box or a mask"
        )
    for click in prompts.clicks:
        inside = 0 <= click.x_px <= clip.width_px and 0 <= click.y_px <= clip.height_px
        if not (math.isfinite(click.x_px) and math.isfinite(click.y_px) and inside):
            raise BadInputError(
                f"the click at ({click.x_px:g}, {click.y_px:g}) is outside the picture of "
                f"{clip.width_px} x {clip.height_px} pixels: click inside it"
            )
    box = prompts.box
    if box is not None and (
        box.right_px <= 0
        or box.bottom_px <= 0
        or box.left_px >= clip.width_px
        or box.top_px >= clip.height_px
    ):
        raise BadInputError(
            f"the box lies outside the picture of {clip.width_px} x {clip.height_px} pixels: "
            "draw it over the object"
        )


def mask_square(mask: Mask, *, side_px: int, device: torch.device) -> Tensor:
    """``(1, 1, S, S)`` of 0 and 1: half coverage or more counts as inside, after the resize."""
    square = torch.from_numpy(mask.coverage()).to(device)[None, None]  # (1, 1, height, width)
    if square.shape[-2:] != (side_px, side_px):
        square = functional.interpolate(square, size=(side_px, side_px), mode="bilinear", antialias=True)
    return (square >= 0.5).float()
