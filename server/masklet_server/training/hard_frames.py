"""Hard frames: objects that leave, are gone or come back, with all that the network read of them.

A clip has few frames that teach when an object is gone, and whether one of them does depends on what the
network remembers by then. So clips are tracked as the engine tracks them, and of the frames that matter the
features of the picture and the memories that were read are kept: they can be learned from again and again,
without painting, encoding or tracking anything. To learn in states that the learner itself gets into is
S. Ross, G. Gordon, D. Bagnell, "A reduction of imitation learning and structured prediction to no-regret
online learning", 2011.

Shape letters: F pictures, C width, h = S/16, T maps read, M their channels, P pointers read, S side.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors import SafetensorError, safe_open

from masklet.errors import BadInputError
from masklet_server.model.network import ImageFeatures
from masklet_server.training.checkpoints import write_weights

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from random import Random

    from numpy.typing import NDArray
    from torch import Tensor

UNSURE_BELOW_LOGIT = 3.0
"""A present object with a lower presence logit makes a frame hard."""

PRESENT_FROM_SHARE = 0.1
"""From this share of its first area on an object counts as present; below it, a frame is neither."""

_AFTER_ABSENCE_FRAMES = 4
_BEFORE_ABSENCE_FRAMES = 4
_FEATURES = ("embedding", "skip8", "skip4")


@dataclass(frozen=True, eq=False)
class HardFrame:
    """One object on one frame: what the network read to find it, and where it was.

    Attributes:
        picture: Which of the clip's pictures.
        maps: ``(T, M, h, h)`` memory maps.
        slots: ``(T,)`` integers, their slots.
        pointers: ``(P, C)``.
        distances: ``(P,)`` frames to each pointer's frame.
        span: Distance that counts as 1.
        mask: ``(S, S)`` bool, what is visible of it.
        first_area_px: What was visible of it where it was prompted.
    """

    picture: int
    maps: Tensor
    slots: Tensor
    pointers: Tensor
    distances: Tensor
    span: float
    mask: Tensor
    first_area_px: int

    @property
    def kind(self) -> tuple[int, int]:
        """How many maps and pointers it reads: frames of one kind fit one batch."""
        return len(self.slots), len(self.distances)


@dataclass(frozen=True, eq=False)
class GatheredClip:
    """The hard frames of one clip, and a few plain ones.

    Attributes:
        features: Of F pictures.
        frames: Each of one object.
    """

    features: ImageFeatures
    frames: Sequence[HardFrame]


def choose_frames(
    areas_px: NDArray[np.integer],
    presence_logits: NDArray[np.floating],
    chance: Random,
    *,
    hard: int,
    plain: int,
) -> list[int]:
    """Frames of one object to learn from, ascending, never frame 0.

    Hard ones are those without it, those just before and after them, those with little of it, where masks
    slide over to what covers it, and those where the network is unsure of an object that is there.

    Args:
        areas_px: ``(frames,)``, what is visible of it.
        presence_logits: ``(frames,)``, what the network said.
        chance: Draws among them.
        hard: At most so many hard ones.
        plain: At most so many others, so that what the network can do already is not forgotten.
    """
    gone = areas_px == 0
    present = areas_px >= max(1.0, PRESENT_FROM_SHARE * float(areas_px[0]))
    hard_ones, plain_ones = [], []
    for frame in range(1, len(areas_px)):
        near = gone[max(1, frame - _AFTER_ABSENCE_FRAMES) : frame].any()
        near = near or gone[frame + 1 : frame + 1 + _BEFORE_ABSENCE_FRAMES].any()
        unsure = presence_logits[frame] < UNSURE_BELOW_LOGIT
        if near or unsure or not present[frame]:
            hard_ones.append(frame)
        else:
            plain_ones.append(frame)
    chosen = _drawn(hard_ones, hard, chance) + _drawn(plain_ones, plain, chance)
    return sorted(chosen)


def write_clip(clip: GatheredClip, path: Path) -> None:
    """Write a clip's hard frames as ``safetensors``, whole or not at all.

    Raises:
        OutputError: The disk is full or read-only.
    """
    tensors = {name: getattr(clip.features, name) for name in _FEATURES}
    for number, frame in enumerate(clip.frames):
        tensors[f"{number}/maps"] = frame.maps
        tensors[f"{number}/slots"] = frame.slots
        tensors[f"{number}/pointers"] = frame.pointers
        tensors[f"{number}/distances"] = frame.distances
        tensors[f"{number}/mask"] = torch.from_numpy(np.packbits(frame.mask.numpy()))
    notes = [[frame.picture, frame.span, frame.first_area_px, frame.mask.shape[-1]] for frame in clip.frames]
    write_weights(path, tensors, metadata={"frames": json.dumps(notes)})


def read_clip(path: Path) -> GatheredClip:
    """The inverse of :func:`write_clip`; features, maps and pointers as float16.

    Raises:
        BadInputError: The file is damaged, or holds something else.
    """
    try:
        with safe_open(path, framework="pt") as file:
            notes = json.loads((file.metadata() or {})["frames"])
            features = ImageFeatures(*(file.get_tensor(name) for name in _FEATURES))
            frames = [
                HardFrame(
                    picture=int(picture),
                    maps=file.get_tensor(f"{number}/maps"),
                    slots=file.get_tensor(f"{number}/slots"),
                    pointers=file.get_tensor(f"{number}/pointers"),
                    distances=file.get_tensor(f"{number}/distances").float(),
                    span=float(span),
                    mask=_unpacked(file.get_tensor(f"{number}/mask"), int(side_px)),
                    first_area_px=int(area_px),
                )
                for number, (picture, span, area_px, side_px) in enumerate(notes)
            ]
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise BadInputError(
            f"{path.name} holds no hard frames: remove it and run `masklet-server train-gather` again."
        ) from error
    return GatheredClip(features, frames)


def _unpacked(packed: Tensor, side_px: int) -> Tensor:
    bits = np.unpackbits(packed.numpy(), count=side_px * side_px)
    return torch.from_numpy(bits.reshape(side_px, side_px).astype(np.bool_))


def _drawn(frames: list[int], most: int, chance: Random) -> list[int]:
    return chance.sample(frames, min(most, len(frames)))
