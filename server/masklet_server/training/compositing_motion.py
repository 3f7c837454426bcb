"""How layers and the camera move: random walks with velocity, turned into homographies.

Isotropic coordinates: the frame spans x from -a to a and y from -1 to 1, where a is the aspect of the
clip before it is stretched to the square. Letters: B clips, L layers, T frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from masklet_server.training.compositing_draws import Draws


_FARTHEST = 0.025


@dataclass(frozen=True)
class Track:
    """A value per frame and how fast it changes per frame."""

    value: Tensor
    rate: Tensor

    def at(self, offset: Tensor) -> Tensor:
        """The value ``offset`` (B, 1) frames later, to first order, and never far away.

        The points in time of a frame are few: further apart than this they would show as copies.
        """
        return self.value + (self.rate * offset).clamp(-_FARTHEST, _FARTHEST)


def walk(draws: Draws, speed: Tensor, frames: int, *, jerk: float = 0.25, turn_share: float = 0.15) -> Track:
    """A random walk that starts at zero with a velocity around ``speed``.

    Args:
        draws: Random numbers.
        speed: (...,) per frame.
        frames: T.
        jerk: Acceleration per frame as a fraction of the speed.
        turn_share: How many walks change their velocity at once on some frame.

    Returns:
        Values (..., T).
    """
    shape = speed.shape
    start = draws.normal(*shape) * speed
    turned = draws.normal(*shape) * speed
    steps = draws.normal(*shape, frames, deviation=jerk) * speed[..., None]
    when = draws.uniform(*shape) * frames
    turns = draws.chance(*shape, share=turn_share)
    clock = torch.arange(frames, device=speed.device)
    after = (clock >= when[..., None]).float() * turns[..., None]
    velocity = (start[..., None] * (1 - after) + turned[..., None] * after) + steps.cumsum(-1)
    moved = velocity.cumsum(-1)
    moved = moved - moved[..., :1]
    return Track(moved, velocity if frames > 1 else torch.zeros_like(velocity))


def fold(track: Track, limit: Tensor) -> Track:
    """Reflect a track (..., T) at plus and minus ``limit`` (...,), as what turns back at the border."""
    limit = limit[..., None]
    period = 4.0 * limit
    phase = torch.remainder(track.value + limit, period)
    rising = phase < 2.0 * limit
    folded = torch.where(rising, phase - limit, 3.0 * limit - phase)
    return Track(folded, torch.where(rising, track.rate, -track.rate))


@dataclass(frozen=True)
class Pose:
    """Where a picture is over time; each track has the shape (..., T).

    Attributes:
        x: Centre, isotropic.
        y: Centre, isotropic.
        angle: Radians.
        log_size: Natural logarithm of half the picture's side.
        tilt_x: Perspective along the picture's x.
        tilt_y: Perspective along the picture's y.
        shape: (..., 2, 2), constant flip, stretch and shear.
    """

    x: Track
    y: Track
    angle: Track
    log_size: Track
    tilt_x: Track
    tilt_y: Track
    shape: Tensor

    def homography(self, offset: Tensor) -> Tensor:
        """From the picture's square [-1, 1] to isotropic coordinates, (..., T, 3, 3)."""
        size = self.log_size.at(offset).exp()
        angle = self.angle.at(offset)
        cosine, sine = angle.cos() * size, angle.sin() * size
        turn = torch.stack((torch.stack((cosine, -sine), -1), torch.stack((sine, cosine), -1)), -2)
        linear = product(turn, self.shape[..., None, :, :])
        x, y = self.x.at(offset), self.y.at(offset)
        tilt_x, tilt_y = self.tilt_x.at(offset), self.tilt_y.at(offset)
        centre = torch.stack((x, y), -1)[..., None]
        tilt = torch.stack((tilt_x, tilt_y), -1)[..., None, :]
        # The centre stays the centre under perspective: shift after the division, not before.
        upper = torch.cat((linear + centre * tilt, centre), -1)
        lower = torch.cat((tilt, torch.ones_like(tilt[..., :1])), -1)
        return torch.cat((upper, lower), -2)


def product(first: Tensor, second: Tensor) -> Tensor:
    """First times second, (..., n, n) each, in full precision whatever the device does to matrix products."""
    return (first[..., :, :, None] * second[..., None, :, :]).sum(-2)


def inverse(matrix: Tensor) -> Tensor:
    """The inverse of 3x3 matrices by cross products: no decomposition, no wait for the device."""
    first, second, third = matrix.unbind(-1)
    rows = torch.stack(
        (
            torch.linalg.cross(second, third),
            torch.linalg.cross(third, first),
            torch.linalg.cross(first, second),
        ),
        -2,
    )
    determinant = (first * rows[..., 0, :]).sum(-1)
    return rows / determinant[..., None, None]


def project(matrix: Tensor, points: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Apply homographies (N, 3, 3) to points x (S, S) and y (S, S) or (N, S, S).

    Points behind the picture's horizon come back far outside.
    """
    x, y = points
    entry = [[matrix[:, row, column, None, None] for column in range(3)] for row in range(3)]
    depth = entry[2][0] * x + entry[2][1] * y + entry[2][2]
    scale = torch.where(depth > 0.05, 1.0 / depth, torch.full_like(depth, 1e4))
    return (
        (entry[0][0] * x + entry[0][1] * y + entry[0][2]) * scale,
        (entry[1][0] * x + entry[1][1] * y + entry[1][2]) * scale,
    )


def leave_curve(
    draws: Draws, batch: int, frames: int, *, within: tuple[float, float] | None = None
) -> Tensor:
    """0 while an object is there and 1 while it is gone, (B, T); always 0 on frame 0.

    Most come back before the clip ends.

    Args:
        draws: Random numbers.
        batch: B.
        frames: T.
        within: Frames that leaving takes, and coming back, from the first to the second; None for at
            once, even right after frame 0, as between frames that lie apart.
    """
    clock = torch.arange(frames, device=draws.device)
    low, high = within or (0.4, 1.5)
    middle = draws.uniform(batch, 1, low=1.0, high=max(1.0, frames - 1.2))
    half = draws.uniform(batch, 1, low=0.0, high=max(0.5, frames / 4))
    ramp = draws.uniform(batch, 1, low=low, high=high)
    if within is not None:
        half = half / 2.0
        middle = half + ramp + (middle - 1.0) / (frames - 2.0) * (frames - half - ramp)
    gone = (1.0 - ((clock - middle).abs() - half) / ramp).clamp(0.0, 1.0)
    return torch.where(clock > 0, gone, torch.zeros_like(gone))
