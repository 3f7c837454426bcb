"""Hard frames from composed clips: the engine tracks them, and what its network reads is listened to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from masklet.types import FramePrompts, Mask
from masklet_server.engine.profile import EDITOR
from masklet_server.engine.tracker import NetworkTracker
from masklet_server.evaluation.presence import GeneratedClip
from masklet_server.evaluation.runs import MemoryResults
from masklet_server.model.checkpoint import Checkpoint, filled, prepare_for_inference
from masklet_server.model.network import Decoded, ImageFeatures, Network
from masklet_server.training.clips import ClipSource
from masklet_server.training.hard_frames import GatheredClip, HardFrame, choose_frames


@dataclass(frozen=True)
class Gathering:
    """How hard frames are gathered. Those of the embedded model were at most ten of an object.

    Attributes:
        frames: Length of a clip.
        side_px: Of the clips, and of the square that the network sees.
        smallest_area: An object is prompted if it covers this share of the first frame.
        objects: Prompted objects of a clip at most.
        hard: Hard frames kept of one object at most.
        plain: Others kept besides.
    """

    frames: int = 24
    side_px: int = 384
    smallest_area: float = 0.008
    objects: int = 2
    hard: int = 12
    plain: int = 3


@dataclass(frozen=True, eq=False)
class Heard:
    """What the network was asked for one object on one frame, and what it said.

    Attributes:
        features: Of the picture, batch 1.
        read: Arguments of ``attend_memory`` but the embedding.
        presence_logit: How sure it was of the object.
    """

    features: ImageFeatures
    read: dict[str, Any]
    presence_logit: float


class ListeningNetwork(Network):
    """A network that remembers what it was last asked.

    Attributes:
        heard: Of the last tracked frame.
    """

    heard: Heard

    def attend_memory(self, embedding: Tensor, **read: Any) -> Tensor:
        """As the network does."""
        self._read = read
        return super().attend_memory(embedding, **read)

    def decode(self, features: ImageFeatures, embedding: Tensor, **prompts: Any) -> Decoded:
        """As the network does."""
        decoded = super().decode(features, embedding, **prompts)
        if prompts["points"] is None and prompts["mask_logits"] is None:
            self.heard = Heard(features, self._read, float(decoded.presence_logit[0, 0]))
        return decoded


def listening(checkpoint: Checkpoint, side_px: int) -> ListeningNetwork:
    """A network with these weights, ready for inference on the processor."""
    network = filled(ListeningNetwork(replace(checkpoint.config, image_side_px=side_px)), checkpoint)
    prepare_for_inference(network)
    return network


def gather(
    network: ListeningNetwork, source: ClipSource, gathering: Gathering, chance: Random
) -> Iterator[GatheredClip]:
    """Hard frames of one composed clip, tracked forwards and, as another clip, backwards.

    A direction in which no object can be prompted on the first frame is left out.
    """
    made = source.compose(1, gathering.frames, gathering.side_px, gathering.objects + 1)
    pictures = made.images[0].permute(0, 2, 3, 1).float().cpu().numpy()  # (T, S, S, 3)
    masks = made.masks[0, :, made.valid[0]].cpu().numpy()  # (T, O, S, S)
    for step in (1, -1):
        clip = _prompted(pictures[::step], masks[::step], gathering)
        if clip is None:
            continue
        gathered = _gather_from(network, clip, gathering, chance)
        if gathered.frames:
            yield gathered


def _prompted(
    pictures: NDArray[np.float32], masks: NDArray[np.bool_], gathering: Gathering
) -> GeneratedClip | None:
    """The clip with the objects that are large enough where it starts."""
    large = masks[0].mean(axis=(1, 2)) >= gathering.smallest_area
    kept = np.flatnonzero(large)[: gathering.objects]
    if not len(kept):
        return None
    return GeneratedClip("composed", np.ascontiguousarray(pictures), np.ascontiguousarray(masks[:, kept]))


def _gather_from(
    network: ListeningNetwork, clip: GeneratedClip, gathering: Gathering, chance: Random
) -> GatheredClip:
    results = MemoryResults()
    profile = replace(EDITOR, feature_frames=gathering.frames)
    tracker = NetworkTracker(network, clip, results, profile=profile)
    features: dict[int, ImageFeatures] = {}
    kept: list[tuple[int, HardFrame]] = []
    for object_id in range(clip.masks.shape[1]):
        truth = clip.masks[:, object_id]
        prompt = Mask.from_array(truth[0].astype(np.uint8) * 255)
        results.put(tracker.prompt(FramePrompts(object_id, 0, mask=prompt)))
        heard = {}
        for frame in range(1, len(truth)):
            results.put(tracker.track(frame, [object_id], backward=False)[0])
            heard[frame] = network.heard
        areas_px = truth.reshape(len(truth), -1).sum(axis=1)
        logits = np.array([0.0, *(one.presence_logit for one in heard.values())])
        for frame in choose_frames(areas_px, logits, chance, hard=gathering.hard, plain=gathering.plain):
            features[frame] = heard[frame].features
            kept.append((frame, _hard_frame(heard[frame].read, truth[frame], int(areas_px[0]))))
    pictures = sorted(features)
    return GatheredClip(
        _joined([features[frame] for frame in pictures]),
        [replace(hard, picture=pictures.index(frame)) for frame, hard in kept],
    )


def _hard_frame(read: dict[str, Any], truth: NDArray[np.bool_], first_area_px: int) -> HardFrame:
    return HardFrame(
        picture=0,
        maps=read["maps"][0],
        slots=read["slots"][0],
        pointers=read["pointers"][0],
        distances=read["pointer_distance"][0],
        span=read["max_distance"],
        mask=torch.from_numpy(truth.copy()),
        first_area_px=first_area_px,
    )


def _joined(features: Sequence[ImageFeatures]) -> ImageFeatures:
    if not features:
        return ImageFeatures(*(torch.zeros(0) for _ in range(3)))
    return ImageFeatures(
        *(torch.cat([getattr(one, level) for one in features]) for level in ("embedding", "skip8", "skip4"))
    )
