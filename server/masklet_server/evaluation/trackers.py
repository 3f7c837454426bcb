"""Trackers of the real engine for an evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

from masklet.errors import BadInputError
from masklet_server.engine.features import FeatureCache
from masklet_server.engine.policies.policy import POLICIES
from masklet_server.engine.profile import EDITOR, PROFILES
from masklet_server.engine.tracker import NetworkTracker
from masklet_server.evaluation.hard.contest import Contest, ContestMaker
from masklet_server.evaluation.hard.stage import TARGET
from masklet_server.evaluation.runs import TrackerFactory
from masklet_server.model.checkpoint import load_network
from masklet_server.model.devices import find_device, rules_of
from masklet_server.model.network import Network
from masklet_server.tracking import FrameSource, ResultReader

_KEPT_FEATURES_BYTES = 2 << 30
_SHARED_FRAMES = 4


def network_trackers(
    weights: str,
    *,
    profile: str = "editor",
    side_px: int | None = None,
    device: str = "auto",
    keep_features: bool = False,
) -> TrackerFactory:
    """A maker of trackers that share one network.

    Args:
        weights: A name that the weight store knows, or a file.
        profile: How the network is used over time: editor, reference or benchmark.
        side_px: Side of the square that pictures are stretched to; None for that of the weights.
        device: Where the network runs; ``auto`` for a GPU if there is one. On a GPU it runs in
            bfloat16.
        keep_features: Keep the features of all frames of a clip, as far as 2 GiB go, instead of the
            last few: changes nothing but the time that several passes over a clip take.

    Raises:
        BadInputError: The profile or the side is none.
        WeightsError: There are no such weights, or they are damaged.
    """
    _check_profile(profile)
    network = _load(weights, side_px, device)

    def make_tracker(source: FrameSource, results: ResultReader) -> NetworkTracker:
        chosen = PROFILES[profile]
        if keep_features:
            room_frames = _KEPT_FEATURES_BYTES // _feature_bytes(network)
            wanted_frames = min(len(source.info.frames), room_frames)
            chosen = replace(chosen, feature_frames=max(chosen.feature_frames, wanted_frames))
        return NetworkTracker(network, source, results, profile=chosen)

    return make_tracker


def network_contests(
    weights: str, names: Sequence[str], *, side_px: int | None = None, device: str = "auto"
) -> ContestMaker:
    """A maker of trackers that work side by side and share one network and its look at every picture.

    Args:
        weights: As for :func:`network_trackers`.
        names: Profiles and policies that take part.
        side_px: As for :func:`network_trackers`.
        device: As for :func:`network_trackers`.

    Raises:
        BadInputError: A name or the side is none.
        WeightsError: There are no such weights, or they are damaged.
    """
    for name in names:
        if name not in PROFILES and name not in POLICIES:
            known = ", ".join(dict.fromkeys((*PROFILES, *POLICIES)))
            raise BadInputError(f"there is no policy {name}: it is one of {known}.")
    network = _load(weights, side_px, device)

    def make_contest(source: FrameSource, results: Mapping[str, ResultReader]) -> Contest:
        shared = FeatureCache(network, source, capacity=_SHARED_FRAMES, by_device=False)

        def tracker(name: str) -> NetworkTracker:
            profile = PROFILES.get(name, EDITOR)
            made = NetworkTracker(network, source, results[name], profile=profile, features=shared)
            if name in POLICIES:
                made.set_policy(TARGET, name)
            return made

        @torch.inference_mode()
        def encode(frame: int) -> None:
            shared.features(frame)

        return Contest({name: tracker(name) for name in names}, encode)

    return make_contest


def _check_profile(name: str) -> None:
    if name not in PROFILES:
        raise BadInputError(f"there is no profile {name}: it is one of {', '.join(PROFILES)}.")


def _load(weights: str, side_px: int | None, device: str) -> Network:
    if side_px is not None and (side_px < 32 or side_px % 32):
        raise BadInputError(f"a side of {side_px} pixels does not work: give a multiple of 32.")
    place = find_device(device)
    network = load_network(weights, place, rules_of(place).weights)
    if side_px is not None:
        network.config = replace(network.config, image_side_px=side_px)
    return network


def _feature_bytes(network: Network) -> int:
    """What the features of one frame hold: d channels at stride 16, d / 4 at 8 and d / 8 at 4."""
    config = network.config
    values = config.width * config.image_side_px**2 // 64
    return values * network.dtype.itemsize
