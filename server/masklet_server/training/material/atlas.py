"""Decoded material: pictures as tensors that one gather reaches.

Letters: N pictures, C side of a cut-out in pixels, P side of a photograph, G groups, V views of a group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Material:
    """Everything the composer draws from, on one device.

    Attributes:
        cutouts: (N, 4, C, C) uint8, sRGB and straight alpha, each centred with its aspect kept.
        group_first: (G,) int64, index of the first view of a group in ``cutouts``. A group is one
            object: a single picture, the views of a turn, or the frames of an animation.
        group_views: (G,) int64, number of views.
        group_weight: (G,) float32, how often the group is drawn, relative to others.
        group_bare: (G,) bool, True for shapes without colours of their own, always textured.
        group_extent: (G, 2) float32, width and height of the opaque part as fractions of C.
        photos: (M, 3, P, P) uint8, backgrounds and textures, stretched to the square.
        photo_weight: (M,) float32, how often the photograph is a background, relative to others.
        photo_aspect: (M,) float32, width over height before stretching.
        photo_labels: (K, P, P) uint8, object numbers of the first K photographs (0 is background).
        photo_objects: (K,) int64, how many objects each of them has; objects are 1 to that number.
    """

    cutouts: Tensor
    group_first: Tensor
    group_views: Tensor
    group_weight: Tensor
    group_bare: Tensor
    group_extent: Tensor
    photos: Tensor
    photo_weight: Tensor
    photo_aspect: Tensor
    photo_labels: Tensor
    photo_objects: Tensor

    @property
    def device(self) -> torch.device:
        """Where the tensors lie."""
        return self.cutouts.device
