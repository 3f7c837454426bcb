"""Which of the network's masks is taken, where a policy has a say in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from masklet_server.engine.policies.boxes import MaskBox, box_of
from masklet_server.engine.policies.legs import LegMemory
from masklet_server.model.network import Decoded, Network

_OUTSIDE_LOGIT = -4.0


def kept_to_path(decoded: Decoded, legs: Sequence[LegMemory | None]) -> Decoded:
    """What was decoded, with masks that end where their object cannot be."""
    paths = [None if leg is None else leg.path for leg in legs]
    if not any(path is not None for path in paths):
        return decoded
    best = decoded.best_logits.clone()
    rows, columns = best.shape[-2:]
    for index, path in enumerate(paths):
        if path is None:
            continue
        free = torch.full_like(best[index], _OUTSIDE_LOGIT)
        top, bottom = (int(min(max(edge * rows, 0), rows)) for edge in (path.top, path.bottom + 1 / rows))
        left, right = (
            int(min(max(edge * columns, 0), columns)) for edge in (path.left, path.right + 1 / columns)
        )
        free[..., top:bottom, left:right] = float("inf")
        best[index] = torch.minimum(best[index], free)
    return replace(decoded, best_logits=best)


def choose(network: Network, decoded: Decoded, legs: Sequence[LegMemory | None]) -> Decoded:
    """What was decoded, with other masks taken for objects whose policy foresees where they are.

    Args:
        network: Makes the pointer of a mask that it had not taken.
        decoded: Batch B or more; what follows B is padding.
        legs: B of them; None for objects whose policy has no say.
    """
    foreseen = [None if leg is None or not leg.policy.motion_weight else leg.foreseen for leg in legs]
    if not any(box is not None for box in foreseen):
        return decoded
    count = decoded.ious.shape[1]
    inside = (decoded.logits > 0).cpu().numpy()
    ious = decoded.ious.cpu()
    picked = ious.argmax(-1)
    for index, (leg, box) in enumerate(zip(legs, foreseen, strict=True)):
        if leg is None or box is None:
            continue
        weight = leg.policy.motion_weight
        scores = [
            weight * _iou(box_of(inside[index, each]), box) + (1.0 - weight) * float(ious[index, each])
            for each in range(count)
        ]
        picked[index] = max(range(count), key=lambda each: scores[each])
    return taken(network, decoded, picked.to(decoded.ious.device))


def forked(network: Network, decoded: Decoded, picks: Sequence[tuple[int, int | None]]) -> Decoded:
    """A row for each pick, of what was decoded for an object and which of its masks is taken.

    Args:
        network: Makes the pointer of a mask that it had not taken.
        decoded: Batch B.
        picks: Rows of it, in any number and order, and a mask; None for the one that was taken.
    """
    rows = torch.tensor([row for row, _ in picks], device=decoded.ious.device)
    gathered = Decoded(**{name: values[rows] for name, values in vars(decoded).items()})
    chosen = [0 if mask is None else mask for _, mask in picks]
    other = taken(network, gathered, torch.tensor(chosen, device=decoded.ious.device))
    stays = torch.tensor([mask is None for _, mask in picks], device=decoded.ious.device)
    return replace(
        other,
        best_logits=torch.where(stays[:, None, None, None], gathered.best_logits, other.best_logits),
        best_iou=torch.where(stays, gathered.best_iou, other.best_iou),
        pointer=torch.where(stays[:, None], gathered.pointer, other.pointer),
    )


def taken(network: Network, decoded: Decoded, picked: Tensor) -> Decoded:
    """What was decoded with the masks at ``picked`` ``(B,)`` taken instead of the best ones."""
    rows = torch.arange(len(picked), device=picked.device)
    pointer = network.pointers(decoded.tokens[rows, picked], decoded.presence_logit)
    return replace(
        decoded,
        best_logits=decoded.logits[rows, picked][:, None],
        best_iou=decoded.ious[rows, picked],
        pointer=torch.where((picked == decoded.ious.argmax(-1))[:, None], decoded.pointer, pointer),
    )


def _iou(box: MaskBox | None, foreseen: MaskBox) -> float:
    return 0.0 if box is None else box.iou(foreseen)
