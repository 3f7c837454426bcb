"""The cut guard: how often it misses a cut, and how often it cries wolf.

    python server/benchmarks/bench_cuts.py ../shared/data/davis_dev ../shared/data/clips --pack material.pack

Real clips without a cut (sequences of ``davis_dev``, the movies) give false alarms: as they are, with
two of three frames left out (three times the motion), and with disturbances added: flashes, changing
light, grain. Pieces of them, one after the other, give cuts. Whatever is tested passes through
``ShotWatch`` in order, as in a track. The data are for looking only. With ``--pack``, the same with clips
composed of material that ``masklet-server material pack`` makes: they have no cut either, until joined.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from records import begin, write_line

from masklet.types import ClipInfo
from masklet_server.media.source import open_clip
from masklet_server.shots.watch import ShotWatch
from masklet_server.training.cast import CastConfig
from masklet_server.training.composer import ClipComposer, ComposerConfig
from masklet_server.training.material.pack import load_material

Picture = NDArray[np.uint8]

SIZE_PX = (192, 108)
PIECES = 200
GENERATED_CLIPS, GENERATED_FRAMES, GENERATED_PX = 60, 24, 192
SEED = 7


@dataclass
class Pictures:
    """A clip in memory, frames from 0."""

    pictures: Sequence[Picture]

    @property
    def info(self) -> ClipInfo:
        """As much of a clip as the guard asks for."""
        return ClipInfo("made", *SIZE_PX, 0, len(self.pictures) - 1)

    def read(self, frame: int) -> Picture:
        """The picture of a frame."""
        return self.pictures[frame]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sequences", type=Path)
    parser.add_argument("movies", type=Path)
    parser.add_argument("--pack", type=Path, help="material for generated clips")
    arguments = parser.parse_args()
    folders = [path / "frames" for path in sorted(arguments.sequences.iterdir()) if path.is_dir()]
    names = [path.parent.name for path in folders]
    begin("bench_cuts", footage="sequences as filmed, and movies", sequences=names)
    clips = {str(path): read(path) for path in (*folders, *sorted(arguments.movies.glob("*.mp4")))}
    random = np.random.default_rng(SEED)
    disturbances: dict[str, Callable[[list[Picture]], list[Picture]]] = {
        "real": list,
        "real, every third frame": lambda pictures: pictures[::3],
        "flashes of one or two frames": lambda pictures: with_flashes(pictures, random),
        "light that changes by half in ten frames": with_changing_light,
        "grain": lambda pictures: with_grain(pictures, random),
    }
    for name, disturb in disturbances.items():
        report_calm(name, [disturb(pictures) for pictures in clips.values()])
    made, truth = joined(list(clips.values()), random)
    report("pieces one after the other", made, truth)
    report("the same backwards", made[::-1], {len(made) - cut for cut in truth})
    report("the same with grain", with_grain(made, random), truth)
    if arguments.pack:
        scenes = generated(arguments.pack)
        report_calm("generated", scenes)
        report("pieces of the generated", *joined(scenes, random))
    for length in (4, 12):
        made, truth = joined(list(clips.values()), random, dissolve=length)
        found = set(cuts_of(made))
        near = sum(any(abs(cut - one) <= length for one in found) for cut in truth)
        write_line({"case": f"dissolves of {length} frames", "dissolves": len(truth), "noticed": near})


def report_calm(name: str, clips: Sequence[Sequence[Picture]]) -> None:
    """A line for clips that have no cuts."""
    alarms = sum(len(cuts_of(pictures)) for pictures in clips)
    pairs = sum(len(pictures) - 1 for pictures in clips)
    write_line({"case": name, "clips": len(clips), "pairs": pairs, "false alarms": alarms})


def report(name: str, pictures: Sequence[Picture], wanted: set[int]) -> None:
    """A line for pictures whose cuts are known."""
    found = set(cuts_of(pictures))
    numbers = {"cuts": len(wanted), "missed": len(wanted - found), "false alarms": len(found - wanted)}
    write_line({"case": name, "frames": len(pictures), **numbers})


def generated(pack: Path) -> list[list[Picture]]:
    """Clips of moving cut-outs under a moving camera, one shot each."""
    cast = CastConfig(cut_share=0.0)
    composer = ClipComposer(
        load_material(pack, device="cpu"), device="cpu", seed=SEED, config=ComposerConfig(cast=cast)
    )
    clips = []
    for _ in range(GENERATED_CLIPS):
        images = composer.compose(1, GENERATED_FRAMES, GENERATED_PX, 2).images[0]  # (T, 3, S, S), 0 to 1
        pictures = np.rint(images.permute(0, 2, 3, 1).numpy() * 255).astype(np.uint8)
        clips.append([_small(picture) for picture in pictures])
    return clips


def read(path: Path) -> list[Picture]:
    """A clip at the size of the test."""
    with open_clip(path) as clip:
        frames = range(clip.info.first_frame, clip.info.last_frame + 1)
        return [_small(clip.read(frame)) for frame in frames]


def cuts_of(pictures: Sequence[Picture]) -> tuple[int, ...]:
    """Cuts in the order of a forward track."""
    watch = ShotWatch(Pictures(pictures))
    for frame in range(1, len(pictures)):
        watch.is_cut(frame - 1, frame)
    return watch.cuts


def joined(
    clips: Sequence[list[Picture]], random: np.random.Generator, *, dissolve: int = 0
) -> tuple[list[Picture], set[int]]:
    """Pieces of 5 to 30 frames of different clips, and the first frames of the later ones."""
    made: list[Picture] = []
    truth: set[int] = set()
    last = -1
    for _ in range(PIECES):
        choice = int(random.integers(len(clips) - 1))
        last = choice + (choice >= last >= 0)
        length = int(random.integers(5 + 2 * dissolve, 31 + 2 * dissolve))
        start = int(random.integers(max(1, len(clips[last]) - length)))
        piece = clips[last][start : start + length]
        if made:
            truth.add(len(made))
        if made and dissolve:
            before = made[-dissolve:]
            for index, (old, new) in enumerate(zip(before, piece, strict=False)):
                share = (index + 1) / (dissolve + 1)
                made[len(made) - dissolve + index] = cv2.addWeighted(new, share, old, 1 - share, 0)
            piece = piece[dissolve:]
        made += piece
    return made, truth


def with_flashes(pictures: list[Picture], random: np.random.Generator) -> list[Picture]:
    """A flash every fifteen frames or so."""
    made = list(pictures)
    for start in range(8, len(made) - 4, 15):
        for frame in range(start, start + int(random.integers(1, 3))):
            made[frame] = cv2.convertScaleAbs(made[frame], alpha=1.5, beta=120)
    return made


def with_changing_light(pictures: list[Picture]) -> list[Picture]:
    """Exposure that swings between full and half and back, within twenty frames."""
    swing = [0.75 + 0.25 * np.cos(2 * np.pi * index / 20) for index in range(len(pictures))]
    return [cv2.convertScaleAbs(one, alpha=float(gain)) for one, gain in zip(pictures, swing, strict=True)]


def with_grain(pictures: Sequence[Picture], random: np.random.Generator) -> list[Picture]:
    """Noise of ten codes, new on every frame."""
    return [
        np.clip(one + random.normal(0.0, 10.0, one.shape), 0.0, 255.0).astype(np.uint8) for one in pictures
    ]


def _small(picture: NDArray[np.uint8] | NDArray[np.float32]) -> Picture:
    small = cv2.resize(picture, SIZE_PX, interpolation=cv2.INTER_AREA)
    if small.dtype != np.uint8:
        small = np.clip(small * 255.0 + 0.5, 0.0, 255.0)
    return small.astype(np.uint8)


if __name__ == "__main__":
    main()
