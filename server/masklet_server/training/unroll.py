"""One batch of clips through the network, as it is used: prompts, then tracking from memory.

Frame 0 is prompted by a mask, a click or a box, with correction clicks after the latter two;
every other frame is tracked from the memory of those before it, and one of them may be corrected
by clicks, after which it counts as prompted. Objects of a clip are entries of one batch and
share the image features of their clip.

Shape letters: B clips, T frames, O objects, N = B*O entries, S side, C width, h = S/16, K masks.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from masklet_server.training.losses import FrameLoss, frame_loss, target_of
from masklet_server.training.prompting import Points, box_around, correction_click, first_click

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from masklet_server.model.network import Decoded, ImageFeatures, Network
    from masklet_server.training.clips import ClipBatch
    from masklet_server.training.config import TrainingConfig
    from masklet_server.training.curriculum import StepPlan
    from masklet_server.training.losses import Target

POINTER_SPAN_FRAMES = 15.0
"""Pointers code their distance over this many frames: what SAM 2 uses on any clip of 16 or more."""

_LOGIT_LIMIT = 32.0
"""Earlier logits are clamped to this before they prompt again, as the official code does."""

_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)

_PROMPTED_WEIGHT = 0.5
"""Click and box groups hold a quarter of the entries each, so each weighs half a frame."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """Losses of a batch and what it shows of the network's skill, scalars on the device.

    Attributes:
        loss: To be minimised.
        focal: Mean over all predictions.
        dice: Likewise.
        iou: Likewise.
        presence: Likewise.
        j_prompted: Mean IoU of the chosen mask on prompted frames, before corrections.
        j_tracked: On tracked frames; 0 for still pictures.
        presence_right: Share of predictions whose presence is right.
    """

    loss: Tensor
    focal: Tensor
    dice: Tensor
    iou: Tensor
    presence: Tensor
    j_prompted: Tensor
    j_tracked: Tensor
    presence_right: Tensor

    def figures(self) -> Tensor:
        """All of them, detached, in the order of :data:`FIGURES`."""
        return torch.stack([getattr(self, name).detach().float() for name in FIGURES])


FIGURES = ("loss", "focal", "dice", "iou", "presence", "j_prompted", "j_tracked", "presence_right")


@dataclass(frozen=True, eq=False)
class _Result:
    """State of all entries after a frame, whatever prompted it."""

    logits: Tensor  # (N, 1, S/4, S/4)
    presence_logit: Tensor  # (N, 1)
    pointer: Tensor  # (N, C)


@dataclass(frozen=True, eq=False)
class _Remembered:
    """What later frames see of an earlier one."""

    frame: int
    map: Tensor  # (N, M, h, h)
    pointer: Tensor  # (N, C)
    prompted: bool


class ClipUnroll:
    """Runs one batch; made anew for each.

    Args:
        network: In training mode.
        batch: The clips.
        plan: How the batch is used; its shape is that of ``batch``.
        config: Losses and prompts.
        generator: For prompts, on the device of the batch.
    """

    def __init__(
        self,
        network: Network,
        batch: ClipBatch,
        plan: StepPlan,
        *,
        config: TrainingConfig,
        generator: torch.Generator,
    ) -> None:
        self._network = network
        self._plan = plan
        self._config = config
        self._generator = generator
        self._masks = batch.masks.transpose(1, 2).flatten(0, 1)  # (N, T, S, S)
        self._alphas = batch.alphas.transpose(1, 2).flatten(0, 1)  # (N, T, S, S)
        self._counts = (batch.valid & batch.masks[:, 0].flatten(2).any(dim=2)).flatten()  # (N,)
        self._features = _per_frame(
            network.encode_image(normalised(batch.images.flatten(0, 1))), clips=plan.clips
        )
        self._memory: list[_Remembered] = []
        self._terms: list[tuple[float, FrameLoss]] = []
        self._first_tries: list[FrameLoss] = []
        self._tracked: list[FrameLoss] = []

    def run(self) -> Outcome:
        """Unroll the clip and add up what it cost."""
        plan = self._plan
        result = self._start()
        for frame in range(1, plan.frames):
            prompted = frame - 1 == 0 or frame - 1 == plan.corrected_frame
            self._remember(frame - 1, result, prompted=prompted)
            result = self._track(frame)
        return self._outcome()

    def _start(self) -> _Result:
        """Frame 0: entries in three groups by kind of prompt, put together again in order."""
        plan = self._plan
        features = self._features_at(0)
        bounds = (0, plan.mask_entries, plan.mask_entries + plan.click_entries, plan.entries)
        given, clicked, boxed = (slice(*pair) for pair in itertools.pairwise(bounds))
        parts = []
        if plan.mask_entries:
            mask = self._masks[given, 0][:, None].float()  # (n, 1, S, S)
            parts.append(_result_of(self._network.decode_mask(_part(features, given), mask)))
        if plan.click_entries:
            parts.append(self._start_from_points(features, clicked, first_click))
        if plan.box_entries:
            parts.append(self._start_from_points(features, boxed, box_around))
        return _Result(
            torch.cat([part.logits.float() for part in parts]),
            torch.cat([part.presence_logit.float() for part in parts]),
            torch.cat([part.pointer for part in parts]),
        )

    def _start_from_points(
        self, features: ImageFeatures, part: slice, prompt: Callable[..., Points]
    ) -> _Result:
        """Frame 0 of the entries in ``part``, from points and corrections to them."""
        features = _part(features, part)
        points = prompt(self._masks[part, 0], self._generator, self._config.prompts)
        embedding = self._network.without_memory(features.embedding)
        decoded = self._decode(features, embedding, points, None)
        target = self._target(0, part)
        first = self._loss(decoded, target)
        self._first_tries.append(first)
        decoded, later = self._correct(
            features, embedding, decoded, points, target, part, frame=0, count=self._plan.corrections
        )
        weight = _PROMPTED_WEIGHT / (1 + len(later))
        self._terms += [(weight, loss) for loss in (first, *later)]
        return _result_of(decoded)

    def _track(self, frame: int) -> _Result:
        """One frame from memory, corrected by clicks if the plan says so."""
        features = self._features_at(frame)
        embedding = self._recall(features.embedding, frame)
        decoded = self._decode(features, embedding, None, None)
        everyone = slice(None)
        target = self._target(frame, everyone)
        tracked = self._loss(decoded, target)
        self._tracked.append(tracked)
        self._terms.append((1.0, tracked))
        if frame == self._plan.corrected_frame:
            decoded, later = self._correct(
                features,
                embedding,
                decoded,
                None,
                target,
                everyone,
                frame=frame,
                count=self._plan.later_corrections,
            )
            self._terms += [(1.0 / len(later), loss) for loss in later]
        return _result_of(decoded)

    def _correct(
        self,
        features: ImageFeatures,
        embedding: Tensor,
        decoded: Decoded,
        points: Points | None,
        target: Target,
        part: slice,
        *,
        frame: int,
        count: int,
    ) -> tuple[Decoded, Sequence[FrameLoss]]:
        """``count`` clicks on errors, each with the mask before it as a further prompt."""
        losses = []
        truth = self._masks[part, frame]
        for _ in range(count):
            before = decoded.best_logits.detach().float().clamp(-_LOGIT_LIMIT, _LOGIT_LIMIT)
            shown = decoded.presence_logit.detach()[:, :, None] > 0
            predicted = (_enlarged(before, self._plan.side_px)[:, 0] > 0) & shown
            click = correction_click(truth, predicted, self._generator, self._config.prompts)
            points = click if points is None else points.then(click)
            decoded = self._decode(features, embedding, points, before)
            losses.append(self._loss(decoded, target))
        return decoded, losses

    def _decode(
        self, features: ImageFeatures, embedding: Tensor, points: Points | None, mask_logits: Tensor | None
    ) -> Decoded:
        return self._network.decode(
            features,
            embedding,
            points=None if points is None else points.at_px,
            labels=None if points is None else points.labels,
            mask_logits=mask_logits,
            multimask=points is None or points.labels.shape[1] <= 1,
            stability_fallback=False,
        )

    def _remember(self, frame: int, result: _Result, *, prompted: bool) -> None:
        """Write a frame into memory."""
        logits = _enlarged(result.logits.float(), self._plan.side_px)  # (N, 1, S, S)
        # What tracking would write: nothing of an object that the network believes absent.
        logits = torch.where(result.presence_logit[:, :, None, None] > 0, logits, -10.0)
        features = self._features_at(frame)
        written = self._network.encode_memory(
            features.embedding, logits, result.presence_logit, binarise=prompted
        )
        self._memory.append(_Remembered(frame, written, result.pointer, prompted))

    def _recall(self, embedding: Tensor, frame: int) -> Tensor:
        """Condition ``embedding`` (N, C, h, h) on memory: all prompted frames and a few recent others."""
        slots = self._network.config.memory_frames
        prompted = [seen for seen in self._memory if seen.prompted]
        ages = tuple(range(1, slots)) if self._plan.recent_ages is None else self._plan.recent_ages
        recent = [seen for seen in self._memory if not seen.prompted and frame - seen.frame in ages]
        seen = [*prompted, *recent]
        # Slots of tracked frames count from the newest, the last slot is for prompted frames.
        slot = [slots - 1] * len(prompted) + [ages.index(frame - one.frame) for one in recent]
        by_age = [*prompted, *reversed([one for one in self._memory if not one.prompted])]
        by_age = by_age[: self._network.config.pointers]
        device, entries = embedding.device, len(embedding)
        distance = [float(frame - one.frame) for one in by_age]
        return self._network.attend_memory(
            embedding,
            maps=torch.stack([one.map for one in seen], dim=1),
            slots=_on_device(tuple(slot), device, torch.int64).expand(entries, -1),
            pointers=torch.stack([one.pointer for one in by_age], dim=1),
            pointer_distance=_on_device(tuple(distance), device, torch.float32).expand(entries, -1),
            max_distance=POINTER_SPAN_FRAMES,
            map_valid=None,
            pointer_valid=None,
        )

    def _features_at(self, frame: int) -> ImageFeatures:
        """The features of ``frame`` for every entry."""
        seen = self._features[frame]
        times = self._plan.objects
        return type(seen)(*(_repeated(level, times) for level in (seen.embedding, seen.skip8, seen.skip4)))

    def _target(self, frame: int, part: slice) -> Target:
        return target_of(self._alphas[part, frame], self._counts[part], self._config.losses)

    def _loss(self, decoded: Decoded, target: Target) -> FrameLoss:
        return frame_loss(decoded.logits, decoded.ious, decoded.presence_logit, target, self._config.losses)

    def _outcome(self) -> Outcome:
        whole = sum(weight for weight, _ in self._terms)

        def mean(name: str) -> Tensor:
            return torch.stack([weight * getattr(loss, name) for weight, loss in self._terms]).sum() / whole

        return Outcome(
            loss=mean("total"),
            focal=mean("focal"),
            dice=mean("dice"),
            iou=mean("iou"),
            presence=mean("presence"),
            j_prompted=_mean_j(self._first_tries, self._counts),
            j_tracked=_mean_j(self._tracked, self._counts),
            presence_right=mean("presence_right"),
        )


def normalised(images: Tensor) -> Tensor:
    """Pictures as the network expects them, from sRGB 0 to 1; any shape ``(…, 3, S, S)``."""
    # Python numbers, not tensors: the device need not wait for a copy.
    channels = (
        (images[..., index, :, :] - mean) / deviation
        for index, (mean, deviation) in enumerate(zip(_MEAN, _DEVIATION, strict=True))
    )
    return torch.stack(tuple(channels), dim=-3)


def _per_frame(features: ImageFeatures, *, clips: int) -> list[ImageFeatures]:
    """Features of all clips for each frame, from those of B*T pictures."""
    # Unbound once, not sliced per frame: the gradient of a slice is as large as the whole.
    levels = (features.embedding, features.skip8, features.skip4)
    frames = zip(*(level.view(clips, -1, *level.shape[1:]).unbind(1) for level in levels), strict=True)
    return [type(features)(*one) for one in frames]


def _repeated(level: Tensor, times: int) -> Tensor:
    """Each picture's map ``times`` times in a row."""
    if times == 1:
        return level
    return level[:, None].expand(-1, times, -1, -1, -1).flatten(0, 1)


def _mean_j(losses: Sequence[FrameLoss], like: Tensor) -> Tensor:
    if not losses:
        return torch.zeros((), device=like.device)
    return torch.stack([loss.j for loss in losses]).mean()


def _result_of(decoded: Decoded) -> _Result:
    return _Result(decoded.best_logits, decoded.presence_logit, decoded.pointer)


def _part(features: ImageFeatures, part: slice) -> ImageFeatures:
    return type(features)(features.embedding[part], features.skip8[part], features.skip4[part])


def _enlarged(logits: Tensor, side_px: int) -> Tensor:
    return F.interpolate(logits, size=(side_px, side_px), mode="bilinear", align_corners=False)


@functools.lru_cache(maxsize=4096)
def _on_device(values: tuple[float, ...], device: torch.device, dtype: torch.dtype) -> Tensor:
    """A ``(1, n)`` tensor, copied once, without waiting for the device.

    Kept, because a captured step reads it again and again.
    """
    host = torch.tensor([values], dtype=dtype)
    if device.type == "cuda":
        host = host.pin_memory()
    return host.to(device, non_blocking=True)
