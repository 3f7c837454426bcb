"""Clicks that are worked off one by one before the call that needs them all."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor

from masklet_server.engine.object_memory import PromptedFrame

_MOST = 4


class Drafts:
    """What came of the first clicks of prompts that are still to be given, the newest few of them."""

    def __init__(self) -> None:
        self._drafts: OrderedDict[tuple[int, int], PromptedFrame] = OrderedDict()

    def find(self, object_id: int, frame: int) -> PromptedFrame | None:
        """What there is of an object on a frame."""
        return self._drafts.get((object_id, frame))

    def take(self, object_id: int, frame: int) -> PromptedFrame | None:
        """The same; it is not kept any longer."""
        return self._drafts.pop((object_id, frame), None)

    def put(self, object_id: int, frame: int, draft: PromptedFrame) -> None:
        """Keep a draft in place of an earlier one."""
        self._drafts[object_id, frame] = draft
        self._drafts.move_to_end((object_id, frame))
        while len(self._drafts) > _MOST:
            self._drafts.popitem(last=False)

    def remove(self, object_id: int) -> None:
        """Drop those of one object."""
        for key in [key for key in self._drafts if key[0] == object_id]:
            del self._drafts[key]

    def clear(self) -> None:
        """Drop all."""
        self._drafts.clear()

    @property
    def held_bytes(self) -> int:
        """Bytes of all tensors together."""
        tensors: list[Tensor | None] = []
        for draft in self._drafts.values():
            tensors += (draft.logits, draft.conditioned)
        return sum(tensor.nbytes for tensor in tensors if tensor is not None)
