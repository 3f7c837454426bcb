"""Proof that network and engine compute what the official code computes.

A golden file ``NAME.seedS.sizeN.npz`` holds outputs of the official implementation for stand-in
weights and frames that follow from the seed alone; ``NAME.keys.json`` names the weights. Both
are drawn here again from generators seeded by name, given to our network and engine, and every
array of the file is compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from masklet.errors import BadInputError
from masklet.types import Box, Click, FramePrompts, Mask
from masklet_server.engine.object_memory import FrameMemory
from masklet_server.engine.profile import REFERENCE
from masklet_server.engine.tracker import NetworkTracker
from masklet_server.evaluation.parity_stand_ins import (
    CLIP_FRAMES,
    StandInClip,
    stand_in_frames,
    stand_in_weights,
)
from masklet_server.model.config import PRESETS
from masklet_server.model.network import Network, build_network
from masklet_server.tracking import ObjectFrame

TOLERANCE = 1e-3

# The goldens keep memory in float32 and fill no holes. Everything is held, as officially: a
# memory rebuilt from a rounded result would differ by more than the tolerance.
PARITY_PROFILE = replace(
    REFERENCE,
    name="parity",
    hole_area_px=0,
    memory_type="float32",
    keep_logits=True,
    slack_frames=CLIP_FRAMES,
    feature_frames=CLIP_FRAMES,
)

_Arrays = NDArray[np.float32]
_FILE_NAME = re.compile(r"(?P<name>.+)\.seed(?P<seed>\d+)\.size(?P<size>\d+)\.npz")


@dataclass(frozen=True)
class Golden:
    """One golden file and what its name says."""

    path: Path
    name: str
    seed: int
    side_px: int

    @property
    def keys_path(self) -> Path:
        """Beside it: the state-dict keys and shapes of these weights."""
        return self.path.with_name(f"{self.name}.keys.json")


@dataclass(frozen=True)
class Deviation:
    """The worst absolute difference of one quantity in one case."""

    case: str
    quantity: str
    worst: float
    arrays: int

    @property
    def is_within(self) -> bool:
        """True when it counts as the same; a difference that is no number does not."""
        return self.worst <= TOLERANCE


def find_goldens(folder: Path) -> tuple[Golden, ...]:
    """All golden files of a folder, by name.

    Raises:
        BadInputError: The folder has none, or one of them lacks its list of keys.
    """
    goldens = []
    for path in sorted(folder.glob("*.npz")):
        match = _FILE_NAME.fullmatch(path.name)
        if match is None:
            raise BadInputError(f"{path.name} is not named NAME.seedS.sizeN.npz: rename it or move it away")
        golden = Golden(path, match["name"], int(match["seed"]), int(match["size"]))
        if golden.name not in PRESETS:
            raise BadInputError(f"{path.name} is of no network known here: use one of {', '.join(PRESETS)}")
        if not golden.keys_path.is_file():
            raise BadInputError(f"{path.name} needs {golden.keys_path.name} beside it: put it there")
        goldens.append(golden)
    if not goldens:
        raise BadInputError("the folder holds no golden file named NAME.seedS.sizeN.npz: name another folder")
    return tuple(goldens)


def compare(golden: Golden) -> tuple[Deviation, ...]:
    """Run all cases of a golden file and compare every array in it.

    Raises:
        BadInputError: The file holds an array that no case here gives, or one of another shape.
    """
    with np.load(golden.path) as stored:
        wanted = {key: stored[key] for key in stored.files}
    given: dict[str, _Arrays] = {}
    run = _Run(stand_in_network(golden), golden)
    for case in _CASES:
        given.update(case(run))
        run.remove(0, 1)
    return deviations(wanted, given)


def deviations(wanted: Mapping[str, _Arrays], given: Mapping[str, _Arrays]) -> tuple[Deviation, ...]:
    """The worst difference of each quantity in each case, over every array that is wanted.

    Raises:
        BadInputError: One of these is not given, or in another shape, or there are none.
    """
    if not wanted:
        raise BadInputError("the golden file is empty: make it again")
    worst: dict[tuple[str, str], list[float]] = {}
    for key, value in wanted.items():
        if key not in given:
            raise BadInputError(
                f"the golden file holds {key}, which no case here gives: nothing may be left out"
            )
        if value.shape != given[key].shape:
            raise BadInputError(
                f"{key} has shape {value.shape} in the golden file and {given[key].shape} here"
            )
        case, quantity = key.split("/")[0], key.split("/")[-1]
        difference = np.abs(value.astype(np.float64) - given[key].astype(np.float64))
        worst.setdefault((case, quantity), []).append(float(difference.max()))
    return tuple(
        # NumPy's maximum keeps what is no number, Python's may lose it.
        Deviation(case, quantity, float(np.max(differences)), len(differences))
        for (case, quantity), differences in worst.items()
    )


def stand_in_network(golden: Golden) -> Network:
    """The network of a golden file, with its stand-in weights, in evaluation mode on the CPU."""
    shapes: Mapping[str, list[int]] = json.loads(golden.keys_path.read_text(encoding="utf-8"))
    with torch.device("meta"):
        # Random weights would only cost time: all of them are replaced.
        network = build_network(replace(PRESETS[golden.name], image_side_px=golden.side_px))
    network.load_state_dict(stand_in_weights(shapes, golden.seed), assign=True)
    return network.eval().requires_grad_(False)


class _NoResults:
    """Nothing is ever looked up: the parity profile holds everything."""

    def find(self, object_id: int, frame: int) -> ObjectFrame | None:
        return None

    def has(self, object_id: int, frame: int) -> bool:
        return False

    def frames_of(self, object_id: int) -> Sequence[int]:
        return ()


class _Run:
    """A tracker on the stand-in clip, prompted in the words of the reference: points lack half a pixel.

    All cases share it, each after the objects of the one before were removed: the features of a
    frame depend on nothing but the picture.
    """

    def __init__(self, network: Network, golden: Golden) -> None:
        self.side_px = golden.side_px
        with torch.inference_mode():
            self.features = network.encode_image(stand_in_frames(golden.side_px, golden.seed)[:1])
        clip = StandInClip(golden.side_px, golden.seed)
        self._tracker = NetworkTracker(network, clip, _NoResults(), profile=PARITY_PROFILE)

    def click(self, frame: int, *clicks: tuple[float, float, bool], object_id: int = 0) -> _Arrays:
        """Mask logits ``(1, 1, S, S)`` that the clicks give."""
        given = tuple(Click(x + 0.5, y + 0.5, positive) for x, y, positive in clicks)
        self._tracker.prompt(FramePrompts(object_id, frame, clicks=given))
        logits = self._memory(object_id, frame).logits
        assert logits is not None
        size = (self.side_px, self.side_px)
        return functional.interpolate(logits[None], size=size, mode="bilinear").numpy()

    def box(
        self, frame: int, left: float, top: float, right: float, bottom: float, *, object_id: int
    ) -> None:
        """Draw a box."""
        box = Box(left + 0.5, top + 0.5, right + 0.5, bottom + 0.5)
        self._tracker.prompt(FramePrompts(object_id, frame, box=box))

    def mask(self, frame: int, alpha: NDArray[np.uint8]) -> None:
        """Give a mask."""
        self._tracker.prompt(FramePrompts(0, frame, mask=Mask.from_array(alpha)))

    def track(self, frames: Sequence[int], *object_ids: int, backward: bool = False) -> None:
        """Track objects over frames in the order given."""
        for frame in frames:
            self._tracker.track(frame, object_ids, backward=backward)

    def outputs(self, case: str, *object_ids: int) -> dict[str, _Arrays]:
        """Everything that the tracker holds at the end, under the keys of the golden file."""
        arrays: dict[str, _Arrays] = {}
        for object_id in object_ids:
            for frame in range(CLIP_FRAMES):
                memory = self._memory(object_id, frame)
                assert memory.map is not None
                assert memory.logits is not None
                place = f"{case}/object{object_id}/frame{frame:02d}"
                arrays[f"{place}/logits"] = memory.logits[None].numpy()
                arrays[f"{place}/pointer"] = memory.pointer[None].numpy()
                arrays[f"{place}/score"] = memory.presence_logit[None].numpy()
                arrays[f"{place}/memory_mean_abs"] = memory.map.abs().mean().numpy()
        return arrays

    def remove(self, *object_ids: int) -> None:
        """Leave the clip as if the objects had never been."""
        for object_id in object_ids:
            self._tracker.remove(object_id)

    def _memory(self, object_id: int, frame: int) -> FrameMemory:
        memory = self._tracker.memory(object_id, frame)
        assert memory is not None
        return memory


def _image(run: _Run) -> dict[str, _Arrays]:
    """The image encoder alone."""
    features = run.features
    levels = (features.skip4, features.skip8, features.embedding)
    arrays: dict[str, _Arrays] = {
        f"image/fpn{index}_mean_abs": level.abs().mean().numpy() for index, level in enumerate(levels)
    }
    return {**arrays, "image/fpn2": features.embedding.numpy()}


def _one_click_and_correction(run: _Run) -> dict[str, _Arrays]:
    side = run.side_px
    first = run.click(0, (0.3 * side, 0.35 * side, True))
    run.track(range(CLIP_FRAMES), 0)
    arrays = {"one_click/first": first, **run.outputs("one_click", 0)}
    corrected = run.click(6, (0.2 * side, 0.7 * side, False), (0.5 * side, 0.45 * side, True))
    run.track(range(6, CLIP_FRAMES), 0)
    run.track(range(6, -1, -1), 0, backward=True)
    return {**arrays, "correction/frame06": corrected, **run.outputs("correction", 0)}


def _two_objects(run: _Run) -> dict[str, _Arrays]:
    side = run.side_px
    run.box(0, 0.1 * side, 0.15 * side, 0.5 * side, 0.55 * side, object_id=0)
    run.click(3, (0.8 * side, 0.8 * side, True), object_id=1)
    run.track(range(CLIP_FRAMES), 0, 1)
    return run.outputs("two_objects", 0, 1)


def _mask_prompt(run: _Run) -> dict[str, _Arrays]:
    side = run.side_px
    alpha = np.zeros((side, side), np.uint8)
    alpha[side // 5 : side // 2, side // 6 : side // 2] = 255
    run.mask(0, alpha)
    run.track(range(CLIP_FRAMES), 0)
    return run.outputs("mask_prompt", 0)


def _many_prompts_reverse(run: _Run) -> dict[str, _Arrays]:
    side = run.side_px
    for frame in (0, 2, 4, 6, 8):
        run.click(frame, (0.3 * side + 4 * frame, 0.35 * side + 2 * frame, True))
    run.track(range(CLIP_FRAMES - 1, -1, -1), 0, backward=True)
    return run.outputs("many_prompts_reverse", 0)


_CASES = (_image, _one_click_and_correction, _two_objects, _mask_prompt, _many_prompts_reverse)
