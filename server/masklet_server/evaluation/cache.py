"""Baseline scores kept between runs: they depend on the data alone."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from masklet_server.evaluation.baselines import copy_first_mask, warp_by_flow
from masklet_server.evaluation.clips import AnnotatedClip
from masklet_server.evaluation.metrics import FrameScore
from masklet_server.evaluation.scores import Judge, ObjectScores

BASELINES: Mapping[str, Callable[[AnnotatedClip], Iterator[tuple[int, Mapping[int, NDArray[np.bool_]]]]]] = {
    "copy": copy_first_mask,
    "flow": warp_by_flow,
}

_VERSION = 2
"""Counts up whenever the baselines or the metrics change, which makes old entries worthless."""


def baseline_scores(clip: AnnotatedClip, *, folder: Path | None = None) -> dict[str, list[ObjectScores]]:
    """Scores of both baselines by name, from the cache if the clip is unchanged.

    Args:
        clip: The sequence.
        folder: Where scores are kept; by default the user's cache folder.
    """
    path = (folder or user_cache_path("masklet") / "baselines") / f"{clip_digest(clip)}.json"
    # Missing or damaged: made again, which costs time only.
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return _from_json(json.loads(path.read_text("utf-8")))
    judge = Judge(clip)
    scores = {name: judge.judge(play(clip)) for name, play in BASELINES.items()}
    # A cache that cannot be written is no reason to fail.
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.part")
        partial.write_text(json.dumps(_to_json(scores)), "utf-8")
        partial.replace(path)
    return scores


def clip_digest(clip: AnnotatedClip) -> str:
    """Changes when a file of the clip is added, removed or rewritten, or the limit differs."""
    digest = hashlib.sha256(f"{_VERSION} {clip.name} {clip.frame_limit}".encode())
    for path in (*clip.picture_files, *clip.truth.files()):
        state = path.stat()
        digest.update(f"{path.name} {state.st_size} {state.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:32]


def _to_json(scores: Mapping[str, list[ObjectScores]]) -> dict[str, dict[str, dict[str, list[float | None]]]]:
    return {
        name: {
            str(one.object_id): {str(f): [s.j, s.f, s.boundary_error_px] for f, s in one.frames.items()}
            for one in objects
        }
        for name, objects in scores.items()
    }


def _from_json(read: dict[str, dict[str, dict[str, list[float]]]]) -> dict[str, list[ObjectScores]]:
    return {
        name: [
            ObjectScores(
                int(object_id), {int(frame): FrameScore(*values) for frame, values in frames.items()}
            )
            for object_id, frames in read[name].items()
        ]
        for name in BASELINES
    }
