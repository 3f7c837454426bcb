"""Where a box will be: a Kalman filter of constant velocity.

State: centre, aspect and height of the box with their velocities, noise in proportion to the height, as in
N. Wojke et al., "Simple Online and Realtime Tracking with a Deep Association Metric" (arXiv 1703.07402); put
to use beside a network's own scores as in C.-Y. Yang et al., "SAMURAI" (arXiv 2411.11922).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masklet_server.engine.policies.boxes import MaskBox

Values = NDArray[np.float64]

_PLACE_NOISE, _VELOCITY_NOISE = 1 / 20, 1 / 160
_ASPECT_NOISE, _ASPECT_DRIFT, _ASPECT_DOUBT = 1e-2, 1e-5, 1e-1
_SMALLEST = 1e-4
_SLOWER = 0.8


@dataclass(frozen=True, eq=False)
class BoxMotion:
    """The filter after some frames; a value, so that whoever holds one may go on from it twice.

    Attributes:
        mean: ``(8,)``.
        covariance: ``(8, 8)``.
    """

    mean: Values
    covariance: Values

    @staticmethod
    def started(box: MaskBox) -> BoxMotion:
        """At rest in a box."""
        measured = _measured(box)
        height = measured[3]
        spread = _spread(height, 2 * _PLACE_NOISE, 10 * _VELOCITY_NOISE, _ASPECT_NOISE, _ASPECT_DRIFT)
        return BoxMotion(np.concatenate((measured, np.zeros(4))), np.diag(spread**2))

    def predicted(self) -> BoxMotion:
        """One frame on, not having looked."""
        step = np.eye(8)
        step[:4, 4:] = np.eye(4)
        noise = _spread(self.mean[3], _PLACE_NOISE, _VELOCITY_NOISE, _ASPECT_NOISE, _ASPECT_DRIFT)
        return BoxMotion(step @ self.mean, step @ self.covariance @ step.T + np.diag(noise**2))

    def coasted(self) -> BoxMotion:
        """One frame on, not having looked: of the size that it has, and slower, as nothing goes on."""
        mean = self.mean.copy()
        mean[4:6] *= _SLOWER
        mean[6:] = 0.0
        return BoxMotion(mean, self.covariance).predicted()

    def corrected(self, box: MaskBox, *, doubt: float = 1.0) -> BoxMotion:
        """Having seen where the box is.

        Args:
            box: What was seen.
            doubt: How many times less it is to be trusted than usual.
        """
        height = max(self.mean[3], _SMALLEST)
        place = doubt * _PLACE_NOISE * height
        noise = np.array([place, place, doubt * _ASPECT_DOUBT, place])
        seen = self.covariance[:4, :4] + np.diag(noise**2)
        gain = np.linalg.solve(seen, self.covariance[:4]).T  # (8, 4)
        mean = self.mean + gain @ (_measured(box) - self.mean[:4])
        return BoxMotion(mean, self.covariance - gain @ seen @ gain.T)

    @property
    def box(self) -> MaskBox:
        """Where it takes the box to be."""
        x, y, aspect, height = self.mean[:4]
        height = max(height, _SMALLEST)
        width = max(aspect * height, _SMALLEST)
        return MaskBox(
            float(x - width / 2), float(y - height / 2), float(x + width / 2), float(y + height / 2)
        )


def _measured(box: MaskBox) -> Values:
    height = max(box.bottom - box.top, _SMALLEST)
    return np.array(
        [(box.left + box.right) / 2, (box.top + box.bottom) / 2, (box.right - box.left) / height, height]
    )


def _spread(height: float, place: float, velocity: float, aspect: float, aspect_drift: float) -> Values:
    height = max(height, _SMALLEST)
    return np.array(
        [
            place * height,
            place * height,
            aspect,
            place * height,
            velocity * height,
            velocity * height,
            aspect_drift,
            velocity * height,
        ]
    )
