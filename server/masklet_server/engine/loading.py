"""From the name of some weights to trackers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from masklet.errors import BadInputError
from masklet.types import ModelInfo
from masklet_server.engine import TrackerFactory
from masklet_server.engine.accelerate import (
    EXACT,
    Layout,
    choose_attention,
    compile_network,
    fixed_layout,
    replay_network,
)
from masklet_server.engine.processor.backend import ProcessorBackend, cache_folder
from masklet_server.engine.processor.library import is_installed
from masklet_server.engine.profile import PROFILES, Profile
from masklet_server.engine.quality import Quality, quality_named, with_quality
from masklet_server.engine.rehearsal import trouble_with
from masklet_server.engine.replay import GraphRecorder
from masklet_server.engine.tracker import NetworkTracker
from masklet_server.engine.warm_up import warm_up
from masklet_server.model.checkpoint import load_network
from masklet_server.model.devices import find_device, memory_of, rules_of
from masklet_server.model.network import Network
from masklet_server.model.store import describe_weights, find_weights
from masklet_server.tracking import FrameSource, ResultReader, Tracker

_LOG = logging.getLogger(__name__)

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
    quality: str = "own",
    length_known: bool = True,
) -> tuple[TrackerFactory, ModelInfo]:
    """See :func:`masklet_server.engine.load_tracker_factory`."""
    if profile not in PROFILES:
        raise BadInputError(f"there is no profile {profile}: it is one of {', '.join(PROFILES)}")
    if runtime not in RUNTIMES:
        raise BadInputError(f"there is no runtime {runtime}: it is one of {', '.join(RUNTIMES)}")
    chosen = quality_named(quality)
    place = find_device(device)
    path = find_weights(weights)
    network = load_network(path, place, rules_of(place).weights)
    if rules_of(place).tried_first:
        if compiled:
            raise BadInputError(
                f"networks are compiled for CUDA and processors, not for {place}: leave it out"
            )
        network = _tried(network, path, asked_for=device != "auto")
        place = network.device
    with_quality(network, chosen)
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
    if chosen is not Quality.OWN and runtime == "openvino":
        raise BadInputError("OpenVINO is prepared for what models were trained with: leave quality out")
    if chosen is Quality.OWN and _wants_openvino(runtime, place, compiled=compiled):
        backend = ProcessorBackend(network, path, cache_folder(info.sha256))
        backend.prepare()
        layout = fixed_layout(network.config)
        choose = backend.network
    else:
        choose = partial(_itself, network)

    return _Trackers(choose, PROFILES[profile], layout, length_known, place), info


@dataclass(frozen=True)
class _Trackers:
    """See :class:`masklet_server.engine.TrackerFactory`."""

    choose: Callable[[], Network]
    profile: Profile
    layout: Layout
    length_known: bool
    place: torch.device

    @property
    def device(self) -> str:
        return str(self.place)

    @property
    def device_bytes(self) -> int | None:
        return memory_of(self.place)

    def __call__(self, source: FrameSource, results: ResultReader, /) -> Tracker:
        return NetworkTracker(
            self.choose(),
            source,
            results,
            profile=self.profile,
            layout=self.layout,
            length_known=self.length_known,
        )


def _tried(network: Network, path: Path, *, asked_for: bool) -> Network:
    """A network whose device has shown that it tracks, or the same on the processor.

    Raises:
        BadInputError: The device does not, and somebody asked for it.
    """
    on_processor = load_network(path, "cpu", torch.float32)
    trouble = trouble_with(network, on_processor)
    if trouble is None:
        return network
    if asked_for:
        raise BadInputError(f"{network.device} cannot be used here ({trouble}): say device auto or cpu")
    _LOG.warning("%s cannot be used here (%s): the processor takes its place", network.device, trouble)
    return on_processor


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
