"""A machine's sessions go to others, so that it can be stopped while artists work."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from masklet.errors import BadInputError, BusyError, MaskletError
from masklet_server.ray_cluster.node import Node
from masklet_server.ray_cluster.overview import node_of, roster_at

_LOOKS_EVERY_S = 0.5


def drain(node: Node, name: str, *, timeout_s: float, tell: Callable[[str], None]) -> int:
    """Have all servers of a machine give their sessions to others, and wait until they have none.

    Args:
        node: The machine that asks.
        name: The machine that is drained, or one of its workers.
        timeout_s: How long to wait.
        tell: Given a sentence as sessions leave.

    Returns:
        How many sessions it had.

    Raises:
        BadInputError: No worker is there.
        BusyError: Sessions are left; they stay where they are, and no new ones come.
        ServerUnreachableError: The gateway does not answer.
    """
    roster = roster_at(node)
    try:
        there = roster.workers()
        wanted = [each.name for each in there if name in (each.name, node_of(each.name))]
        if not wanted:
            nodes = ", ".join(sorted({node_of(each.name) for each in there})) or "none"
            raise BadInputError(f"the cluster has no node and no worker {name}: there are {nodes}")
        had: int = sum(roster.drain(each) for each in wanted)
        tell(f"{name} takes no new sessions; {had} go to other servers")
        until_s, left = time.monotonic() + timeout_s, had
        while True:
            now = left
            # A gateway that is just starting again is asked again.
            with suppress(MaskletError):
                now = sum(each.sessions for each in roster.workers() if each.name in wanted)
            if now != left:
                tell(f"{now} left")
            left = now
            if not left:
                return had
            if time.monotonic() >= until_s:
                raise BusyError(
                    f"{left} sessions are still on {name}: a frame or an export takes long, or no other "
                    "server has room or reaches their folder; they stay there, and it takes no new ones"
                )
            time.sleep(_LOOKS_EVERY_S)
    finally:
        roster.close()
