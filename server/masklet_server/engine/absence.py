"""When an object counts as gone, and which frames are memories of it.

The official rule calls an object gone at a presence logit of 0 or less. A small network is half sure of
something else while its object is gone, so here it takes more; and only frames that show the object clearly
are read as memories of it, so that what is wrong does not make itself at home there. Similar in spirit:
memories chosen by their scores in C.-Y. Yang et al., "SAMURAI", 2024 (arXiv 2411.11922).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from types import MappingProxyType

import torch
from torch import Tensor

from masklet_server.model.network import ABSENT_LOGIT, Decoded


@dataclass(frozen=True)
class AbsenceRule:
    """When an object that is tracked counts as gone, and what is a memory of it.

    Attributes:
        seen_above: The presence logit above which it is there; 0 or more.
        clear_share: Share of its level above which a frame is read as a memory of it. The level is how high
            its presence logit lately was where it was seen.
        newest_share: What the newest logit counts in the level, a running mean.
        first_level: The level on frames with prompts, where the network is told that it is there.
        lookback_frames: How far behind its place a memory of another frame gives way to one that is clear.
    """

    seen_above: float = 1.25
    clear_share: float = 0.4
    newest_share: float = 0.3
    first_level: float = 7.0
    lookback_frames: int = 8

    def clear_from(self, before: Iterable[float | None]) -> float:
        """The presence logit above which earlier frames are read.

        Args:
            before: Presence logits of the frames just before, the oldest first: 0 or less where the object
                counted as gone, None for frames with prompts.
        """
        level = self.first_level
        for logit in before:
            if logit is None:
                level = self.first_level
            elif logit > 0:
                level += self.newest_share * (logit - level)
        return self.clear_share * level


ABSENCE_RULES = MappingProxyType({"masklet_embedded": AbsenceRule()})
"""By the name of the network's configuration. SAM 2's own weights keep the official rule, a logit of 0."""


def emptied(decoded: Decoded, seen_above: float, no_pointer: Tensor) -> Decoded:
    """What was decoded, with objects that are not seen as the network leaves absent ones.

    Their presence logit is how far they are below ``seen_above``.

    Args:
        decoded: Batch B.
        seen_above: The presence logit above which an object is there.
        no_pointer: ``(1, C)``, the pointer of an absent object.
    """
    below = decoded.presence_logit - seen_above  # (B, 1)
    gone = below <= 0
    masks = gone[:, :, None, None]
    return replace(
        decoded,
        logits=torch.where(masks, ABSENT_LOGIT, decoded.logits),
        best_logits=torch.where(masks, ABSENT_LOGIT, decoded.best_logits),
        pointer=torch.where(gone, no_pointer.to(decoded.pointer.dtype), decoded.pointer),
        presence_logit=torch.where(gone, below, decoded.presence_logit),
    )
