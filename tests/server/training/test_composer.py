import dataclasses

import pytest
import torch

from masklet_server.training.cast import CastConfig
from masklet_server.training.clips import ClipBatch
from masklet_server.training.composer import LEAVING, LEAVING_AS_FILMED, ClipComposer, ComposerConfig
from masklet_server.training.compositing_draws import Draws
from masklet_server.training.compositing_layers import halve, output_points, sample
from masklet_server.training.compositing_look import compress
from masklet_server.training.compositing_motion import Track, fold, inverse, leave_curve, project
from masklet_server.training.material.atlas import Material
from masklet_server.training.material.procedural import procedural_material


@pytest.fixture(scope="module")
def material() -> Material:
    return procedural_material(device="cpu", seed=3, cutout_side_px=64, photo_side_px=96)


def composer(material: Material, seed: int = 1, **cast: float) -> ClipComposer:
    config = ComposerConfig(cast=dataclasses.replace(CastConfig(), **cast), samples_per_frame=1)
    return ClipComposer(material, device="cpu", seed=seed, config=config)


def draws(seed: int = 0) -> Draws:
    return Draws(torch.Generator().manual_seed(seed))


def test_a_batch_has_the_shapes_and_types_it_promises(material: Material) -> None:
    batch = composer(material).compose(3, 4, 48, 2)

    assert batch.images.shape == (3, 4, 3, 48, 48)
    assert batch.images.dtype == torch.float32
    assert batch.masks.shape == batch.alphas.shape == (3, 4, 2, 48, 48)
    assert batch.masks.dtype == torch.bool
    assert batch.alphas.dtype == torch.uint8
    assert batch.valid.shape == (3, 2)
    assert batch.images.min() >= 0.0
    assert batch.images.max() <= 1.0
    assert torch.isfinite(batch.images).all()


def test_the_same_seed_gives_the_same_clips_and_another_seed_gives_others(material: Material) -> None:
    first = composer(material, seed=5).compose(2, 3, 32, 2)
    again = composer(material, seed=5).compose(2, 3, 32, 2)
    other = composer(material, seed=6).compose(2, 3, 32, 2)

    assert torch.equal(first.images, again.images)
    assert torch.equal(first.masks, again.masks)
    assert not torch.equal(first.images, other.images)


def test_a_restored_composer_goes_on_where_it_stood(material: Material) -> None:
    source = composer(material)
    source.compose(2, 2, 32, 1)
    state = source.state()
    expected = source.compose(2, 2, 32, 1)
    resumed = composer(material, seed=99)
    resumed.restore(state)

    assert torch.equal(resumed.compose(2, 2, 32, 1).images, expected.images)


def test_a_single_frame_makes_still_pictures(material: Material) -> None:
    batch = composer(material).compose(4, 1, 32, 1)

    assert batch.images.shape == (4, 1, 3, 32, 32)
    assert batch.valid.any()


def test_no_pixel_belongs_to_two_objects(material: Material) -> None:
    batch = composer(material, lookalike_share=1.0).compose(8, 2, 48, 3)

    assert batch.masks.sum(2).max() <= 1


def test_a_valid_object_shows_on_the_first_frame_and_an_invalid_one_hardly_does(material: Material) -> None:
    batch = composer(material).compose(16, 2, 48, 3)
    first = batch.masks[:, 0].flatten(2).float().mean(2)

    assert (first[batch.valid] >= ComposerConfig().smallest_area).all()
    assert (first[~batch.valid] < ComposerConfig().smallest_area).all()


def test_the_picture_changes_inside_the_mask_and_not_outside_when_only_the_object_differs() -> None:
    white = procedural_material(device="cpu", seed=3, cutout_side_px=64, photo_side_px=96)
    black = dataclasses.replace(
        white, cutouts=_painted(white, 0), group_bare=torch.zeros_like(white.group_bare)
    )
    white = dataclasses.replace(white, cutouts=_painted(white, 255), group_bare=black.group_bare)
    config = ComposerConfig(cast=CastConfig(layers=1), samples_per_frame=1, retexture_share=0.0, looks=False)
    one = ClipComposer(white, device="cpu", seed=2, config=config).compose(6, 2, 64, 1)
    two = ClipComposer(black, device="cpu", seed=2, config=config).compose(6, 2, 64, 1)
    difference = (one.images - two.images).abs().mean(2)

    assert torch.equal(one.alphas, two.alphas)
    assert difference[(one.alphas[:, :, 0] == 0)].max() < 0.02
    assert difference[(one.alphas[:, :, 0] == 255)].mean() > 0.2


def test_most_objects_that_leave_are_gone_once_and_are_found_again(material: Material) -> None:
    batch = ClipComposer(material, device="cpu", seed=1, config=LEAVING).compose(24, 8, 48, 1)
    visible = batch.visible[:, :, 0]
    absent_between = (~visible[:, 1:-1]).any(1) & visible[:, 0]

    assert absent_between.float().mean() > 0.4
    assert (visible[absent_between][:, -1]).float().mean() > 0.25


def test_clips_as_filmed_are_calmer_than_those_of_the_training(material: Material) -> None:
    def paces(config: ComposerConfig) -> tuple[float, float]:
        """Means over neighbouring frames: steps in parts of the picture, and changes of size."""
        cast = dataclasses.replace(config.cast, leave_share=0.0)
        config = dataclasses.replace(config, cast=cast, retexture_share=0.0, samples_per_frame=1, looks=False)
        masks = (
            ClipComposer(material, device="cpu", seed=3, config=config).compose(24, 8, 48, 1).masks[:, :, 0]
        )
        area = masks.flatten(2).sum(2).float()
        place = torch.arange(48.0)
        x, y = (masks.float() @ place).sum(2) / area, (masks.float().transpose(2, 3) @ place).sum(2) / area
        whole = (area[:, 1:] > 40) & (area[:, :-1] > 40)
        steps = torch.stack((x, y)).diff(dim=2).norm(dim=0)[whole] / 48
        return float(steps.mean()), float(area.log().diff(dim=1).abs()[whole].mean())

    filmed, trained = paces(LEAVING_AS_FILMED), paces(LEAVING)

    assert filmed[0] < 0.75 * trained[0]
    assert filmed[1] < 0.75 * trained[1]


def test_objects_of_a_labelled_photograph_become_targets_in_their_place(material: Material) -> None:
    labels = torch.zeros(1, 96, 96, dtype=torch.uint8)
    labels[:, 30:60, 20:50] = 1
    labels[:, 40:80, 60:90] = 2
    photos = material.photos.clone()
    photos[0] = 20
    photos[0, 0][labels[0] == 1] = 250
    photos[0, 2][labels[0] == 2] = 250
    labelled = dataclasses.replace(
        material, photos=photos, photo_labels=labels, photo_objects=torch.tensor([2])
    )
    config = ComposerConfig(cast=CastConfig(layers=2, scene_share=1.0), samples_per_frame=1, looks=False)
    batch = ClipComposer(labelled, device="cpu", seed=4, config=config).compose(8, 2, 64, 2)
    red, blue = batch.images[:, :, 0] > 0.5, batch.images[:, :, 2] > 0.5
    target = batch.masks[:, :, 0] | batch.masks[:, :, 1]

    assert batch.valid.float().mean() > 0.6
    overlap = (target & (red | blue)).sum() / (target | red | blue).sum()
    assert overlap > 0.9


def test_no_mirror_image_of_a_target_lies_beyond_its_photograph(material: Material) -> None:
    labels = torch.zeros(1, 96, 96, dtype=torch.uint8)
    labels[:, 30:70, 4:24] = 1
    photos = torch.full_like(material.photos, 20)
    photos[0, 0][labels[0] == 1] = 250
    labelled = dataclasses.replace(
        material, photos=photos, photo_labels=labels, photo_objects=torch.tensor([1])
    )
    config = ComposerConfig(cast=CastConfig(layers=1, scene_share=1.0), samples_per_frame=1, looks=False)
    batch = ClipComposer(labelled, device="cpu", seed=2, config=config).compose(12, 12, 48, 1)
    red, target = batch.images[:, :, 0] > 0.5, batch.alphas[:, :, 0] > 0

    assert red.sum() > 5000
    assert not (red & ~target).any()


def test_objects_move_and_the_fastest_cross_a_good_part_of_the_frame(material: Material) -> None:
    batch = composer(material, leave_share=0.0, cut_share=0.0).compose(32, 2, 48, 1)
    steps = _centre(batch)[:, 1] - _centre(batch)[:, 0]
    moved = steps[batch.valid[:, 0] & batch.visible[:, 1, 0]].norm(dim=1)

    assert moved.median() < 0.1
    assert moved.max() > 0.08


def test_an_inverse_homography_undoes_the_homography() -> None:
    matrix = torch.eye(3) + draws().normal(5, 3, 3, deviation=0.1)
    x, y = output_points(6, torch.device("cpu"))
    there = project(matrix, (x, y))
    back = project(inverse(matrix), there)

    torch.testing.assert_close(back[0], x.expand(5, -1, -1), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(back[1], y.expand(5, -1, -1), atol=1e-4, rtol=1e-4)


def test_a_picture_sampled_at_its_own_pixels_comes_back_unchanged() -> None:
    picture = draws().uniform(2, 4, 16, 16)
    x, y = (points.expand(2, -1, -1) for points in output_points(16, torch.device("cpu")))

    torch.testing.assert_close(sample(halve(picture), x, y, torch.zeros(2)), picture, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_halving_sampled_at_its_own_pixels_is_the_average_of_the_picture(level: int) -> None:
    picture = draws().uniform(2, 4, 32, 32)
    side = 32 // 2**level
    x, y = (points.expand(2, -1, -1) for points in output_points(side, torch.device("cpu")))
    expected = torch.nn.functional.avg_pool2d(picture, 2**level)

    torch.testing.assert_close(
        sample(halve(picture), x, y, torch.full((2,), float(level))), expected, atol=1e-4, rtol=1e-4
    )


def test_a_track_turns_back_at_its_limit() -> None:
    track = Track(torch.tensor([[0.0, 0.8, 1.4, 2.4]]), torch.ones(1, 4))
    folded = fold(track, torch.ones(1))

    torch.testing.assert_close(folded.value, torch.tensor([[0.0, 0.8, 0.6, -0.4]]))
    torch.testing.assert_close(folded.rate, torch.tensor([[1.0, 1.0, -1.0, -1.0]]))


def test_an_object_that_leaves_is_there_on_the_first_frame() -> None:
    curve = leave_curve(draws(), 50, 6)

    assert (curve[:, 0] == 0).all()
    assert (curve.max(1).values == 1).float().mean() > 0.4


def test_an_object_may_take_its_time_to_leave_and_to_come_back() -> None:
    curve = leave_curve(draws(), 200, 32, within=(3.0, 8.0))
    steps = curve.diff(dim=1).abs()

    assert (curve[:, 0] == 0).all()
    assert steps.max() <= 1 / 3 + 1e-6, "three frames at least"
    assert steps.max(dim=1).values.min() >= 1 / 8 - 1e-6, "eight frames at most"
    assert (curve.max(1).values == 1).float().mean() > 0.8
    assert 0.5 < (curve[:, -1] == 0).float().mean() < 0.9, "most are back before the end"


def test_compression_damages_pictures_a_little_and_leaves_flat_ones_alone() -> None:
    detailed = draws(1).uniform(4, 1, 3, 40, 40)
    flat = torch.full((4, 1, 3, 40, 40), 0.5)
    damaged = compress(draws(2), detailed, share=1.0)

    assert damaged.shape == detailed.shape
    assert 0.005 < (damaged - detailed).abs().mean() < 0.25
    torch.testing.assert_close(compress(draws(2), flat, share=1.0), flat, atol=0.02, rtol=0.0)


def _painted(material: Material, value: int) -> torch.Tensor:
    cutouts = material.cutouts.clone()
    cutouts[:, :3] = value
    return cutouts


def _centre(batch: ClipBatch) -> torch.Tensor:
    mask = batch.masks[:, :, 0].float()
    line = torch.linspace(0.0, 1.0, mask.shape[-1])
    mass = mask.sum((2, 3)).clamp(min=1.0)
    return torch.stack(((mask.sum(2) * line).sum(2) / mass, (mask.sum(3) * line).sum(2) / mass), -1)
