"""Trackers of the real engine for an evaluation."""

from __future__ import annotations

from dataclasses import replace

import torch

from masklet.errors import BadInputError
from masklet_server.engine.loading import find_device
from masklet_server.engine.profile import PROFILES
from masklet_server.engine.tracker import NetworkTracker
from masklet_server.evaluation.runs import TrackerFactory
from masklet_server.model.checkpoint import load_network
from masklet_server.sessions.tracking import FrameSource, ResultReader


def network_trackers(
    weights: str, *, profile: str = "editor", side_px: int | None = None, device: str = "auto"
) -> TrackerFactory:
    """A maker of trackers that share one network.

    Args:
        weights: A name that the weight store knows, or a file.
        profile: How the network is used over time: editor, reference or benchmark.
        side_px: Side of the square that pictures are stretched to; None for that of the weights.
        device: Where the network runs; ``auto`` for a GPU if there is one. On a GPU it runs in
            bfloat16.

    Raises:
        BadInputError: The profile or the side is none.
        WeightsError: There are no such weights, or they are damaged.
    """
    if profile not in PROFILES:
        raise BadInputError(f"there is no profile {profile}: it is one of {', '.join(PROFILES)}.")
    if side_px is not None and (side_px < 32 or side_px % 32):
        raise BadInputError(f"a side of {side_px} pixels does not work: give a multiple of 32.")
    place = find_device(device)
    network = load_network(weights, place, torch.bfloat16 if place.type == "cuda" else torch.float32)
    if side_px is not None:
        network.config = replace(network.config, image_side_px=side_px)

    def make_tracker(source: FrameSource, results: ResultReader) -> NetworkTracker:
        return NetworkTracker(network, source, results, profile=PROFILES[profile])

    return make_tracker
