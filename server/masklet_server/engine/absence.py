"""When an object counts as gone: judged by how sure the network was of it until then.

The presence logit of a small network sinks slowly on an object that gets hard to see, and falls at once
where the object is gone. On what looks like it, the network is half sure, and once that stands in its
memory it grows surer with every frame. So the logit at which an object stays, and the higher one at
which it comes back, are shares of its recent level (two thresholds: O. H. Schmitt, "A thermionic trigger",
Journal of Scientific Instruments 15, 1938), and frames without it are not read as memories of it: what
counts there is where it was seen last. Similar in spirit: memories chosen by their scores in C.-Y. Yang et
al., "SAMURAI", 2024 (arXiv 2411.11922).
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

    Attributes:
        stays_from: Share of its level of presence logits above which an object that was seen still is.
        returns_from: The same for one that was not seen on the frame before.
        newest_share: What the newest logit counts in the level, a running mean over frames that show it.
        first_level: The level on frames with prompts, where the network is told that it is there.
        clear_share: Share of the level above which a frame shows the object clearly enough to be read as a
            memory of it.
        lookback_frames: How far behind its place a memory of another frame gives way to one that does.
    """

    stays_from: float = 0.3
    returns_from: float = 0.45
    newest_share: float = 0.3
    first_level: float = 7.0
    clear_share: float = 0.5
    lookback_frames: int = 8

    def threshold(self, before: Iterable[float | None]) -> float:
        """The presence logit that the object must exceed on the next frame; 0 or more.

        Args:
            before: Presence logits of the frames before it, the oldest first: 0 or less where the
                object counted as gone, None for frames with prompts.
        """
        level, gone = self._level(before)
        return (self.returns_from if gone else self.stays_from) * level

    def clear_from(self, before: Iterable[float | None]) -> float:
        """The presence logit above which earlier frames are read; ``before`` as for :meth:`threshold`."""
        level, _ = self._level(before)
        return self.clear_share * level

    def _level(self, before: Iterable[float | None]) -> tuple[float, bool]:
        """How sure the network lately was, and whether the object counts as gone."""
        level, gone = self.first_level, False
        for logit in before:
            if logit is None:
                level, gone = self.first_level, False
                continue
            gone = logit <= 0
            if not gone:
                level += self.newest_share * (logit - level)
        return level, gone


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
