"""Fine-tuning on material that the start model is bad at: better there, and how much worse elsewhere?

    python server/benchmarks/bench_finetune.py --pack runs/material.pack [--steps 80] [--side 224]

The new material is made here and written in SA-V's layout: an object is a swarm of small balls of
one colour among swarms of other colours. The embedded model was trained on connected objects and takes
such a swarm for one of its balls, or for a blob. What must not get worse are clips as the model was
trained on, made with another seed. Both are measured from a true first mask, before and after, on
clips that were not trained on. One JSON line.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from records import begin, write_line

from masklet_server.evaluation.datasets import open_dataset
from masklet_server.evaluation.finetune_command import AnnotatedShot, first_mask_figures
from masklet_server.evaluation.presence import generate_clips
from masklet_server.evaluation.sa_v import SaVObject, encode_annotation, write_sa_v
from masklet_server.model.checkpoint import read_checkpoint
from masklet_server.model.store import find_weights
from masklet_server.training.composer import ClipComposer
from masklet_server.training.distributed import join_team
from masklet_server.training.finetune import FineTuning, fine_tune
from masklet_server.training.footage import FootageClips, MixedClips
from masklet_server.training.material.pack import load_material

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

COLOURS = ((60, 60, 220), (60, 190, 60), (210, 120, 50), (60, 200, 220), (180, 60, 180))
SIDE_PX = 256
SWARM = 14


def swarm_video(seed: int, frames: int) -> tuple[list[NDArray[np.uint8]], list[dict[int, NDArray[np.bool_]]]]:
    """Pictures and the masks of one swarm (id 0) among two others, drifting over noise."""
    chance = np.random.default_rng(seed)
    colours = chance.permutation(len(COLOURS))[:3]
    places = chance.uniform(30, SIDE_PX - 30, (3, SWARM, 2))
    drift = chance.normal(0, 2.0, (3, 1, 2)) + chance.normal(0, 0.8, (3, SWARM, 2))
    radius = int(chance.integers(6, 11))
    noise = cv2.resize(chance.integers(60, 150, (8, 8, 3), dtype=np.uint8), (SIDE_PX, SIDE_PX))
    pictures, masks = [], []
    for frame in range(frames):
        picture = np.asarray(noise, dtype=np.uint8).copy()
        own = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
        # The swarm that is the object lies on top.
        for swarm in (2, 1, 0):
            blue, green, red = (float(value) for value in COLOURS[colours[swarm]])
            for x, y in places[swarm] + drift[swarm] * frame:
                at = (round(float(x)), round(float(y)))
                cv2.circle(picture, at, radius, (blue, green, red), -1, cv2.LINE_AA)
                if swarm == 0:
                    cv2.circle(own, at, radius, 255, -1)
        pictures.append(picture)
        masks.append({0: own > 0})
    return pictures, masks


def write_video(
    folder: Path,
    name: str,
    pictures: Sequence[NDArray[np.uint8]],
    masks: Sequence[dict[int, NDArray[np.bool_]]],
) -> None:
    """One video in SA-V's layout, every frame annotated."""
    (folder / name).mkdir(parents=True)
    for frame, picture in enumerate(pictures):
        cv2.imwrite(str(folder / name / f"{frame:05d}.jpg"), picture)
    height_px, width_px = pictures[0].shape[:2]
    objects = [SaVObject(object_id) for object_id in masks[0]]
    annotation = encode_annotation(
        name,
        width_px=width_px,
        height_px=height_px,
        frame_count=len(pictures),
        objects=objects,
        masks=masks,
        frame_step=1,
    )
    write_sa_v(folder / f"{name}_manual.json", annotation)


def write_composed(folder: Path, composer: ClipComposer, *, clips: int, frames: int) -> None:
    """Clips as the model was trained on."""
    for number, clip in enumerate(generate_clips(composer, clips=clips, frames=frames, side_px=SIDE_PX)):
        pictures = [
            np.ascontiguousarray((clip.read(frame)[..., ::-1] * 255 + 0.5).astype(np.uint8))
            for frame in range(len(clip.masks))
        ]
        masks = [dict(enumerate(of_frame)) for of_frame in clip.masks]
        write_video(folder, f"known_{number:02d}", pictures, masks)


def main() -> None:
    """Make the sets, measure, tune, measure again."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--pack", type=Path, default=Path("runs/material.pack"))
    options.add_argument("--weights", default="masklet_embedded")
    options.add_argument("--steps", type=int, default=80)
    options.add_argument("--side", type=int, default=224)
    options.add_argument("--rate", type=float, default=5e-5)
    options.add_argument("--known-share", type=float, default=0.3)
    options.add_argument("--videos", type=int, default=8)
    options.add_argument("--clips", type=int, default=6)
    chosen = options.parse_args()

    team = join_team("cpu")
    material = load_material(chosen.pack, device="cpu")
    with tempfile.TemporaryDirectory() as scratch:
        data, rest = Path(scratch) / "show", Path(scratch) / "rest"
        for number in range(chosen.videos + 4):
            write_video(data, f"swarm_{number:02d}", *swarm_video(number, 10))
        write_composed(rest, ClipComposer(material, device="cpu", seed=777), clips=chosen.clips, frames=10)
        aside = [f"swarm_{number:02d}" for number in range(chosen.videos, chosen.videos + 4)]
        measured = {"new": open_dataset(data, sequences=aside), "known": open_dataset(rest)}
        shots = [AnnotatedShot(clip) for clip in open_dataset(data, without=aside)]
        source = MixedClips(
            FootageClips(shots, seed=1),
            ClipComposer(material, device="cpu", seed=1),
            known_share=chosen.known_share,
            seed=1,
        )
        tuning = FineTuning(
            steps=chosen.steps,
            frames=(3,),
            side_px=chosen.side,
            rate=chosen.rate,
            step_megapixels=0.6,
            objects=1,
            # A click on a ball cannot tell that the swarm is meant.
            mask_share=1.0,
            freeze=("trunk", "prompts"),
        )
        before = first_mask_figures(chosen.weights, measured, "cpu", chosen.side)
        print({name: round(value.j_and_f, 1) for name, value in before.items()}, flush=True)
        started_s = time.monotonic()
        made = fine_tune(
            read_checkpoint(find_weights(chosen.weights)),
            source,
            team,
            tuning,
            folder=Path(scratch) / "run",
            report=lambda line: print(line, flush=True),
        )
        seconds = time.monotonic() - started_s
        after = first_mask_figures(str(made), measured, "cpu", chosen.side)
    begin("bench_finetune", weights=chosen.weights, footage="swarms of balls, and clips composed of the pack")
    write_line(
        {
            "case": "finetune",
            "steps": chosen.steps,
            "side_px": chosen.side,
            "rate": chosen.rate,
            "known_share": chosen.known_share,
            "seconds": round(seconds),
            "j_and_f": {
                name: {
                    "before": round(before[name].j_and_f, 1),
                    "after": round(after[name].j_and_f, 1),
                }
                for name in measured
            },
        }
    )


if __name__ == "__main__":
    main()
