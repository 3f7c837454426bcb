"""When an object counts as gone: the network's own word, but for objects that vanish at once.

An object that leaves slowly takes the presence logit of a small network down with it, below 0, and brings
it back up: there the official rule, a logit above 0, is right. Where it vanishes from one frame to the
next, the network is half sure of something else at first, and once that stands in its memory it grows surer
with every frame. So a fall at once, from a plain view to a small share of the object's recent level, counts
as gone, and from there on coming back takes a larger share (two thresholds: O. H. Schmitt, "A thermionic
trigger", Journal of Scientific Instruments 15, 1938). And only frames that show the object clearly are read
as memories of it; similar in spirit: memories chosen by their scores in C.-Y. Yang et al., "SAMURAI", 2024
(arXiv 2411.11922).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import torch
from torch import Tensor

from masklet_server.model.network import ABSENT_LOGIT, Decoded


@dataclass(frozen=True)
class AbsenceRule:
    """When an object that is tracked counts as gone.

    Shares are of the object's level: how high its presence logit lately was where it was seen.

    Attributes:
        plain_from: Share from which it was in plain view on the frame before.
        falls_to: Share at or below which it is gone, if it was in plain view the frame before.
        returns_from: Share above which it is back after such a fall.
        regained_from: Share above which it is back after it was gone otherwise.
        newest_share: What the newest logit counts in the level, a running mean over frames that show it.
        first_level: The level on frames with prompts, where the network is told that it is there.
        clear_share: Share above which a frame is read as a memory of it.
        lookback_frames: How far behind its place a memory of another frame gives way to one that is clear.
    """

    plain_from: float = 0.75
    falls_to: float = 0.35
    returns_from: float = 0.45
    regained_from: float = 0.05
    newest_share: float = 0.3
    first_level: float = 7.0
    clear_share: float = 0.4
    lookback_frames: int = 8

    def threshold(self, before: Iterable[float | None]) -> float:
        """The presence logit that the object must exceed on the next frame; 0 or more.

        Args:
            before: Presence logits of the frames just before it, the oldest first: 0 or less where the
                object counted as gone, None for frames with prompts.
        """
        return self._threshold(self._seen(before))

    def clear_from(self, before: Iterable[float | None]) -> float:
        """The presence logit above which earlier frames are read; ``before`` as for :meth:`threshold`."""
        return self.clear_share * self._seen(before).level

    def _seen(self, before: Iterable[float | None]) -> _Seen:
        prompted = _Seen(self.first_level, self.first_level)
        seen = _Seen(self.first_level, 0.0)
        for logit in before:
            if logit is None:
                seen = prompted
            elif logit > 0:
                seen = _Seen(seen.level + self.newest_share * (logit - seen.level), logit)
            elif not seen.gone:
                # The network's own logit: what is reported of a frame is how far it is below.
                fell = logit + self._threshold(seen) > 0
                seen = replace(seen, gone=True, fell=fell)
        return seen

    def _threshold(self, seen: _Seen) -> float:
        if seen.gone:
            return (self.returns_from if seen.fell else self.regained_from) * seen.level
        return self.falls_to * seen.level if seen.newest >= self.plain_from * seen.level else 0.0


@dataclass(frozen=True)
class _Seen:
    """What came before: the level, the newest logit, whether the object is gone and was gone at once."""

    level: float
    newest: float
    gone: bool = False
    fell: bool = False


ABSENCE_RULES = MappingProxyType({"masklet_embedded": AbsenceRule()})
"""By the name of the network's configuration. SAM 2's own weights keep the official rule, a logit of 0."""


def emptied(decoded: Decoded, thresholds: Sequence[float], no_pointer: Tensor) -> Decoded:
    """What was decoded, with objects at or below their threshold as the network leaves absent ones.

    Their presence logit is how far they are below it.

    Args:
        decoded: Batch B.
        thresholds: Of the first objects of the batch; the others, which pad it, stay as they are.
        no_pointer: ``(1, C)``, the pointer of an absent object.
    """
    batch = len(decoded.presence_logit)
    padded = [*thresholds, *([0.0] * (batch - len(thresholds)))]
    below = decoded.presence_logit - torch.tensor(padded)[:, None].to(
        decoded.presence_logit.device, non_blocking=True
    )  # (B, 1)
    gone = below <= 0
    masks = gone[:, :, None, None]
    return replace(
        decoded,
        logits=torch.where(masks, ABSENT_LOGIT, decoded.logits),
        best_logits=torch.where(masks, ABSENT_LOGIT, decoded.best_logits),
        pointer=torch.where(gone, no_pointer.to(decoded.pointer.dtype), decoded.pointer),
        presence_logit=torch.where(
            gone, torch.minimum(below, decoded.presence_logit), decoded.presence_logit
        ),
    )
