"""What can only be seen on a CUDA device: `pytest -m gpu tests/gpu`."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fakes.tracking import Desk, DiscClip
from masklet.types import Click, FramePrompts
from masklet_server.demo import scene
from masklet_server.engine.accelerate import (
    choose_attention,
    compile_network,
    fixed_layout,
    recordings_of,
    replay_network,
)
from masklet_server.engine.picture import DeviceResizer, square_of, whole
from masklet_server.engine.profile import EDITOR
from masklet_server.engine.replay import GraphRecorder
from masklet_server.engine.tracker import NetworkTracker
from masklet_server.engine.warm_up import warm_up
from masklet_server.model.attention_choice import PLAIN, plain
from masklet_server.model.attention_split import attend_in_kernel, attend_in_parts, kernel_is_there
from masklet_server.model.checkpoint import load_network
from masklet_server.model.network import Network

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here"),
    pytest.mark.filterwarnings("ignore"),  # compilers and drivers have much to say
]
FIRST = 1001


def embedded(dtype: torch.dtype = torch.bfloat16) -> Network:
    return load_network("masklet_embedded", "cuda", dtype)


def masks(network: Network, objects: int, *, fixed: bool) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """``(frames, objects, s, s)`` of a track."""
    desk = Desk(network, DiscClip(width_px=320, height_px=180))
    if fixed:
        layout = fixed_layout(network.config)
        desk.tracker = NetworkTracker(network, desk.clip, desk.results, layout=layout)
    for object_id in range(objects):
        place = Click(20.0 + 20 * object_id, 27.0 + 10 * object_id)
        desk.prompt(FramePrompts(object_id, FIRST, clicks=(place,)))
    found = desk.track(range(FIRST + 1, FIRST + 24), *range(objects))
    side = found[0].logits.shape[0]
    return np.stack([result.logits > 0 for result in found]).reshape(-1, objects, side, side)


def iou(one: np.ndarray, other: np.ndarray) -> float:  # type: ignore[type-arg]
    union = (one | other).sum()
    return 1.0 if union == 0 else float((one & other).sum() / union)


@pytest.mark.parametrize("objects", [1, 5])
def test_graphs_give_the_masks_of_the_network_as_it_is(objects: int) -> None:
    network = replay_network(embedded(), GraphRecorder())

    found, expected = masks(network, objects, fixed=True), masks(embedded(), objects, fixed=False)

    assert recordings_of(network) > 0
    assert iou(found, expected) >= 0.99


def test_a_compiled_network_gives_the_same_masks_and_compiles_nothing_after_the_warm_up() -> None:
    from torch._dynamo.utils import counters

    network = embedded()
    choose_attention(network, 1)
    replay_network(compile_network(network), GraphRecorder())
    warm_up(network, fixed_layout(network.config), EDITOR, objects=2)
    made = counters["stats"]["unique_graphs"], recordings_of(network)

    found = masks(network, 2, fixed=True)

    assert (counters["stats"]["unique_graphs"], recordings_of(network)) == made
    assert iou(found, masks(embedded(), 2, fixed=False)) >= 0.99


def test_masks_in_bfloat16_are_those_in_float32() -> None:
    pictures = [picture.rgb for picture in scene.render(20)]
    (click,) = scene.first_clicks()[:1]
    tracks = []
    for dtype in (torch.bfloat16, torch.float32):
        desk = Desk(embedded(dtype), _Pictures(pictures))
        desk.prompt(FramePrompts(1, FIRST, clicks=(Click(click.x_px, click.y_px),)))
        tracks.append([result.logits > 0 for result in desk.track(range(FIRST + 1, FIRST + 20), 1)])

    ious = [iou(one, other) for one, other in zip(*tracks, strict=True)]
    # On a grid of 120 pixels one more or less at the object's edge is 0.5 %; a CPU's bfloat16 gives 0.985.
    assert min(ious) >= 0.98


def test_every_form_of_attention_is_exact_within_bfloat16() -> None:
    torch.manual_seed(0)
    shapes = ((2, 1024, 256), (2, 7 * 1024 + 64, 256), (2, 7 * 1024 + 64, 64))
    query, key, value = (torch.randn(shape, device="cuda", dtype=torch.bfloat16) for shape in shapes)
    exact = plain(query.float(), key.float(), value.float())
    allowed = 4 * float((plain(query, key, value).float() - exact).abs().max())
    forms = {f"cudnn {parts}": attend_in_parts(query, key, value, parts=parts) for parts in (2, 4)}
    if kernel_is_there():
        forms |= {f"kernel {parts}": attend_in_kernel(query, key, value, parts=parts) for parts in (1, 3, 4)}

    for name, found in forms.items():
        assert float((found.float() - exact).abs().max()) <= allowed, name


def test_attention_is_chosen_among_forms_that_all_run() -> None:
    trials = choose_attention(embedded(), 1)

    assert trials[0].name == PLAIN
    assert [trial.name for trial in trials if trial.reason] == []


def test_pictures_are_resized_as_on_the_processor() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (270, 480, 3), np.uint8)
    resizer = DeviceResizer(side_px=128, device=torch.device("cuda"))

    difference = (
        resizer.square_of(whole(picture, torch.device("cuda"))).cpu().int() - square_of(picture, 128).int()
    ).abs()

    assert difference.max() <= 2


def test_memory_on_the_device_does_not_grow_with_the_clip() -> None:
    network = replay_network(embedded(), GraphRecorder())
    desk = Desk(network, DiscClip(length_frames=200))
    layout = fixed_layout(network.config)
    desk.tracker = NetworkTracker(network, desk.clip, desk.results, layout=layout)
    desk.prompt(FramePrompts(1, FIRST, clicks=(Click(20.0, 27.0),)))
    desk.track(range(FIRST + 1, FIRST + 50), 1)
    early = torch.cuda.max_memory_allocated()

    desk.track(range(FIRST + 50, FIRST + 199), 1)

    assert torch.cuda.max_memory_allocated() == early


class _Pictures(DiscClip):
    """Pictures of another clip, with frame numbers from 1001."""

    def __init__(self, pictures: list[np.ndarray]) -> None:  # type: ignore[type-arg]
        height_px, width_px = pictures[0].shape[:2]
        super().__init__(length_frames=len(pictures), width_px=width_px, height_px=height_px)
        self._pictures = pictures

    def _picture(self, index: int) -> np.ndarray:  # type: ignore[type-arg]
        return self._pictures[index]
