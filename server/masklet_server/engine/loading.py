"""From the name of some weights to trackers."""

from __future__ import annotations

from functools import partial

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
from masklet_server.engine.processor.backend import ProcessorBackend, cache_folder, is_installed
from masklet_server.engine.profile import PROFILES
from masklet_server.engine.replay import GraphRecorder
from masklet_server.engine.tracker import NetworkTracker
from masklet_server.engine.warm_up import warm_up
from masklet_server.model.checkpoint import load_network
from masklet_server.model.network import Network
from masklet_server.model.store import describe_weights, find_weights
from masklet_server.tracking import FrameSource, ResultReader, Tracker

RUNTIMES = ("auto", "torch", "openvino")

# On one frame. More go in batches of the same sizes.
_WARM_OBJECTS = 16


def load(
    weights: str,
    device: str,
    profile: str,
    *,
    compiled: bool = False,
    runtime: str = "torch",
    length_known: bool = True,
) -> tuple[TrackerFactory, ModelInfo]:
    """See :func:`masklet_server.engine.load_tracker_factory`."""
    if profile not in PROFILES:
        raise BadInputError(f"there is no profile {profile}: it is one of {', '.join(PROFILES)}")
    if runtime not in RUNTIMES:
        raise BadInputError(f"there is no runtime {runtime}: it is one of {', '.join(RUNTIMES)}")
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

    info = describe_weights(path)
    if _wants_openvino(runtime, place, compiled=compiled):
        backend = ProcessorBackend(network, path, cache_folder(info.sha256))
        backend.prepare()
        layout = fixed_layout(network.config)
        choose = backend.network
    else:
        choose = partial(_itself, network)

    def make_tracker(source: FrameSource, results: ResultReader) -> Tracker:
        return NetworkTracker(
            choose(),
            source,
            results,
            profile=PROFILES[profile],
            layout=layout,
            length_known=length_known,
        )

    return make_tracker, info


def _itself(network: Network) -> Network:
    return network


def _wants_openvino(runtime: str, place: torch.device, *, compiled: bool) -> bool:
    """Whether OpenVINO is to run the network.

    Raises:
        BadInputError: It was asked for and cannot.
    """
    if runtime == "torch":
        return False
    suits = place.type == "cpu" and not compiled
    if runtime == "openvino" and not (suits and is_installed()):
        raise BadInputError(
            "OpenVINO runs networks on a processor, not compiled ones, and has to be installed: use "
            "--device cpu without --compile, and pip install openvino"
        )
    return suits and is_installed()


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
