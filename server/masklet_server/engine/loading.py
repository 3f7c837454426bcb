"""From the name of some weights to trackers."""

from __future__ import annotations

import torch

from masklet.errors import BadInputError
from masklet.types import ModelInfo
from masklet_server.engine import TrackerFactory
from masklet_server.engine.accelerate import (
    EXACT,
    choose_attention,
    compile_network,
    fixed_layout,
    replay_network,
)
from masklet_server.engine.profile import PROFILES
from masklet_server.engine.replay import GraphRecorder
from masklet_server.engine.tracker import NetworkTracker
from masklet_server.engine.warm_up import warm_up
from masklet_server.model.checkpoint import load_network
from masklet_server.model.store import describe_weights, find_weights
from masklet_server.sessions.tracking import FrameSource, ResultReader, Tracker

# On one frame. More go in batches of the same sizes.
_WARM_OBJECTS = 16


def load(
    weights: str, device: str, profile: str, *, compiled: bool = False
) -> tuple[TrackerFactory, ModelInfo]:
    """See :func:`masklet_server.engine.load_tracker_factory`."""
    if profile not in PROFILES:
        raise BadInputError(f"there is no profile {profile}: it is one of {', '.join(PROFILES)}")
    place = find_device(device)
    path = find_weights(weights)
    dtype = torch.bfloat16 if place.type == "cuda" else torch.float32
    network = load_network(path, place, dtype)
    layout = EXACT
    if compiled:
        layout = fixed_layout(network.config)
        if place.type == "cuda":
            for size in sorted({layout.objects(count) for count in range(1, _WARM_OBJECTS + 1)}):
                choose_attention(network, size)
        compile_network(network)
        if place.type == "cuda":
            replay_network(network, GraphRecorder())
        warm_up(network, layout, PROFILES[profile], objects=_WARM_OBJECTS)

    def make_tracker(source: FrameSource, results: ResultReader) -> Tracker:
        return NetworkTracker(network, source, results, profile=PROFILES[profile], layout=layout)

    return make_tracker, describe_weights(path)


def find_device(name: str) -> torch.device:
    """The device of that name; ``"auto"`` is a GPU if there is one.

    Raises:
        BadInputError: There is no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise BadInputError(f"{name} is no device: use auto, cpu or cuda") from error
    if device.type not in ("cpu", "cuda"):
        raise BadInputError(f"masklet does not run on {name}: use auto, cpu or cuda")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise BadInputError(f"there is no {name} here: check the driver, or use auto or cpu")
    return device
