"""Several accounts of one object on one leg, each with a memory of its own; the likeliest is handed out.

What was handed out of earlier frames is handed out again where the account that is the likeliest now has
other masks there. So at the end of a leg all of it is what the best account says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from masklet_server.engine.object_memory import FrameMemory, ObjectMemory
from masklet_server.engine.policies.legs import LegMemory, Note
from masklet_server.engine.policies.paths import Branch, alike
from masklet_server.tracking import ObjectFrame

HINDSIGHT_FRAMES = 100
"""So far back a frame may still change; what is older is what the best account had when it got so old."""

_SAME_FOR_FRAMES = 8


@dataclass(eq=False)
class Hypothesis:
    """One account.

    Attributes:
        memory: Its own. ``own`` holds what it says of the frames on which accounts differ.
        score: Sum of logarithms of expected IoUs.
        same_frames: For how many frames up to now a likelier account had the same masks.
    """

    memory: ObjectMemory
    score: float = 0.0
    same_frames: int = 0


@dataclass(frozen=True, eq=False)
class NextFrame:
    """What a branch makes of the next frame.

    Attributes:
        branch: Which mask of which account.
        result: The frame.
        memory: What is remembered of it; None for nothing.
    """

    branch: Branch
    result: ObjectFrame
    memory: FrameMemory | None


@dataclass(eq=False)
class Hypotheses:
    """All accounts of one object on one leg, the likeliest first; one at its start.

    Attributes:
        backward: The direction of travel.
        last: The frame that they have come to.
        accounts: At least one.
    """

    backward: bool
    last: int
    accounts: list[Hypothesis]
    _handed: dict[int, ObjectFrame] = field(default_factory=dict)

    @staticmethod
    def begun(memory: ObjectMemory, leg: LegMemory, *, backward: bool) -> Hypotheses:
        """One account, of what is stored of a leg."""
        return Hypotheses(backward, leg.last, [Hypothesis(_alone(memory, leg.copy(), backward, {}, {}))])

    @property
    def memories(self) -> list[ObjectMemory]:
        """Of each account."""
        return [account.memory for account in self.accounts]

    def leads(self, frame: int, source: int | None, since: int | None) -> bool:
        """Whether ``frame`` lies before them, on the leg that they are on."""
        ahead = frame < self.last if self.backward else frame > self.last
        return ahead and source is not None and self._leg(0).leads(source, since)

    def advance(self, frame: int, found: Sequence[NextFrame]) -> list[ObjectFrame]:
        """Go on to the next frame; what is to be handed out: earlier frames that change, then this one.

        Args:
            frame: The next one.
            found: What is followed from here on, the likeliest first.
        """
        accounts: list[Hypothesis] = []
        for each in found:
            account = self._gone_on(frame, each)
            mask = each.result.logits > 0
            if any(alike(mask, other.memory.own[frame].logits > 0) for other in accounts):
                account.same_frames = self.accounts[each.branch.parent].same_frames + 1
            # By now they remember the same, too: of one present the likelier past stays.
            if account.same_frames < _SAME_FOR_FRAMES:
                accounts.append(account)
        best = accounts[0].memory.own
        oldest = min(best, key=lambda other: -abs(other - frame))
        if abs(oldest - frame) >= HINDSIGHT_FRAMES:
            accounts = [each for each in accounts if each.memory.own.get(oldest) is best[oldest]]
        self.accounts, self.last = accounts, frame
        changed = [result for result in best.values() if self._handed.get(result.frame) is not result]
        for result in changed:
            self._handed[result.frame] = result
        self._settle()
        return sorted(changed, key=lambda result: -abs(result.frame - frame))

    def park(self) -> None:
        """Give back all tensors; what remains is what they can be rebuilt from."""
        for account in self.accounts:
            account.memory.held.clear()
            account.memory.heads.clear()

    def _gone_on(self, frame: int, following: NextFrame) -> Hypothesis:
        parent = self.accounts[following.branch.parent]
        memory = _alone(
            parent.memory,
            self._leg(following.branch.parent).copy(),
            self.backward,
            dict(parent.memory.held),
            dict(parent.memory.own),
        )
        if following.memory is not None:
            memory.held[frame] = following.memory
        memory.own[frame] = following.result
        memory.legs[self.backward].add(Note.of(following.result))
        return Hypothesis(memory, following.branch.score)

    def _settle(self) -> None:
        """Forget own results of frames on which all say the same: these have been handed out."""
        first, *others = self.accounts
        for frame, result in list(first.memory.own.items()):
            if all(other.memory.own.get(frame) is result for other in others):
                for account in self.accounts:
                    del account.memory.own[frame]
                self._handed.pop(frame, None)

    def _leg(self, account: int) -> LegMemory:
        return self.accounts[account].memory.legs[self.backward]


def _alone(
    memory: ObjectMemory,
    leg: LegMemory,
    backward: bool,
    held: dict[int, FrameMemory],
    own: dict[int, ObjectFrame],
) -> ObjectMemory:
    """A memory of the same object, of its prompts and of one leg."""
    return ObjectMemory(
        memory.object_id,
        prompted=memory.prompted,
        held=held,
        heads=dict(memory.heads),
        policy=memory.policy,
        legs={backward: leg},
        own=own,
    )
