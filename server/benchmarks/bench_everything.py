"""Does a thing keep its identity when everything in a shot is followed? Real server, clips of known masks.

    python server/benchmarks/bench_everything.py PHOTOGRAPHS [--clips "exit 2,cut 1"] [--every 12]

As ``masklet find --every`` does: everything is found on keyframes and tracked between them. On each keyframe
on which the clip's own object is to be seen, the object of the session that overlaps it by half is looked up.
Told of each clip: keyframes with the object, on how many of them it was found, under how many names, and how
often under its first one; once as it is, once without looking for what was gone among what is new.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from records import begin, write_line

import masklet
from masklet.everything import RETURNED_FROM, find_everything
from masklet.found import FindOptions
from masklet.found_things import MASKS, plane
from masklet.types import FrameRange
from masklet_server.evaluation.hard.material import from_photographs
from masklet_server.evaluation.hard.stage import GeneratedFrames
from masklet_server.evaluation.hard.weaknesses import scenes

_FOUND_FROM = 0.5
_MOST = 64
_NEVER = 2.0
"""Nothing is as much alike: what was gone is not looked for."""
_CLIPS = "exit 2,exit 4,occlusion 2,cut 1,cut 2,crowd 1"


def main() -> None:
    """Generate, follow, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--clips", default=_CLIPS)
    parser.add_argument("--every", type=int, default=12)
    parser.add_argument("--limit", type=int, default=8)
    parser.add_argument("--clicks", type=int, default=16)
    asked = parser.parse_args()
    begin(
        "bench_everything",
        weights="masklet_embedded",
        footage="generated, photographs, seed 1",
        every=asked.every,
        limit=asked.limit,
        clicks=asked.clicks,
    )
    material = from_photographs(asked.photographs)
    options = FindOptions(limit=asked.limit, per_side=asked.clicks)
    with masklet.connect() as server:
        for name in asked.clips.split(","):
            weakness, _, number = name.rpartition(" ")
            (*_, scene) = scenes(material, [weakness], clips=int(number), seed=1)
            frames = GeneratedFrames(scene)
            for returned_from in (_NEVER, RETURNED_FROM):
                told = _followed(server, frames, asked.every, options, returned_from)
                write_line({"clip": name, "looks_for_what_was_gone": returned_from < 1, **told})


def _followed(
    server: masklet.Server, frames: GeneratedFrames, every: int, options: FindOptions, returned_from: float
) -> dict[str, int]:
    names: list[str | None] = []
    objects = 0
    with tempfile.TemporaryDirectory() as folder:
        for frame in range(frames.info.last_frame + 1):
            cv2.imwrite(f"{folder}/clip.{frame:04d}.png", frames.read(frame)[..., ::-1])
        with server.open(f"{folder}/clip.%04d.png") as session:
            keyframes = range(0, frames.info.last_frame + 1, every)
            told = find_everything(
                session, keyframes, options=options, max_objects=_MOST, returned_from=returned_from
            )
            for keyframe in told:
                truth = frames.visible(keyframe.frame)
                if truth.any():
                    there = FrameRange(keyframe.frame, keyframe.frame)
                    masks = session.masks(frames=there, mask_format=MASKS)
                    names.append(_nearest({each.object_name: plane(each) for each in masks}, truth))
                objects = len(session.objects())
    found = Counter(name for name in names if name is not None)
    first = next((name for name in names if name is not None), None)
    return {
        "keyframes_with_it": len(names),
        "found_on": found.total(),
        "names": len(found),
        "under_its_first_name": 0 if first is None else found[first],
        "objects": objects,
    }


def _nearest(masks: dict[str, NDArray[np.bool_]], truth: NDArray[np.bool_]) -> str | None:
    """Whose mask overlaps the truth the most, by half at least."""
    best, name = _FOUND_FROM, None
    for own, mask in masks.items():
        height, width = mask.shape
        there = cv2.resize(truth.astype(np.uint8), (width, height), interpolation=cv2.INTER_AREA) > 0
        iou = np.count_nonzero(mask & there) / max(1, np.count_nonzero(mask | there))
        if iou >= best:
            best, name = float(iou), own
    return name


if __name__ == "__main__":
    main()
