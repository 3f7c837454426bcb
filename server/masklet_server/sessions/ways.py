"""How each tracked frame came about: what tracking may build on, and what it has to make again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from masklet.types import CutPolicy, MemoryPolicy


@dataclass(frozen=True)
class Way:
    """From where tracking came to a frame.

    Attributes:
        backward: From later frames.
        since: The cut on the way behind which nothing was remembered, None without one.
        policy: How the object's memory was used.
    """

    backward: bool
    since: int | None = None
    policy: MemoryPolicy = MemoryPolicy.EDITOR


class WayWitness(Protocol):
    """Told of every change of ways."""

    def way(self, object_id: int, frame: int, way: Way) -> None:
        """A frame was tracked."""
        ...

    def ways_forgotten(self, object_id: int) -> None:
        """How an object was tracked does not matter any more."""
        ...


class Ways:
    """The ways of all tracked frames, by object. Changed on the device's thread only.

    Args:
        witness: Told of every change.
    """

    def __init__(self, witness: WayWitness | None = None) -> None:
        self._witness = witness
        self._ways: dict[int, dict[int, Way]] = {}

    def note(self, object_id: int, frame: int, way: Way) -> None:
        """A frame was tracked."""
        self._ways.setdefault(object_id, {})[frame] = way
        if self._witness is not None:
            self._witness.way(object_id, frame, way)

    def restore(self, ways: Mapping[tuple[int, int], Way]) -> None:
        """Know again how frames were tracked, by object and frame."""
        for (object_id, frame), way in ways.items():
            self._ways.setdefault(object_id, {})[frame] = way

    def of(self, object_id: int, frame: int) -> Way | None:
        """How a frame was tracked, None where that is not known."""
        return self._ways.get(object_id, {}).get(frame)

    def matching(
        self,
        object_id: int,
        frames: Iterable[int],
        prompted: Collection[int],
        horizon: Horizon,
        *,
        backward: bool,
    ) -> frozenset[int]:
        """Those of the frames that tracking of this kind would make just as they are.

        None under a policy to which more counts than they say: it begins at the prompts.
        """
        if horizon.memory.starts_over:
            return frozenset()
        found = self._ways.get(object_id, {})
        tracked = [(frame, found[frame]) for frame in frames if frame in found]
        same_way = [
            (frame, way.since)
            for frame, way in tracked
            if way.backward == backward and way.policy is horizon.memory
        ]
        if horizon.policy is not CutPolicy.REFIND:
            return frozenset(frame for frame, since in same_way if since is None)
        return frozenset(
            frame for frame, since in same_way if since == horizon.since(frame, prompted, backward=backward)
        )

    def forget(self, object_id: int) -> None:
        """Drop all of one object."""
        if self._ways.pop(object_id, None) is not None and self._witness is not None:
            self._witness.ways_forgotten(object_id)


@dataclass(frozen=True)
class Horizon:
    """What a track remembers across cuts.

    Attributes:
        policy: What it does at them.
        cuts: First frames of new shots, ascending.
        memory: How the object's memory is used.
    """

    policy: CutPolicy
    cuts: Sequence[int] = ()
    memory: MemoryPolicy = MemoryPolicy.EDITOR

    def since(self, frame: int, prompted: Collection[int], *, backward: bool) -> int | None:
        """The first frame of its shot on the way to ``frame``; None where the way began in it.

        Args:
            frame: Where the way leads.
            prompted: Frames with prompts: the way begins at the nearest behind.
            backward: The direction of travel.
        """
        if self.policy is not CutPolicy.REFIND:
            return None
        if backward:
            source = min((prompt for prompt in prompted if prompt > frame), default=None)
            cut = min((cut for cut in self.cuts if cut > frame), default=None)
            return None if cut is None or source is None or source < cut else cut - 1
        source = max((prompt for prompt in prompted if prompt < frame), default=None)
        cut = max((cut for cut in self.cuts if cut <= frame), default=None)
        return None if cut is None or source is None or source >= cut else cut
