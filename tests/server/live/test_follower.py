from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import torch

from fakes.streams import SAID, ListStream, follow_all
from fakes.tracking import DiscClip, Shelf, TinyNetwork
from generated_media import numbered_picture, write_picture
from masklet.clip_reading import ClipReading
from masklet_server.engine.policies import policy as policies
from masklet_server.engine.policies.policy import DISTRACTOR, PATHS, RIVALS, Policy
from masklet_server.engine.tracker import NetworkTracker
from masklet_server.live import follower as following
from masklet_server.live.feed import Feed
from masklet_server.live.streams import PlateReader
from masklet_server.media.source import open_clip

# Random weights are never sure: with the shipped numbers nothing would be remembered.
EASY = {
    policy.name: replace(policy, least_quality=0.0, anchor_quality=0.0)
    for policy in (DISTRACTOR, PATHS, RIVALS)
}


@pytest.fixture(params=list(EASY))
def easy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Policy:
    policy = EASY[request.param]
    monkeypatch.setattr(policies, "POLICIES", {**policies.POLICIES, policy.name: policy})
    monkeypatch.setattr("masklet_server.engine.follower.RIVAL_LIKENESS", MappingProxyType({"tiny": 0.3}))
    monkeypatch.setattr("masklet_server.engine.company.covered", lambda logits, features: torch.zeros(4, 4))
    for module in ("company", "follower", "policies.legs"):
        monkeypatch.setattr(f"masklet_server.engine.{module}.RIVAL_FROM", 0.0)
    for name, value in (("_SMALLEST", 0.0), ("_LARGEST", 100.0), ("_MOST_SHARED", 1.0)):
        monkeypatch.setattr(f"masklet_server.engine.company.{name}", value)
    # More than paths look back.
    monkeypatch.setattr("masklet_server.engine.hypotheses.HINDSIGHT_FRAMES", 8)
    monkeypatch.setattr(following, "HELD_FRAMES", 12)
    monkeypatch.setattr(following, "_FORGET_EVERY_FRAMES", 4)
    return policy


def test_a_policy_of_the_document_counts_as_in_the_finished_clip(easy: Policy) -> None:
    clip = DiscClip(length_frames=40)
    said = SAID[0]
    live = follow_all(clip, Feed(ListStream(clip), room=3, keeps_all=True), (said,), {1: easy.name})

    shelf = Shelf()
    tracker = NetworkTracker(TinyNetwork(), clip, shelf)
    tracker.set_policy(1, easy.name)
    shelf.held[1, said.frame] = tracker.prompt(said)
    for frame in range(1002, 1041):
        for result in tracker.track(frame, [1], backward=False):
            shelf.held[1, result.frame] = result

    assert live.keys() == shelf.held.keys()
    for key, result in shelf.held.items():
        np.testing.assert_array_equal(live[key].logits, result.logits)


def test_a_file_is_read_as_the_document_says_and_what_was_assumed_is_told_once(tmp_path: Path) -> None:
    files = [
        write_picture(tmp_path / f"plate.{number:04d}.png", numbered_picture(number)) for number in (1, 2)
    ]
    told: list[str] = []
    read = PlateReader(ClipReading(colour_space="ARRI LogC4"), told.append)

    pictures = [read(file) for file in files]

    with open_clip(tmp_path / "plate.%04d.png", colour="ARRI LogC4") as clip:
        for number, picture in enumerate(pictures, start=1):
            np.testing.assert_array_equal(picture, clip.read(number))
    assert not np.array_equal(pictures[0], PlateReader()(files[0]))
