"""Every effect that composed clips promise is really there."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from masklet_server.training.composer import ClipComposer, ComposerConfig
from masklet_server.training.compositing_casting import plan_clips
from masklet_server.training.compositing_draws import Draws
from masklet_server.training.compositing_layers import elastic, output_points, soften
from masklet_server.training.compositing_look import add_grain, expose
from masklet_server.training.compositing_motion import project, walk
from masklet_server.training.compositing_plan import ClipPlan
from masklet_server.training.compositing_scenery import draw_bends, draw_camera
from masklet_server.training.material.atlas import Material
from masklet_server.training.material.procedural import procedural_material

BATCH, FRAMES = 48, 6
NOW = torch.zeros(BATCH, 1)


@pytest.fixture(scope="module")
def material() -> Material:
    return procedural_material(device="cpu", seed=3, cutout_side_px=64, photo_side_px=96)


def draws(seed: int = 0) -> Draws:
    return Draws(torch.Generator().manual_seed(seed))


def plan(material: Material, **cast: float) -> ClipPlan:
    config = dataclasses.replace(ComposerConfig().cast, **cast)
    return plan_clips(draws(), material, config, BATCH, FRAMES, 2)


def depth_of(clip: ClipPlan, target: int) -> torch.Tensor:
    """(B,), which layer from the back shows the target; every target has to be in every clip."""
    shown = torch.stack([layer.slot[:, target] > 0.5 for layer in clip.layers])
    assert (shown.sum(0) == 1).all()
    return shown.float().argmax(0)


def of_depth(values: list[torch.Tensor], depth: torch.Tensor) -> torch.Tensor:
    """The values (B, …) of the layer at each clip's ``depth`` (B,)."""
    return torch.stack(values)[depth, torch.arange(BATCH)]


def test_a_lookalike_is_cut_from_the_same_picture_in_the_same_colours(material: Material) -> None:
    clip = plan(material, lookalike_share=1.0)
    first, second = depth_of(clip, 0), depth_of(clip, 1)

    pictures = [
        torch.bucketize(layer.picture, material.group_first.sort().values, right=True)
        for layer in clip.layers
    ]
    assert torch.equal(of_depth(pictures, first), of_depth(pictures, second))
    tints = [layer.tint for layer in clip.layers]
    assert torch.equal(of_depth(tints, first), of_depth(tints, second))
    places = [layer.pose.x.value for layer in clip.layers]
    assert not torch.isclose(of_depth(places, first), of_depth(places, second)).any(1).all()


def test_objects_shift_turn_and_grow_over_time(material: Material) -> None:
    clip = plan(material)

    for layer in clip.layers:
        for track in (layer.pose.x, layer.pose.y, layer.pose.angle, layer.pose.log_size):
            changed = (track.value[:, -1] - track.value[:, 0]).abs() > 1e-3
            assert changed.float().mean() > 0.3


def test_motion_accelerates(material: Material) -> None:
    velocity = walk(draws(), torch.full((200,), 0.05), 6).value.diff()

    assert (velocity.diff().abs() > 0.002).any(1).float().mean() > 0.9


def test_some_objects_are_seen_in_perspective(material: Material) -> None:
    layer = plan(material).layers[0]
    corners = torch.tensor([[-1.0, 1.0], [1.0, -1.0]]), torch.tensor([[-1.0, -1.0], [1.0, 1.0]])

    matrix = layer.pose.homography(NOW)[:, 0]
    x, y = project(matrix, corners)

    # Sides of a parallelogram that lie opposite are equally long; perspective makes them differ.
    top = torch.hypot(x[:, 0, 1] - x[:, 0, 0], y[:, 0, 1] - y[:, 0, 0])
    bottom = torch.hypot(x[:, 1, 1] - x[:, 1, 0], y[:, 1, 1] - y[:, 1, 0])
    assert ((top / bottom).log().abs() > 0.05).float().mean() > 0.3


def test_elastic_motion_bends_unevenly_and_swings() -> None:
    bend = draw_bends(draws(), torch.tensor([0.1, 0.0]), FRAMES).flatten(0, 1)  # (2 T, 2, k, k)
    x, y = (points.expand(len(bend), -1, -1) for points in output_points(24, torch.device("cpu")))

    moved = torch.stack(elastic(bend, x, y), 1).unflatten(0, (2, FRAMES))  # (2, T, 2, S, S)

    assert moved[0].std(dim=(2, 3)).min() > 0.005, "neighbouring parts move differently"
    assert moved[0].diff(dim=0).abs().mean() > 0.002, "and not the same on every frame"
    assert (moved[1] == 0).all()


def test_the_camera_pans_and_zooms_and_sometimes_rests() -> None:
    camera = draw_camera(draws(), 200, FRAMES, 0.0)

    pans = (camera.x.value[:, -1] - camera.x.value[:, 0]).abs() > 1e-3
    zooms = (camera.log_size.value[:, -1] - camera.log_size.value[:, 0]).abs() > 1e-3
    assert 0.5 < pans.float().mean() < 1.0
    assert 0.5 < zooms.float().mean() < 1.0


def test_a_cut_moves_the_camera_at_once_and_for_good() -> None:
    whole, cut = draw_camera(draws(), 50, FRAMES, 0.0), draw_camera(draws(), 50, FRAMES, 1.0)

    jump = cut.x.value - whole.x.value
    assert (jump[:, 0] == 0).all()
    jumps = jump.diff().abs() > 1e-4
    assert (jumps.sum(1) <= 1).all()
    assert (jumps.sum(1) == 1).float().mean() > 0.7


def test_what_moves_while_the_shutter_is_open_is_smeared_and_what_rests_is_not(material: Material) -> None:
    clip = plan(material)
    layer = clip.layers[-1]
    opens, closes = (layer.placement(clip, share * clip.shutter)[:, 0, :2, 2] for share in (-0.5, 0.5))
    moved = (closes - opens).norm(dim=1)
    still = clip.shutter[:, 0] == 0

    assert 0.2 < still.float().mean() < 0.8
    assert (moved[still] == 0).all()
    assert moved[~still].max() > 0.01

    def edges(samples: int) -> torch.Tensor:
        """(B,) share of pixels that an object covers in part."""
        config = ComposerConfig(samples_per_frame=samples, looks=False)
        alphas = ClipComposer(material, device="cpu", seed=4, config=config).compose(12, 2, 128, 1).alphas
        return ((alphas > 30) & (alphas < 225)).flatten(1).float().mean(1)

    wider = edges(5) / edges(1)
    assert wider.max() > 1.1
    assert wider.min() < 1.03


def test_an_occluder_runs_across_about_half_of_the_objects_that_vanish(material: Material) -> None:
    clip = plan(material, leave_share=1.0)
    front, target = clip.layers[-1].pose, depth_of(clip, 0)
    x = of_depth([layer.pose.x.value for layer in clip.layers], target)
    y = of_depth([layer.pose.y.value for layer in clip.layers], target)

    apart = torch.hypot(x - front.x.value, y - front.y.value)
    in_front = target < len(clip.layers) - 1
    covered = in_front[:, None] & (apart < 0.2 * front.log_size.value.exp())

    assert 0.25 < (covered.any(1)).float().mean() < 0.9
    assert not covered[:, 0].float().mean() > 0.2, "on the first frame it can be prompted"


def test_focus_differs_between_layers_and_takes_detail_away(material: Material) -> None:
    clip = plan(material)
    blurs = torch.stack([layer.blur for layer in clip.layers])
    detailed = draws().uniform(2, 2, 3, 32, 32)

    soft = soften(detailed, torch.tensor([0.0, 3.0]))

    assert 0.02 < (blurs > 0).float().mean() < 0.4
    assert 0.1 < (clip.scene.blur > 0).float().mean() < 0.6
    assert torch.equal(soft[0], detailed[0])
    assert soft[1].diff(dim=-1).abs().mean() < 0.2 * detailed[1].diff(dim=-1).abs().mean()


def test_grain_is_new_on_every_frame() -> None:
    flat = torch.full((40, 3, 3, 16, 16), 0.5)

    noise = add_grain(draws(), flat) - flat
    strength = noise.flatten(1).std(dim=1)
    grainy = strength > 0

    assert 0.3 < grainy.float().mean() < 0.9
    assert strength.max() > 0.02
    assert not torch.isclose(noise[grainy, 0], noise[grainy, 1]).flatten(1).all(1).any()


def test_exposure_and_colour_differ_between_clips_and_change_within_some() -> None:
    flat = torch.full((60, 8, 3, 4, 4), 0.5)

    lit = expose(draws(), flat)[..., 0, 0]  # (B, T, 3)
    brightness = lit.mean(2)

    assert brightness.mean(1).std() > 0.05
    assert (lit.mean(1).std(dim=1) > 0.01).float().mean() > 0.5, "a cast of colour"
    ramps = (brightness[:, 4:].mean(1) - brightness[:, :4].mean(1)).abs() > 0.03
    assert 0.02 < ramps.float().mean() < 0.5
