"""Pictures as the network wants them: a normalised square."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from masklet_server.model.devices import fetchable, moved

# Of ImageNet, as all members of the family were trained.
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)


def square_of(picture: NDArray[np.uint8] | NDArray[np.float32], side_px: int) -> Tensor:
    """The whole picture stretched to a square, aspect not kept, still in its own type.

    The filter decides more mask pixels than any rounding in the network, so it is the one that
    the published figures were made with: bicubic with antialiasing, as Pillow resizes the JPEG
    folders of the official predictor. uint8 stays uint8, in the same arithmetic as Pillow's.

    Args:
        picture: ``(height, width, 3)`` display-referred sRGB; uint8, or float32 from 0 to 1.
        side_px: S.

    Returns:
        ``(3, S, S)``, uint8 or float32, on the processor.
    """
    # Pictures may be read-only views of a decoder's buffer, which torch cannot take.
    planes = torch.from_numpy(np.require(picture, requirements=["C", "W"])).permute(2, 0, 1).unsqueeze(0)
    if planes.shape[-2:] != (side_px, side_px):
        planes = functional.interpolate(planes, size=(side_px, side_px), mode="bicubic", antialias=True)
        if planes.dtype != torch.uint8:
            # Bicubic overshoots at edges; Pillow clips as well.
            planes = planes.clamp(0.0, 1.0)
    return planes[0]  # (3, S, S)


def whole(picture: NDArray[np.uint8] | NDArray[np.float32], device: torch.device) -> Tensor:
    """``(height, width, 3)`` as it is, where ``device`` can fetch it without the processor's help."""
    return fetchable(torch.from_numpy(np.require(picture, requirements=["C", "W"])), device)


class DeviceResizer:
    """:func:`square_of` as two matrix products, for a device to which they cost next to nothing.

    The weights are those of the same filter; uint8 keeps its eight bits between the passes, so that
    pixels differ from Pillow's by one grey level at most, where a sum lies half way between two.

    Args:
        side_px: S.
        device: Where pictures go.
    """

    def __init__(self, *, side_px: int, device: torch.device) -> None:
        self._side_px = side_px
        self._device = device
        self._weights: dict[int, Tensor] = {}

    def square_of(self, picture: Tensor) -> Tensor:
        """``(3, S, S)`` on the device, from ``(height, width, 3)`` of :func:`whole` in its own type."""
        planes = moved(picture, self._device).permute(2, 0, 1)
        if planes.shape[-2:] == (self._side_px, self._side_px):
            return planes
        height_px, width_px = planes.shape[-2:]
        levels = planes.dtype == torch.uint8
        wide = self._limited(planes.float() @ self._weights_of(width_px).T, levels=levels)
        square = self._limited(self._weights_of(height_px) @ wide, levels=levels)
        return square.to(torch.uint8) if levels else square.clamp_(0.0, 1.0)

    def _limited(self, values: Tensor, *, levels: bool) -> Tensor:
        """Without the filter's overshoot, and in whole grey levels where the picture has them."""
        return (values + 0.5).floor_().clamp_(0.0, 255.0) if levels else values

    def _weights_of(self, length_px: int) -> Tensor:
        """``(S, length_px)``: what each pixel of a line adds to each of the square's."""
        found = self._weights.get(length_px)
        if found is None:
            units = torch.eye(length_px)[None, None]
            size = (self._side_px, length_px)
            rows = functional.interpolate(units, size=size, mode="bicubic", antialias=True)
            found = self._weights[length_px] = rows[0, 0].to(self._device)
        return found


def normalised(square: Tensor, *, device: torch.device, dtype: torch.dtype) -> Tensor:
    """``(1, 3, S, S)`` on ``device``, ready for the image encoder, from :func:`square_of`."""
    # uint8 crosses the bus: a quarter of the bytes.
    there = moved(square, device)
    image = there.float() / 255.0 if there.dtype == torch.uint8 else there
    mean = moved(torch.tensor(_MEAN).view(3, 1, 1), device)
    deviation = moved(torch.tensor(_DEVIATION).view(3, 1, 1), device)
    return ((image - mean) / deviation).to(dtype).unsqueeze(0)
