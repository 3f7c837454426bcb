from __future__ import annotations

import dataclasses

import pytest
import torch

from masklet_server.model.config import EMBEDDED, ConvTrunkConfig, HieraConfig, NetworkConfig
from masklet_server.model.many_clicks import ManyClicks
from masklet_server.model.network import build_network

_CONV = NetworkConfig(
    name="small_conv",
    image_side_px=64,
    trunk=ConvTrunkConfig(channels=(8, 16, 24, 32), stages=(1, 1, 1, 1)),
    width=32,
    memory_width=16,
    memory_frames=3,
    memory_layers=2,
    memory_feed_forward=32,
    memory_mask_channels=(1, 4, 4, 8, 8),
    decoder_heads=2,
    decoder_feed_forward=32,
)
_HIERA = dataclasses.replace(
    _CONV, name="small_hiera", trunk=HieraConfig(8, 1, (1, 2, 3, 2), (4,), windows=(8, 4, 14, 7))
)


@pytest.mark.parametrize("config", [_CONV, _HIERA, EMBEDDED], ids=["conv", "hiera", "embedded"])
@torch.inference_mode()
def test_clicks_together_are_answered_as_one_by_one(config: NetworkConfig) -> None:
    torch.manual_seed(3)
    network = build_network(config).eval()
    # Fresh weights say next to nothing; larger ones make mistakes in them show.
    for weight in network.sam_mask_decoder.parameters():
        weight.mul_(1.5).add_(0.02 * torch.randn_like(weight))
    side = config.image_side_px
    features = network.encode_image(torch.randn(1, 3, side, side))
    points = side * torch.rand(5, 2)

    together = ManyClicks(network, features)
    answers = together.answers(points)
    logits = together.masks(answers, torch.tensor([4, 0]))

    for place, row in enumerate([4, 0]):
        alone = network.predict(
            features,
            network.without_memory(features.embedding),
            points[row][None, None],
            torch.ones(1, 1, dtype=torch.int64),
            None,
        )
        scale = float(alone.logits.abs().max())
        torch.testing.assert_close(logits[place], alone.logits[0, 1:], atol=1e-4 * scale, rtol=1e-3)
        torch.testing.assert_close(answers.ious[row], alone.ious[0, 1:], atol=1e-4, rtol=1e-3)
        torch.testing.assert_close(answers.presence_logit[row], alone.presence_logit[0], atol=1e-3, rtol=1e-3)
