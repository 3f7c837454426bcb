from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from masklet_server.engine.picture import DeviceResizer, normalised, square_of, whole

image_module = pytest.importorskip("PIL.Image")


def photograph(height_px: int, width_px: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(3).integers(0, 256, (height_px // 6 + 1, width_px // 6 + 1, 3), np.uint8)
    return np.kron(noise, np.ones((6, 6, 1), np.uint8))[:height_px, :width_px]


@pytest.mark.parametrize("size", [(270, 480), (54, 96)], ids=["smaller", "larger"])
def test_pictures_are_resized_as_the_official_predictor_resizes_them(size: tuple[int, int]) -> None:
    picture = photograph(*size)

    square = square_of(picture, 128)

    theirs = np.asarray(image_module.fromarray(picture).resize((128, 128)))
    difference = np.abs(square.permute(1, 2, 0).numpy().astype(int) - theirs.astype(int))
    assert square.dtype == torch.uint8
    # Both round to eight bits between the two passes, in fixed point of their own.
    assert difference.max() <= 2
    assert difference.mean() < 0.05


def test_float_pictures_give_what_eight_bit_ones_give() -> None:
    picture = photograph(270, 480)

    from_bytes = square_of(picture, 128).float() / 255
    from_floats = square_of(picture.astype(np.float32) / 255, 128)

    assert from_floats.dtype == torch.float32
    assert 0 <= from_floats.min() <= from_floats.max() <= 1
    # Eight bits clip the overshoot at hard edges between the two passes, floats at the end.
    assert (from_bytes - from_floats).abs().mean() < 0.002
    assert (from_bytes - from_floats).abs().max() < 0.05


def test_a_square_of_the_right_size_is_left_alone() -> None:
    picture = photograph(64, 64)

    assert np.array_equal(square_of(picture, 64).permute(1, 2, 0).numpy(), picture)


@pytest.mark.parametrize("size", [(270, 480), (54, 96)], ids=["smaller", "larger"])
def test_a_device_resizes_as_pillow_does(size: tuple[int, int]) -> None:
    picture = photograph(*size)
    resizer = DeviceResizer(side_px=128, device=torch.device("cpu"))

    on_device = resizer.square_of(whole(picture, torch.device("cpu")))

    theirs = np.asarray(image_module.fromarray(picture).resize((128, 128)))
    difference = np.abs(on_device.permute(1, 2, 0).numpy().astype(int) - theirs.astype(int))
    assert on_device.dtype == torch.uint8
    assert difference.max() <= 1
    assert difference.mean() < 0.01
    floats = picture.astype(np.float32) / 255
    assert (resizer.square_of(whole(floats, torch.device("cpu"))) - square_of(floats, 128)).abs().max() < 1e-5


def test_a_device_leaves_a_square_of_the_right_size_alone() -> None:
    picture = photograph(64, 64)
    resizer = DeviceResizer(side_px=64, device=torch.device("cpu"))

    assert np.array_equal(
        resizer.square_of(whole(picture, torch.device("cpu"))).permute(1, 2, 0).numpy(), picture
    )


def test_read_only_and_strided_pictures_are_taken() -> None:
    picture = photograph(64, 64)
    mirrored = picture[:, ::-1]
    mirrored.flags.writeable = False

    assert np.array_equal(square_of(mirrored, 64).permute(1, 2, 0).numpy(), mirrored)


def test_the_encoder_gets_the_normalisation_it_was_trained_with() -> None:
    grey = torch.full((3, 32, 32), 128, dtype=torch.uint8)

    image = normalised(grey, device=torch.device("cpu"), dtype=torch.float32)

    assert image.shape == (1, 3, 32, 32)
    wanted = [
        (128 / 255 - mean) / deviation for mean, deviation in ((0.485, 0.229), (0.456, 0.224), (0.406, 0.225))
    ]
    np.testing.assert_allclose(image[0, :, 5, 5].numpy(), wanted, rtol=1e-6)
