"""The official SAM 2 package behind the same interface as ours, for ``bench_network.py``.

Needs the package ``sam2`` from PyPI (Apache-2.0). Of torchvision it needs three picture
transforms that tracking never calls; without torchvision a stand-in takes their place.
"""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import types
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

_SIZES = {"tiny": "t", "small": "s", "base_plus": "b+", "large": "l"}
POINTERS = 16
MEMORIES = 7
_NOW = 100


@dataclass(frozen=True, eq=False)
class SteadyState:
    """What B objects remember in the middle of a long clip: the prompted frame and all recent ones.

    Attributes:
        maps: ``(B, 7, M, h, w)``: the prompted frame's, then the newest first.
        pointers: ``(B, 16, C)`` in the same order.
    """

    maps: Tensor
    pointers: Tensor


class FramesInMemory:
    """Within it, ``init_state`` of any path gives these ``(N, 3, S, S)`` normalised frames."""

    def __init__(self, frames: Tensor) -> None:
        self._frames = frames

    def __enter__(self) -> None:
        import sam2.sam2_video_predictor as official

        self._load = official.load_video_frames
        size = self._frames.shape[-2:]
        official.load_video_frames = lambda **_: (self._frames, *size)

    def __exit__(self, *_: object) -> None:
        import sam2.sam2_video_predictor as official

        official.load_video_frames = self._load


def official_predictor(
    name: str, weights: dict[str, Tensor], *, device: str, compiled: bool, side_px: int
) -> Any:
    """The official video predictor with its defaults but for the filling of holes, holding ``weights``."""
    _stand_in_for_torchvision()
    from sam2.build_sam import build_sam2_video_predictor

    family, _, size = name.partition("_hiera_")
    # It announces its compilation where results are printed.
    with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
        warnings.simplefilter("ignore")
        predictor = build_sam2_video_predictor(
            f"configs/{family}/{family}_hiera_{_SIZES[size]}.yaml",
            device=device,
            vos_optimized=compiled,
            hydra_overrides_extra=[f"++model.image_size={side_px}"],
        )
    # The compiled encoder hides behind a wrapper; its parameters keep their names.
    predictor.load_state_dict(weights)
    # Needs an extension that the package does not bring.
    predictor.fill_hole_area = 0
    return predictor


def official_frame(predictor: Any, image: Tensor, state: SteadyState) -> tuple[Tensor, Tensor]:
    """One frame: encode it once, then every object by itself, as the predictor does.

    Returns:
        Mask logits ``(B, 1, S/4, S/4)`` and new memories ``(B, M, h, w)``.
    """
    _, features, positions, sizes = predictor._prepare_backbone_features(predictor.forward_image(image))
    logits, memories = [], []
    for remembered in _remembered(predictor, state):
        out = predictor.track_step(
            frame_idx=_NOW,
            is_init_cond_frame=False,
            current_vision_feats=features,
            current_vision_pos_embeds=positions,
            feat_sizes=sizes,
            point_inputs=None,
            mask_inputs=None,
            output_dict=remembered,
            num_frames=1000,
        )
        logits.append(out["pred_masks"])
        memories.append(out["maskmem_features"])
    return torch.cat(logits), torch.cat(memories)


def official_attention(predictor: Any, encoded: dict[str, Any], state: SteadyState) -> None:
    """The part of :func:`official_frame` that conditions each object's embedding on its memory.

    Args:
        predictor: Of :func:`official_predictor`.
        encoded: What its ``forward_image`` returned.
        state: What the objects remember.
    """
    _, features, positions, sizes = predictor._prepare_backbone_features(dict(encoded))
    for remembered in _remembered(predictor, state):
        predictor._prepare_memory_conditioned_features(
            frame_idx=_NOW,
            is_init_cond_frame=False,
            current_vision_feats=features[-1:],
            current_vision_pos_embeds=positions[-1:],
            feat_sizes=sizes[-1:],
            output_dict=remembered,
            num_frames=1000,
        )


def _remembered(predictor: Any, state: SteadyState) -> Iterator[dict[str, Any]]:
    """What each object's past looks like to the predictor."""
    where = [predictor.memory_encoder.position_encoding(state.maps[:1, 0]).to(state.maps.dtype)]
    for item in range(state.maps.shape[0]):
        outputs: dict[int, dict[str, Any]] = {}
        for index in range(POINTERS):
            outputs[_NOW - index if index else 0] = {
                "maskmem_features": state.maps[item : item + 1, min(index, MEMORIES - 1)],
                "maskmem_pos_enc": where,
                "obj_ptr": state.pointers[item : item + 1, index],
            }
        yield {"cond_frame_outputs": {0: outputs.pop(0)}, "non_cond_frame_outputs": outputs}


def _stand_in_for_torchvision() -> None:
    if "torchvision" in sys.modules or importlib.util.find_spec("torchvision") is not None:
        return

    class Unused:
        def __init__(self, *_: Any, **__: Any) -> None:
            raise NotImplementedError("tracking needs no picture transform")

    package, transforms = types.ModuleType("torchvision"), types.ModuleType("torchvision.transforms")
    vars(transforms).update(Normalize=Unused, Resize=Unused, ToTensor=Unused)
    vars(package).update(transforms=transforms)
    sys.modules.update({"torchvision": package, "torchvision.transforms": transforms})
