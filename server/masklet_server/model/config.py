"""Shapes of the networks: SAM 2 and SAM 2.1 in four sizes, and the embedded model.

A configuration says everything that decides the function a set of weights computes. How a
tracker uses the network over time is no part of it: that is a profile of the engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal


@dataclass(frozen=True)
class HieraConfig:
    """The hierarchical transformer trunk of SAM 2.

    Attributes:
        width: Channels of the first stage; they double per stage.
        heads: Attention heads of the first stage; they double per stage.
        stages: Blocks per stage.
        global_blocks: Indices of blocks that attend over the whole picture.
        windows: Window side of each stage, in tokens.
        background_side: Side of the coarse position embedding.
    """

    width: int
    heads: int
    stages: tuple[int, int, int, int]
    global_blocks: tuple[int, ...]
    windows: tuple[int, int, int, int] = (8, 4, 14, 7)
    background_side: int = 7

    @property
    def channels(self) -> tuple[int, int, int, int]:
        """Channels at strides 4, 8, 16 and 32."""
        return (self.width, 2 * self.width, 4 * self.width, 8 * self.width)


@dataclass(frozen=True)
class ConvTrunkConfig:
    """A convolutional trunk for processors without a GPU.

    Attributes:
        channels: At strides 4, 8, 16 and 32.
        stages: Blocks per stage.
        kernel: Side of the depthwise convolutions.
        expansion: Width of a block's inner layer over its outer one.
        attention_blocks: Global attention blocks after the last stage, at stride 32.
    """

    channels: tuple[int, int, int, int]
    stages: tuple[int, int, int, int]
    kernel: int = 5
    expansion: int = 2
    attention_blocks: int = 1


@dataclass(frozen=True)
class NetworkConfig:
    """One member of the family.

    Attributes:
        name: The preset's name; official presets use the checkpoint's name.
        image_side_px: The picture is stretched to a square of this side, 16 per token.
        trunk: The image encoder's backbone.
        width: Channels of the embedding at stride 16 (d); skips have d/4 and d/8.
        memory_width: Channels of a memory map.
        memory_frames: Memory maps attended at most besides further prompted frames:
            one for the prompted frame, the rest for recent ones.
        recent_maps: Of the maps, those of tracked frames that are attended at most; None for all
            slots but one. Fewer are quicker, and with a small network they drift less.
        recent_step: Frames from one of these maps to the next.
        pointers: Object pointers attended at most.
        memory_layers: Layers of memory attention.
        memory_feed_forward: Inner width of their feed-forward parts.
        memory_mask_channels: Channels of the memory encoder's mask path, one per halving and
            the first that of the mask itself.
        decoder_heads: Attention heads in the mask decoder.
        decoder_feed_forward: Inner width of its feed-forward parts.
        pointer_time: ``"none"`` in SAM 2.0; ``"signed"`` in 2.1, where pointers carry a signed,
            projected temporal code and absent objects leave an embedding in memory.
    """

    name: str
    image_side_px: int
    trunk: HieraConfig | ConvTrunkConfig
    width: int = 256
    memory_width: int = 64
    memory_frames: int = 7
    recent_maps: int | None = None
    recent_step: int = 1
    pointers: int = 16
    memory_layers: int = 4
    memory_feed_forward: int = 2048
    memory_mask_channels: tuple[int, int, int, int, int] = (1, 4, 16, 64, 256)
    decoder_heads: int = 8
    decoder_feed_forward: int = 2048
    pointer_time: Literal["none", "signed"] = "signed"

    @property
    def grid_side(self) -> int:
        """Tokens along one side of the embedding at stride 16."""
        return self.image_side_px // 16

    @property
    def mask_side(self) -> int:
        """Side of the mask logits, at stride 4."""
        return self.image_side_px // 4


_TINY = HieraConfig(96, 1, (1, 2, 7, 2), (5, 7, 9))
_SMALL = HieraConfig(96, 1, (1, 2, 11, 2), (7, 10, 13))
_BASE_PLUS = HieraConfig(112, 2, (2, 3, 16, 3), (12, 16, 20), background_side=14)
_LARGE = HieraConfig(144, 2, (2, 6, 36, 4), (23, 33, 43), windows=(8, 4, 16, 8))

_SIZES = {"tiny": _TINY, "small": _SMALL, "base_plus": _BASE_PLUS, "large": _LARGE}

EMBEDDED = NetworkConfig(
    name="masklet_embedded",
    image_side_px=480,
    trunk=ConvTrunkConfig(channels=(32, 80, 208, 320), stages=(1, 2, 9, 2)),
    width=128,
    memory_width=64,
    memory_frames=4,
    recent_maps=2,
    recent_step=2,
    memory_layers=2,
    memory_feed_forward=256,
    memory_mask_channels=(1, 4, 8, 16, 64),
    decoder_heads=4,
    decoder_feed_forward=256,
)

PRESETS = MappingProxyType(
    {
        **{
            f"sam2.1_hiera_{size}": NetworkConfig(f"sam2.1_hiera_{size}", 1024, trunk)
            for size, trunk in _SIZES.items()
        },
        **{
            f"sam2_hiera_{size}": NetworkConfig(f"sam2_hiera_{size}", 1024, trunk, pointer_time="none")
            for size, trunk in _SIZES.items()
        },
        EMBEDDED.name: EMBEDDED,
    }
)
