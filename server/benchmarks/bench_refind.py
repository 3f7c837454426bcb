"""Is an object found again behind a cut? A real server on generated clips, where the truth is exact.

    python server/benchmarks/bench_refind.py runs/material.pack

Clips are composed of material that ``masklet-server material pack`` makes. Frames 0 to 7 show the object,
prompted with its true mask on frame 0; then comes one of:

- ``a cutaway and back``: eight frames of another clip, then the shot goes on;
- ``the same object elsewhere``: the object over the pictures of another clip, moved by a sixth of the frame;
- ``another view of the set``: the camera jumps once, somewhere, and the scene goes on; clips on which the
  jump is too small to be found in the pictures are not judged.

Each is tracked to its end with ``--at-cuts refind`` and with ``ignore``. An object is found if its mask
overlaps the truth by half within five frames after it can be seen again. One JSON line per case and policy.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from records import begin, write_line

import masklet
from masklet.types import CutPolicy, Mask, Presence
from masklet_server.training.cast import CastConfig
from masklet_server.training.composer import ClipComposer, ComposerConfig
from masklet_server.training.material.pack import load_material

SIDE_PX = 384
SHOT_FRAMES = 8
FOUND_WITHIN_FRAMES = 5
FOUND_AT_IOU = 0.5
SEED = 20263
_STANDS_OUT = 3

Pictures = NDArray[np.uint8]
Masks = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Case:
    """A clip of frames from 0.

    Attributes:
        pictures: ``(T, S, S, 3)``.
        masks: ``(T, S, S)``, what is visible of the object.
        again: The first frame behind the cut on which the object can be seen; None where that is not known.
    """

    pictures: Pictures
    masks: Masks
    again: int | None


@dataclass
class Tally:
    """What happened; counts add up."""

    clips: int = 0
    cuts_seen: int = 0
    judged: int = 0
    found: int = 0
    iou_sum: float = 0.0
    frames: int = 0
    absent: int = 0
    called_absent: int = 0


def main() -> None:
    """Generate, track, count, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pack", type=Path)
    parser.add_argument("--clips", type=int, default=24)
    arguments = parser.parse_args()
    begin("bench_refind", weights="masklet_embedded", footage=f"{arguments.clips} generated clips a case")
    material = load_material(arguments.pack, device="cpu")
    cast = CastConfig(scene_share=0.0, leave_share=0.0, cut_share=0.0)
    steady = ClipComposer(material, device="cpu", seed=SEED, config=ComposerConfig(cast=cast))
    jumping_cast = CastConfig(scene_share=0.0, leave_share=0.0, cut_share=1.0)
    jumping = ClipComposer(material, device="cpu", seed=SEED, config=ComposerConfig(cast=jumping_cast))
    random = np.random.default_rng(SEED)
    makers: dict[str, Callable[[], Case]] = {
        "a cutaway and back": lambda: cutaway(shot(steady, 2 * SHOT_FRAMES), shot(steady, SHOT_FRAMES)),
        "the same object elsewhere": lambda: elsewhere(
            shot(steady, 2 * SHOT_FRAMES), shot(steady, SHOT_FRAMES), random
        ),
        "another view of the set": lambda: as_it_is(shot(jumping, 2 * SHOT_FRAMES)),
    }
    with masklet.connect() as server:
        for name, make in makers.items():
            tallies = {CutPolicy.REFIND: Tally(), CutPolicy.IGNORE: Tally()}
            for _ in range(arguments.clips):
                case = make()
                for policy, tally in tallies.items():
                    track(server, case, policy, tally)
            for policy, tally in tallies.items():
                write_line({"case": name, "at_cuts": policy.value, **figures(tally)})


@dataclass(frozen=True, eq=False)
class Shot:
    """A generated clip with one object.

    Attributes:
        pictures: ``(T, S, S, 3)``.
        alphas: ``(T, S, S)`` float32.
    """

    pictures: Pictures
    alphas: NDArray[np.float32]


def shot(composer: ClipComposer, frames: int) -> Shot:
    """A clip whose object can be seen well on its first frame and on each of the others at least a little."""
    while True:
        batch = composer.compose(1, frames, SIDE_PX, 1)
        alphas = batch.alphas[0, :, 0].numpy().astype(np.float32) / 255
        areas = (alphas > 0.5).mean(axis=(1, 2))
        if 0.01 < areas[0] < 0.35 and areas.min() > 0.3 * areas[0]:
            pictures = batch.images[0].permute(0, 2, 3, 1).numpy()
            return Shot(np.rint(pictures * 255).astype(np.uint8), alphas.astype(np.float32))


def cutaway(whole: Shot, other: Shot) -> Case:
    """The shot with another between its halves."""
    nothing = np.zeros(other.alphas.shape, np.bool_)
    masks = whole.alphas > 0.5
    return Case(
        np.concatenate([whole.pictures[:SHOT_FRAMES], other.pictures, whole.pictures[SHOT_FRAMES:]]),
        np.concatenate([masks[:SHOT_FRAMES], nothing, masks[SHOT_FRAMES:]]),
        again=2 * SHOT_FRAMES,
    )


def elsewhere(whole: Shot, other: Shot, random: np.random.Generator) -> Case:
    """The object of the shot over the pictures of another, moved to the side."""
    angle = random.uniform(0, 2 * np.pi)
    shift = np.array([[1, 0, np.cos(angle) * SIDE_PX / 6], [0, 1, np.sin(angle) * SIDE_PX / 6]])
    pictures, masks = [], []
    for picture, alpha, ground in zip(
        whole.pictures[SHOT_FRAMES:], whole.alphas[SHOT_FRAMES:], other.pictures, strict=True
    ):
        moved = cv2.warpAffine(picture, shift, (SIDE_PX, SIDE_PX))
        cover = cv2.warpAffine(alpha, shift, (SIDE_PX, SIDE_PX))
        pictures.append(np.rint(moved * cover[..., None] + ground * (1 - cover[..., None])).astype(np.uint8))
        masks.append(cover > 0.5)
    return Case(
        np.concatenate([whole.pictures[:SHOT_FRAMES], np.stack(pictures)]),
        np.concatenate([whole.alphas[:SHOT_FRAMES] > 0.5, np.stack(masks)]),
        again=SHOT_FRAMES,
    )


def as_it_is(whole: Shot) -> Case:
    """The shot, whose camera has jumped by itself."""
    small = np.stack(
        [cv2.resize(picture, (48, 48), interpolation=cv2.INTER_AREA) for picture in whole.pictures]
    )
    changes = np.abs(np.diff(small.astype(np.float32), axis=0)).mean(axis=(1, 2, 3))
    jump = int(changes.argmax())
    stands_out = changes[jump] > _STANDS_OUT * np.median(changes) + 1
    return Case(whole.pictures, whole.alphas > 0.5, again=jump + 1 if stands_out else None)


def track(server: masklet.Server, case: Case, policy: CutPolicy, tally: Tally) -> None:
    """Track one clip and count what happened."""
    with tempfile.TemporaryDirectory() as folder:
        for frame, picture in enumerate(case.pictures):
            cv2.imwrite(f"{folder}/clip.{frame:04d}.png", picture[..., ::-1])
        with server.open(f"{folder}/clip.%04d.png") as session:
            item = session.object("object")
            item.mask(frame=0, mask=Mask.from_array(case.masks[0].astype(np.uint8) * 255))
            running = session.track(at_cuts=policy)
            updates = {update.frame: update for update in running}
            cuts = running.finished.cuts if running.finished else ()
    tally.clips += 1
    tally.cuts_seen += bool(cuts)
    seen = {frame: case.masks[frame].any() for frame in updates}
    tally.absent += sum(not there for there in seen.values())
    tally.called_absent += sum(
        updates[frame].presence is Presence.ABSENT for frame, there in seen.items() if not there
    )
    if case.again is None:
        return
    ious = {
        frame: overlap(updates[frame].mask.as_array() >= 128, case.masks[frame])
        for frame in range(case.again, len(case.pictures))
    }
    tally.judged += 1
    tally.found += max(ious[frame] for frame in list(ious)[:FOUND_WITHIN_FRAMES]) >= FOUND_AT_IOU
    tally.iou_sum += sum(ious.values())
    tally.frames += len(ious)


def overlap(ours: Masks, truth: Masks) -> float:
    """Intersection over union."""
    union = int(np.count_nonzero(ours | truth))
    return int(np.count_nonzero(ours & truth)) / union if union else 1.0


def figures(tally: Tally) -> dict[str, float | int | None]:
    """The counts as they are reported."""
    return {
        "clips": tally.clips,
        "cuts_seen": tally.cuts_seen,
        "judged": tally.judged,
        "found": tally.found,
        "mean_iou_behind": round(tally.iou_sum / tally.frames, 3) if tally.frames else None,
        "absent_frames": tally.absent,
        "called_absent": tally.called_absent,
    }


if __name__ == "__main__":
    main()
