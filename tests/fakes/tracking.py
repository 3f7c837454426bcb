"""A small clip that moves, a shelf of results, and a network small enough for tests of the engine."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from masklet.errors import ClipError, FrameMissingError
from masklet.types import ClipInfo, FramePrompts
from masklet_server.engine.profile import EDITOR, Profile
from masklet_server.engine.tracker import NetworkTracker
from masklet_server.model.config import ConvTrunkConfig, NetworkConfig
from masklet_server.model.network import ImageFeatures, Network
from masklet_server.sessions.bases import with_base
from masklet_server.tracking import ObjectFrame

TINY = NetworkConfig(
    name="tiny",
    image_side_px=64,
    trunk=ConvTrunkConfig(channels=(8, 16, 16, 32), stages=(1, 1, 1, 1), kernel=3, attention_blocks=0),
    width=32,
    memory_width=16,
    memory_layers=1,
    memory_feed_forward=32,
    memory_mask_channels=(1, 2, 4, 8, 16),
    decoder_heads=2,
    decoder_feed_forward=32,
)


class TinyNetwork(Network):
    """Random weights by name, an object always present, and a count of encoded pictures."""

    def __init__(self, config: NetworkConfig = TINY) -> None:
        super().__init__(config)
        self.encoded = 0
        state = {}
        for name, value in self.state_dict().items():
            generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
            noise = torch.randn(value.shape, generator=generator)
            fan_in = value[0].numel() if value.dim() > 1 else 1
            if not value.is_floating_point() or "running" in name:
                state[name] = value
            elif value.dim() > 1:
                state[name] = noise / fan_in**0.5
            else:
                state[name] = 0.1 * noise + float(name.endswith("weight"))
        self.load_state_dict(state)
        with torch.no_grad():
            self.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.fill_(20.0)
            # Logits of a trained network reach about 10; those of random weights hang around 0.
            for head in self.sam_mask_decoder.output_hypernetworks_mlps:
                head.layers[-1].weight.mul_(30.0)
        self.eval().requires_grad_(False)

    def encode_image(self, images: Tensor) -> ImageFeatures:
        self.encoded += images.shape[0]
        return super().encode_image(images)


@dataclass
class DiscClip:
    """A bright disc that crosses a patterned ground, frames counted from ``first_frame``."""

    length_frames: int = 24
    first_frame: int = 1001
    missing_frames: tuple[int, ...] = ()
    width_px: int = 96
    height_px: int = 54
    failing: set[int] = field(default_factory=set)
    reads: list[int] = field(default_factory=list)
    inside: int = 0
    most_inside: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    @property
    def info(self) -> ClipInfo:
        last = self.first_frame + self.length_frames - 1
        return ClipInfo(
            "disc", self.width_px, self.height_px, self.first_frame, last, missing_frames=self.missing_frames
        )

    def read(self, frame: int) -> NDArray[np.uint8]:
        with self._lock:
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
        try:
            self.reads.append(frame)
            if frame in self.failing:
                raise ClipError("the picture is damaged: replace it")
            if frame not in self.info.frames or frame in self.missing_frames:
                raise FrameMissingError(f"there is no frame {frame}: choose another")
            return self._picture(frame - self.first_frame)
        finally:
            with self._lock:
                self.inside -= 1

    def _picture(self, index: int) -> NDArray[np.uint8]:
        rows, columns = np.mgrid[: self.height_px, : self.width_px]
        ground = 60 + 40 * np.sin(columns / 5 + index / 7) * np.cos(rows / 4)
        centre_x = 20 + 1.5 * index % self.width_px
        disc = (rows - 27) ** 2 + (columns - centre_x) ** 2 < 12**2
        red = np.where(disc, 220, ground)
        return np.stack((red, ground, np.where(disc, 40, ground)), axis=-1).astype(np.uint8)


@dataclass
class Shelf:
    """Results as a session keeps them: the latest of each object and frame."""

    held: dict[tuple[int, int], ObjectFrame] = field(default_factory=dict)

    def find(self, object_id: int, frame: int) -> ObjectFrame | None:
        return self.held.get((object_id, frame))

    def has(self, object_id: int, frame: int) -> bool:
        return (object_id, frame) in self.held

    def frames_of(self, object_id: int) -> Sequence[int]:
        return sorted(frame for held_id, frame in self.held if held_id == object_id)


class Desk:
    """A tracker and its results, used as a session uses them."""

    def __init__(
        self,
        network: Network,
        clip: DiscClip | None = None,
        *,
        profile: Profile = EDITOR,
    ) -> None:
        self.clip = clip or DiscClip()
        self.results = Shelf()
        self.said: dict[tuple[int, int], FramePrompts] = {}
        self.tracker = NetworkTracker(network, self.clip, self.results, profile=profile)

    def prompt(self, prompts: FramePrompts) -> ObjectFrame:
        object_id, frame = prompts.object_id, prompts.frame
        others = any(owner == object_id and other != frame for owner, other in self.said)
        said = with_base(
            prompts,
            self.said.get((object_id, frame)),
            self.results.find(object_id, frame),
            (lambda: self.tracker.look(object_id, frame)) if others else lambda: None,
        )
        result = self.tracker.prompt(said)
        self.said[object_id, frame] = said
        self.results.held[result.object_id, result.frame] = result
        return result

    def track(self, frames: Sequence[int], *object_ids: int, backward: bool = False) -> list[ObjectFrame]:
        """Results of all frames, frame by frame."""
        found: list[ObjectFrame] = []
        for frame in frames:
            results = self.tracker.track(frame, object_ids, backward=backward)
            for result in results:
                self.results.held[result.object_id, result.frame] = result
            found += results
        return found
