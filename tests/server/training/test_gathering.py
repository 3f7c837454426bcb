"""Hard frames are what the engine read, and enough to decode them again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from masklet.types import FramePrompts, Mask
from masklet_server.cli import app
from masklet_server.engine.tracker import NetworkTracker
from masklet_server.evaluation.gathering import Gathering, ListeningNetwork, gather, listening
from masklet_server.evaluation.presence import GeneratedClip
from masklet_server.evaluation.runs import MemoryResults
from masklet_server.model.checkpoint import read_checkpoint
from masklet_server.model.store import find_weights
from masklet_server.training.clips import ClipSource
from masklet_server.training.frame_lessons import decode_frames

SIDE = 96
SMALL = Gathering(frames=6, side_px=SIDE, hard=99, plain=99, objects=1)


@pytest.fixture(scope="module")
def network() -> ListeningNetwork:
    return listening(read_checkpoint(find_weights("masklet_embedded")), SIDE)


def test_hard_frames_decode_again_to_what_the_tracker_saw(
    network: ListeningNetwork, drifting_discs: Callable[..., ClipSource]
) -> None:
    made = drifting_discs(seed=1).compose(1, SMALL.frames, SIDE, 2)
    pictures = made.images[0].permute(0, 2, 3, 1).numpy()
    clip = GeneratedClip("discs", np.ascontiguousarray(pictures), made.masks[0, :, :1].numpy())
    results = MemoryResults()
    tracker = NetworkTracker(network, clip, results)
    prompt = Mask.from_array(clip.masks[0, 0].astype(np.uint8) * 255)
    results.put(tracker.prompt(FramePrompts(0, 0, mask=prompt)))
    seen = []
    for frame in range(1, SMALL.frames):
        results.put(tracker.track(frame, [0], backward=False)[0])
        seen.append(network.heard.presence_logit)

    forwards, _ = gather(network, drifting_discs(seed=1), SMALL, Random(1))

    assert [frame.picture for frame in forwards.frames] == [0, 1, 2, 3, 4]
    with torch.inference_mode():
        again = [
            float(decode_frames(network, [(forwards, frame)]).presence_logit[0, 0])
            for frame in forwards.frames
        ]
    assert again == pytest.approx(seen, abs=0.02)


def test_a_clip_is_tracked_in_both_directions(
    network: ListeningNetwork, drifting_discs: Callable[..., ClipSource]
) -> None:
    forwards, backwards = gather(network, drifting_discs(seed=2), SMALL, Random(1))

    # The last frame of one is the first of the other, which is prompted and not kept.
    assert torch.equal(forwards.frames[-2].mask, backwards.frames[0].mask)
    assert torch.equal(forwards.frames[0].mask, backwards.frames[-2].mask)


def test_gathering_without_material_says_how_to_make_it(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["train-gather", "--pack", str(tmp_path / "none.pack")])

    assert result.exit_code != 0
    assert "material pack" in f"{result.output}{result.exception}"
