"""What an object reads on a frame: by the ways of the profile, by its policy, by the rule of absence."""

from __future__ import annotations

from collections.abc import Collection, Container
from functools import partial

from masklet_server.engine.absence import AbsenceRule
from masklet_server.engine.memory_bank import MemoryBank
from masklet_server.engine.object_memory import ObjectMemory
from masklet_server.engine.policies.legs import LegMemory, Note
from masklet_server.engine.profile import Profile
from masklet_server.engine.recall import Leg, Reach, Recall, neighbours, recall
from masklet_server.tracking import ResultReader


class Recollection:
    """Says which memories are read; keeps what policies have made of the way there with the object.

    Args:
        bank: Knows how sure the network was.
        results: Where results that were handed out can be found again.
        profile: Whose ways hold where no policy does.
        reach: How far the network looks.
        absence: When a frame is no memory of the object; None where the official rule holds.
    """

    def __init__(
        self,
        bank: MemoryBank,
        results: ResultReader,
        profile: Profile,
        reach: Reach,
        absence: AbsenceRule | None,
    ) -> None:
        self._bank = bank
        self._results = results
        self._profile = profile
        self._reach = reach
        self._absence = absence

    def of(self, frame: int, memory: ObjectMemory, *, backward: bool, since: int | None) -> Recall:
        """What an object reads on ``frame``.

        Args:
            frame: To segment.
            memory: The object's.
            backward: The direction of travel.
            since: Frames before it on the way are no memories; None for no such limit.
        """
        prompted: Collection[int] = memory.prompted
        tracked: Container[int] = memory.tracked
        if self._profile.attended == "neighbours":
            prompted = neighbours(frame, prompted)
        if memory.policy.selective:
            leg = self.leg(frame, memory, backward=backward, since=since)
            if leg is not None:
                return leg.recall(frame, tuple(sorted(prompted)), backward=backward)
        if self._profile.trail == "leg":
            tracked = self.way(frame, memory, backward=backward, since=since)
        found = recall(frame, prompted, tracked, self._reach, backward=backward)
        if self._absence is None:
            return found
        clear_from = self._absence.clear_from(self._bank.presence_before(memory, found))

        def shows(other: int) -> bool:
            return self._bank.presence(memory, other) > clear_from

        return recall(frame, prompted, tracked, self._reach, backward=backward, shows=shows)

    def way(self, frame: int, memory: ObjectMemory, *, backward: bool, since: int | None) -> Leg:
        """The frames with a result between ``frame`` and the prompted one that it is tracked from."""
        behind = [prompt for prompt in memory.prompted if (prompt > frame) == backward and prompt != frame]
        source = min(behind, key=lambda prompt: abs(prompt - frame), default=None)
        is_known = memory.own.__contains__ if memory.unseen else partial(self._results.has, memory.object_id)
        return Leg(frame, source, backward, since, is_known)

    def leg(self, frame: int, memory: ObjectMemory, *, backward: bool, since: int | None) -> LegMemory | None:
        """What the policy has made of the way to ``frame``; None where it starts behind no prompt."""
        way = self.way(frame, memory, backward=backward, since=since)
        if way.source is None:
            memory.legs.pop(backward, None)
            return None
        step = -1 if backward else 1
        leg = memory.legs.get(backward)
        if leg is None or not leg.leads(way.source, since) or (frame - leg.last) * step <= 0:
            start = Note.of(memory.prompted[way.source].result)
            leg = memory.legs[backward] = LegMemory(memory.policy, self._reach, way.source, start, since)
        for other in range(leg.last + step, frame, step):
            result = self._bank.result(memory, other) if other in way else None
            if result is not None:
                leg.add(Note.of(result))
        return leg
