"""Which worker gets a new session."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from masklet.errors import SilentError
from masklet_server.cluster.ports import NoRoomError, Wish, Worker, WorkerState

NEAR_SHARE = 0.25
"""A worker that has the plate goes before the freest one while it has this share of that one's free bytes:
sending a plate takes seconds, and a full device costs every click."""


def choose(workers: Sequence[Worker], wish: Wish, near: Collection[str] = ()) -> Worker:
    """The worker for a session: one near to its plate, else the freest, else the one with fewest sessions.

    Args:
        workers: All.
        wish: What the session needs.
        near: Names of those that have its plate.

    Raises:
        NoRoomError: None takes one.
        SilentError: None is known to, and one that may has not reported: the front door was just started,
            or that one may hang.
    """
    alive = [each for each in workers if each.state is WorkerState.ALIVE]
    reached = [each for each in alive if wish.volume in ("", each.offer.volume)]
    able = [
        each
        for each in reached
        if each.is_heard and each.load.free_sessions > 0 and not each.load.is_draining
    ]
    if not able:
        if not all(each.is_heard for each in reached):
            raise SilentError(
                "the cluster's front door has yet to hear which servers have room: the same works in some "
                "seconds"
            )
        raise NoRoomError(
            f"all {len(alive)} servers are full: close a session, or try again in some minutes"
            if alive
            else "no server of this cluster answers now: try again in a minute, or ask whoever keeps it"
        )
    freest = max(able, key=_order)
    nearest = [each for each in able if each.name in near]
    if nearest:
        found = max(nearest, key=_order)
        if found.load.free_bytes >= NEAR_SHARE * freest.load.free_bytes:
            return found
    return freest


def _order(worker: Worker) -> tuple[int, int, int, str]:
    return worker.load.free_bytes, -worker.sessions, worker.load.free_sessions, worker.name
