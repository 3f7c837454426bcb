from __future__ import annotations

import dataclasses

import pytest
import torch

from masklet_server.model.config import EMBEDDED, ConvTrunkConfig, HieraConfig, NetworkConfig
from masklet_server.model.conv_trunk import fold_batch_norms
from masklet_server.model.network import ABSENT_LOGIT, Decoded, ImageFeatures, Network, build_network

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


def _network(config: NetworkConfig = _CONV) -> Network:
    torch.manual_seed(1)
    return build_network(config).eval()


def _click(network: Network, features: ImageFeatures, *, batch: int = 1, **options: bool) -> Decoded:
    return network.decode(
        features,
        network.without_memory(features.embedding),
        points=torch.tensor([[[20.0, 30.0]]]).expand(batch, -1, -1),
        labels=torch.ones(batch, 1, dtype=torch.int64),
        mask_logits=None,
        multimask=options.get("multimask", True),
        stability_fallback=options.get("stability_fallback", False),
    )


def _attend(network: Network, embedding: torch.Tensor, *, batch: int, maps: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    side = embedding.shape[-1]
    return network.attend_memory(
        embedding,
        maps=torch.randn(batch, maps, 16, side, side, generator=generator),
        slots=torch.arange(maps).expand(batch, -1),
        pointers=torch.randn(batch, 3, 32, generator=generator),
        pointer_distance=torch.tensor([[1.0, 2.0, 3.0]]).expand(batch, -1),
        max_distance=15.0,
    )


@pytest.mark.parametrize("config", [_CONV, _HIERA], ids=["conv", "hiera"])
@pytest.mark.parametrize("side_px", [32, 96, 160])
@torch.inference_mode()
def test_any_square_whose_side_is_a_multiple_of_32_goes_through(config: NetworkConfig, side_px: int) -> None:
    network = _network(config)
    side = side_px // 16

    features = network.encode_image(torch.randn(2, 3, side_px, side_px))
    conditioned = _attend(network, features.embedding, batch=2)
    decoded = _click(network, features, batch=2)
    memory = network.encode_memory(
        features.embedding, torch.randn(2, 1, side_px, side_px), decoded.presence_logit, binarise=False
    )

    assert features.embedding.shape == (2, 32, side, side)
    assert features.skip8.shape == (2, 8, 2 * side, 2 * side)
    assert features.skip4.shape == (2, 4, 4 * side, 4 * side)
    assert conditioned.shape == features.embedding.shape
    assert decoded.logits.shape == (2, 3, 4 * side, 4 * side)
    assert decoded.ious.shape == (2, 3)
    assert decoded.best_logits.shape == (2, 1, 4 * side, 4 * side)
    assert decoded.best_iou.shape == (2,)
    assert decoded.pointer.shape == (2, 32)
    assert memory.shape == (2, 16, side, side)


@torch.inference_mode()
def test_the_best_mask_is_the_one_with_the_highest_expected_iou() -> None:
    network = _network()
    features = network.encode_image(torch.randn(1, 3, 64, 64))

    decoded = _click(network, features)

    best = int(decoded.ious[0].argmax())
    assert torch.equal(decoded.best_logits[0, 0], decoded.logits[0, best])
    assert decoded.best_iou[0] == decoded.ious[0, best]


@torch.inference_mode()
def test_an_unstable_mask_gives_way_to_the_best_of_the_other_three() -> None:
    network = _network()
    # Logits near zero everywhere: the clear prompt's mask hangs on its threshold.
    for head in network.sam_mask_decoder.output_hypernetworks_mlps:
        head.layers[-1].weight.mul_(1e-3)
        head.layers[-1].bias.zero_()
    network.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.fill_(20.0)
    features = network.encode_image(torch.randn(1, 3, 64, 64))

    plain = _click(network, features, multimask=False)
    fallback = _click(network, features, multimask=False, stability_fallback=True)
    three = _click(network, features, multimask=True)

    assert not torch.equal(plain.best_logits, fallback.best_logits)
    assert torch.equal(fallback.best_logits, three.best_logits)
    assert torch.equal(fallback.pointer, plain.pointer)


@torch.inference_mode()
def test_an_absent_object_has_no_mask_and_a_pointer_that_says_so() -> None:
    network = _network()
    network.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.fill_(-50.0)
    features = network.encode_image(torch.randn(1, 3, 64, 64))

    decoded = _click(network, features)

    assert decoded.presence_logit.item() < 0
    assert (decoded.logits == ABSENT_LOGIT).all()
    assert torch.equal(decoded.pointer, network.no_obj_ptr)


@torch.inference_mode()
def test_an_empty_mask_given_as_output_means_absent() -> None:
    network = _network()
    features = network.encode_image(torch.randn(1, 3, 64, 64))
    mask = torch.zeros(2, 1, 64, 64)
    mask[1, :, 16:48, 16:48] = 1

    decoded = network.decode_mask(features, mask)

    assert decoded.presence_logit.flatten().tolist() == [-10.0, 10.0]
    assert torch.equal(decoded.pointer[0], network.no_obj_ptr[0])
    assert decoded.best_logits[0].max().item() == pytest.approx(-10.0)
    assert decoded.best_logits[1, 0, 8, 8].item() == pytest.approx(10.0)


@torch.inference_mode()
def test_objects_in_one_batch_get_what_each_gets_alone() -> None:
    network = _network()
    features = network.encode_image(torch.randn(1, 3, 64, 64))

    together = _attend(network, features.embedding, batch=3)
    repeated = _attend(network, features.expand(3).embedding, batch=3)
    generator = torch.Generator().manual_seed(5)
    maps, pointers = (
        torch.randn(3, 2, 16, 4, 4, generator=generator),
        torch.randn(3, 3, 32, generator=generator),
    )
    alone = [
        network.attend_memory(
            features.embedding,
            maps=maps[index : index + 1],
            slots=torch.tensor([[0, 1]]),
            pointers=pointers[index : index + 1],
            pointer_distance=torch.tensor([[1.0, 2.0, 3.0]]),
            max_distance=15.0,
        )
        for index in range(3)
    ]

    assert torch.allclose(together, repeated, atol=1e-5)
    assert torch.allclose(together, torch.cat(alone), atol=1e-5)


@torch.inference_mode()
def test_empty_slots_count_as_if_they_were_not_there() -> None:
    network = _network()
    embedding = network.encode_image(torch.randn(1, 3, 64, 64)).embedding
    maps, pointers = torch.randn(1, 3, 16, 4, 4), torch.randn(1, 2, 32)

    masked = network.attend_memory(
        embedding,
        maps=maps,
        slots=torch.tensor([[2, 0, 1]]),
        pointers=pointers,
        pointer_distance=torch.tensor([[4.0, 9.0]]),
        max_distance=15.0,
        map_valid=torch.tensor([[True, False, True]]),
        pointer_valid=torch.tensor([[True, False]]),
    )
    shorter = network.attend_memory(
        embedding,
        maps=maps[:, [0, 2]],
        slots=torch.tensor([[2, 1]]),
        pointers=pointers[:, :1],
        pointer_distance=torch.tensor([[4.0]]),
        max_distance=15.0,
    )

    assert torch.allclose(masked, shorter, atol=1e-5)


@pytest.mark.parametrize("config", [_CONV, _HIERA], ids=["conv", "hiera"])
def test_inference_and_training_compute_the_same_features(config: NetworkConfig) -> None:
    network = _network(config)
    images = torch.randn(1, 3, 96, 96)

    with torch.inference_mode():
        fast = network.encode_image(images)
    differentiable = network.encode_image(images)

    assert differentiable.embedding.requires_grad
    assert torch.allclose(fast.embedding, differentiable.embedding, atol=1e-5)
    assert torch.allclose(fast.skip4, differentiable.skip4, atol=1e-5)


def test_inference_and_training_compute_the_same_attention() -> None:
    network = _network()
    embedding = network.encode_image(torch.randn(1, 3, 96, 96)).embedding.detach()

    with torch.inference_mode():
        fast = _attend(network, embedding, batch=2)
    differentiable = _attend(network, embedding, batch=2)

    assert differentiable.requires_grad
    assert torch.allclose(fast, differentiable, atol=1e-5)


@pytest.mark.parametrize("config", [_CONV, _HIERA], ids=["conv", "hiera"])
@pytest.mark.parametrize("bf16", [False, True], ids=["float32", "autocast"])
def test_gradients_reach_every_parameter_that_is_used(config: NetworkConfig, bf16: bool) -> None:
    network = _network(config)
    with torch.inference_mode():  # tables cached here must not spoil training afterwards
        _attend(network, network.encode_image(torch.randn(1, 3, 64, 64)).embedding, batch=1)
    network.train()

    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        features = network.encode_image(torch.randn(2, 3, 64, 64))
        given = network.decode_mask(features, (torch.rand(2, 1, 64, 64) > 0.5).float())
        clicked = _click(network, features, batch=2)
        logits = torch.nn.functional.interpolate(clicked.best_logits, (64, 64))
        memory = network.encode_memory(
            features.embedding, logits, torch.tensor([[1.0], [-1.0]]), binarise=False
        )
        conditioned = network.attend_memory(
            features.embedding,
            maps=memory[:, None],
            slots=torch.tensor([[0], [1]]),
            pointers=torch.stack((clicked.pointer, given.pointer), dim=1),
            pointer_distance=torch.tensor([[1.0, 2.0], [1.0, 2.0]]),
            max_distance=15.0,
        )
        tracked = network.decode(
            features,
            conditioned,
            points=None,
            labels=None,
            mask_logits=clicked.best_logits,
            multimask=True,
            stability_fallback=True,
        )
        single = _click(network, features, batch=2, multimask=False)
        loss = sum(
            output.logits.square().mean()
            + output.ious.sum()
            + output.presence_logit.sum()
            + output.pointer.sum()
            for output in (tracked, single)
        )
    assert isinstance(loss, torch.Tensor)
    loss.backward()

    without = {name for name, parameter in network.named_parameters() if parameter.grad is None}
    assert without == {"no_mem_pos_enc"}
    assert all(bool(p.grad.isfinite().all()) for p in network.parameters() if p.grad is not None)


@torch.inference_mode()
def test_folding_batch_norms_leaves_the_function_as_it_was() -> None:
    network = _network()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
    images = torch.randn(1, 3, 64, 64)
    before = network.encode_image(images)

    fold_batch_norms(network)
    after = network.encode_image(images)

    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())
    assert torch.allclose(before.embedding, after.embedding, atol=1e-4)
    assert torch.allclose(before.skip4, after.skip4, atol=1e-4)


@torch.inference_mode()
def test_skips_are_the_two_projections_in_a_row() -> None:
    network = _network(_HIERA)
    images = torch.randn(1, 3, 64, 64)

    features = network.encode_image(images)

    maps, neck = network.image_encoder.trunk(images), network.image_encoder.neck
    decoder = network.sam_mask_decoder
    assert torch.allclose(features.skip4, decoder.conv_s0(neck.level(4)(maps[0])), atol=1e-5)
    assert torch.allclose(features.skip8, decoder.conv_s1(neck.level(8)(maps[1])), atol=1e-5)


def test_the_embedded_model_stays_below_its_size() -> None:
    with torch.device("meta"):
        network = Network(EMBEDDED)

    assert sum(tensor.numel() for tensor in network.state_dict().values()) * 4 < 25e6


def test_features_are_picked_by_index() -> None:
    network = _network()
    with torch.inference_mode():
        features = network.encode_image(torch.randn(3, 3, 64, 64))

    picked = features.select(torch.tensor([2, 0]))

    assert torch.equal(picked.embedding, features.embedding[[2, 0]])
    assert torch.equal(picked.skip8, features.skip8[[2, 0]])
    assert torch.equal(picked.skip4, features.skip4[[2, 0]])
