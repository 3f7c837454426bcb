"""What a worker remembers of the sessions that are its own, or were."""

from __future__ import annotations

from dataclasses import dataclass

from masklet_server.cluster.ports import SessionFacts


@dataclass
class Claim:
    """A session that is this worker's."""

    epoch: int
    facts: SessionFacts
    told: SessionFacts
    told_s: float
    is_used: bool = False


@dataclass(frozen=True)
class Released:
    """A session that was given up at an epoch, with its journal on a volume; empty for where it was."""

    epoch: int
    volume: str
