"""Who waits for a call, and whether it has changed anything yet."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from masklet.scopes import Scope


@dataclass(eq=False)
class Caller:
    """Whoever waits for a call that changes something.

    Attributes:
        begun: True once something is being changed: from then on the call is carried to its end.
    """

    begun: bool = False


current_request: ContextVar[tuple[str, str] | None] = ContextVar("masklet_request", default=None)
"""Method and id of the call in hand; None for one without an id."""

current_scope: ContextVar[Scope | None] = ContextVar("masklet_scope", default=None)
"""What the call in hand belongs to; None for what only the owner of a session may do."""

current_caller: ContextVar[Caller | None] = ContextVar("masklet_caller", default=None)
"""Of the call in hand; None where nobody minds."""


def begin() -> None:
    """Say that the call in hand changes something from now on."""
    caller = current_caller.get()
    if caller is not None:
        caller.begun = True
