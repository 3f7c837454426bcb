"""Wire messages of sessions in a list, and of those with whom they are shared, to values and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.errors import BadInputError
from masklet.scopes import SHARED, Scope, in_order
from masklet.state_codec import looked_up
from masklet.types import SessionSummary, Share
from masklet.v1 import session_pb2, values_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SCOPE_TO_WIRE = {
    Scope.READ: values_pb2.SCOPE_READ,
    Scope.PROMPT: values_pb2.SCOPE_PROMPT,
    Scope.TRACK: values_pb2.SCOPE_TRACK,
    Scope.EXPORT: values_pb2.SCOPE_EXPORT,
    Scope.ADMIN: values_pb2.SCOPE_ADMIN,
}
_SCOPE_FROM_WIRE = {wire: scope for scope, wire in _SCOPE_TO_WIRE.items()}


def scopes_to_wire(scopes: Iterable[Scope]) -> list[values_pb2.Scope.ValueType]:
    """The numbers of scopes, in their order."""
    return [_SCOPE_TO_WIRE[scope] for scope in in_order(scopes)]


def scopes_from_wire(numbers: Sequence[values_pb2.Scope.ValueType]) -> tuple[Scope, ...]:
    """Scopes by their numbers."""
    return in_order(looked_up(_SCOPE_FROM_WIRE, number, "scope") for number in numbers)


def rights_from_wire(numbers: Sequence[values_pb2.Scope.ValueType]) -> frozenset[Scope]:
    """What may be done in a shared session: reading belongs to it.

    Raises:
        BadInputError: It is nothing, or more than can be shared.
    """
    rights = frozenset(scopes_from_wire(numbers))
    if not rights or not rights <= SHARED:
        words = ", ".join(scope.value for scope in in_order(SHARED))
        raise BadInputError(f"a session is shared with some of these rights: {words}")
    return rights | {Scope.READ}


def share_to_wire(share: Share) -> session_pb2.SessionShare:
    """The message of a user beside the owner."""
    return session_pb2.SessionShare(user=share.user, rights=scopes_to_wire(share.rights))


def share_from_wire(message: session_pb2.SessionShare) -> Share:
    """The user that a message describes."""
    return Share(message.user, scopes_from_wire(message.rights))


def summary_to_wire(summary: SessionSummary) -> session_pb2.SessionSummary:
    """The message of a session in a list."""
    return session_pb2.SessionSummary(
        session_id=summary.session_id,
        clip_name=summary.clip_name,
        objects=summary.objects,
        idle_s=summary.idle_s,
        is_busy=summary.is_busy,
        owner=summary.owner,
        rights=scopes_to_wire(summary.rights),
    )


def summary_from_wire(message: session_pb2.SessionSummary) -> SessionSummary:
    """The session of a list that a message describes."""
    return SessionSummary(
        message.session_id,
        message.clip_name,
        message.objects,
        message.idle_s,
        message.is_busy,
        message.owner,
        scopes_from_wire(message.rights),
    )
