"""The network against outputs of the official code; whole tracks are checked with the engine.

The golden files are made by the official implementation from weights and frames that their
own README describes. 1e-3 is the bound it sets; one framework on two processors differs by 1e-5.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

_BOUND = 1e-3
_NAMES = (
    "sam2.1_hiera_tiny",
    "sam2.1_hiera_small",
    "sam2.1_hiera_base_plus",
    "sam2.1_hiera_large",
    "sam2_hiera_tiny",
)


def _worst(ours: torch.Tensor, golden: np.ndarray) -> float:
    assert tuple(ours.shape) == golden.shape
    return float(np.abs(ours.numpy() - golden).max())


@pytest.mark.parametrize("name", _NAMES)
@torch.inference_mode()
def test_features_of_a_picture_are_those_of_the_official_code(reference: Any, name: str) -> None:
    case = reference.case(name)

    features = case.network.encode_image(case.frames[:1])

    assert _worst(features.embedding, case.golden["image/fpn2"]) < _BOUND
    # The files hold mean magnitudes of the skips as the decoder gets them.
    assert features.skip4.abs().mean().item() == pytest.approx(
        float(case.golden["image/fpn0_mean_abs"]), abs=1e-5
    )
    assert features.skip8.abs().mean().item() == pytest.approx(
        float(case.golden["image/fpn1_mean_abs"]), abs=1e-5
    )


@pytest.mark.parametrize("name", ["sam2.1_hiera_tiny", "sam2_hiera_tiny"])
@torch.inference_mode()
def test_one_click_and_the_frame_after_it_are_those_of_the_official_code(reference: Any, name: str) -> None:
    case = reference.case(name)
    network, golden, frames = case.network, case.golden, case.frames

    features = network.encode_image(frames[:1])
    clicked = network.decode(
        features,
        network.without_memory(features.embedding),
        points=torch.tensor([[[0.3 * 256, 0.35 * 256]]]),
        labels=torch.tensor([[1]]),
        mask_logits=None,
        multimask=True,
        stability_fallback=True,
    )
    full = interpolate(clicked.best_logits, (256, 256), mode="bilinear")
    memory = network.encode_memory(features.embedding, full, clicked.presence_logit, binarise=True)

    assert _worst(full, golden["one_click/first"]) < _BOUND
    prefix = "one_click/object0/frame00"
    assert _worst(clicked.pointer, golden[f"{prefix}/pointer"]) < _BOUND
    assert _worst(clicked.presence_logit, golden[f"{prefix}/score"]) < _BOUND
    assert memory.abs().mean().item() == pytest.approx(float(golden[f"{prefix}/memory_mean_abs"]), abs=_BOUND)

    features = network.encode_image(frames[1:2])
    conditioned = network.attend_memory(
        features.embedding,
        maps=memory[:, None],
        slots=torch.tensor([[6]]),
        pointers=clicked.pointer[:, None],
        pointer_distance=torch.tensor([[1.0]]),
        max_distance=11.0,
    )
    tracked = network.decode(
        features,
        conditioned,
        points=None,
        labels=None,
        mask_logits=None,
        multimask=True,
        stability_fallback=True,
    )
    full = interpolate(tracked.best_logits, (256, 256), mode="bilinear")
    memory = network.encode_memory(features.embedding, full, tracked.presence_logit, binarise=False)

    prefix = "one_click/object0/frame01"
    assert _worst(tracked.best_logits, golden[f"{prefix}/logits"]) < _BOUND
    assert _worst(tracked.pointer, golden[f"{prefix}/pointer"]) < _BOUND
    assert _worst(tracked.presence_logit, golden[f"{prefix}/score"]) < _BOUND
    assert memory.abs().mean().item() == pytest.approx(float(golden[f"{prefix}/memory_mean_abs"]), abs=_BOUND)


@torch.inference_mode()
def test_a_mask_given_as_output_is_that_of_the_official_code(reference: Any) -> None:
    case = reference.case("sam2.1_hiera_tiny")
    mask = torch.zeros(1, 1, 256, 256)
    mask[:, :, 256 // 5 : 128, 256 // 6 : 128] = 1

    features = case.network.encode_image(case.frames[:1])
    decoded = case.network.decode_mask(features, mask)

    prefix = "mask_prompt/object0/frame00"
    assert _worst(decoded.best_logits, case.golden[f"{prefix}/logits"]) < _BOUND
    assert _worst(decoded.pointer, case.golden[f"{prefix}/pointer"]) < _BOUND
    assert _worst(decoded.presence_logit, case.golden[f"{prefix}/score"]) < _BOUND
