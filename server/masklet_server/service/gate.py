"""What stands in front of every call: who makes it, whether that one may, how often, and what is noted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from google.protobuf.message import Message

from masklet.errors import (
    AccessDeniedError,
    MaskletError,
    NotPermittedError,
    PathNotAllowedError,
    ServerFaultError,
    SessionNotFoundError,
)
from masklet.scopes import in_order
from masklet_server.audit.log import AuditLog
from masklet_server.identity.caller import Identity
from masklet_server.service.door import Door
from masklet_server.service.rates import Rates, TooManyCallsError
from masklet_server.service.rules import Rule

_NOTED = (
    "session_id",
    "object_id",
    "object_ids",
    "frame",
    "path",
    "upload_id",
    "folder",
    "clip_name",
    "size_bytes",
)
"""Fields of requests and answers that the audit log has: what was asked for, and never what was drawn."""
_WITHIN = ("header", "prompts", "session", "clip")
_REFUSALS = (
    AccessDeniedError,
    NotPermittedError,
    PathNotAllowedError,
    SessionNotFoundError,
    TooManyCallsError,
)


class Gate:
    """Lets calls in, and notes them.

    Args:
        door: Knows who calls.
        rates: Counts calls.
        audit: Where they are noted; None for nowhere.
    """

    def __init__(self, door: Door, rates: Rates, audit: AuditLog | None = None) -> None:
        self._door = door
        self._rates = rates
        self._audit = audit

    def identity_of(
        self, metadata: Iterable[tuple[str, str | bytes]], peer: str, certificate_name: str | None
    ) -> Identity:
        """Who calls; errors as in :meth:`Door.identity_of`."""
        return self._door.identity_of(metadata, peer, certificate_name)

    def check(self, identity: Identity, rule: Rule) -> None:
        """See that somebody may make a call now.

        Raises:
            NotPermittedError: The token is not good for it.
            TooManyCallsError: There were too many.
        """
        if rule.counted:
            self._rates.take(identity, opens=rule.opens)
        if rule.scope is not None and rule.scope not in identity.scopes:
            told = ", ".join(scope.value for scope in in_order(identity.scopes)) or "nothing"
            raise NotPermittedError(
                f"your token is good for {told}, and this needs {rule.scope.value}: ask the server's keeper "
                "for another one"
            )

    def check_still(self, metadata: Iterable[tuple[str, str | bytes]], identity: Identity) -> None:
        """See that a call that is under way may go on; errors as in :meth:`Door.check_still`."""
        self._door.check_still(metadata, identity)

    def note(
        self,
        method: str,
        rule: Rule,
        identity: Identity | None,
        place: str,
        facts: Mapping[str, Any],
        error: BaseException | None,
    ) -> None:
        """Note a call that has ended, as far as it is worth a line.

        Args:
            method: Its name on the wire.
            rule: What it belongs to.
            identity: Who made it; None where that is not known.
            place: From where.
            facts: What it was about.
            error: How it ended, where it failed or its client left.
        """
        if self._audit is None:
            return
        refused = isinstance(error, _REFUSALS)
        if not (rule.noted or refused) or not getattr(error, "is_first", True):
            return
        result = "ok" if error is None else _kind_of(error)
        who = (
            {}
            if identity is None
            else {"user": identity.user, "tenant": identity.tenant, "token": identity.token_id or None}
        )
        self._audit.note(
            "refused" if refused else rule.noted,
            **{**facts, **who},
            call=method.rpartition("/")[2],
            result=result,
            place=place,
        )


def facts_of(message: object) -> dict[str, Any]:
    """What a request or an answer says of what it is about; empty for what is no message."""
    return dict(_facts(message)) if isinstance(message, Message) else {}


def _kind_of(error: BaseException) -> str:
    if isinstance(error, MaskletError):
        return error.kind
    # What nobody foresaw is the server's fault; the rest is a client that left.
    return ServerFaultError.kind if isinstance(error, Exception) else "left"


def _facts(message: Message) -> Iterator[tuple[str, Any]]:
    for field, value in message.ListFields():
        if field.name == "user":
            # The one whom a session is shared with; who calls is noted as such.
            yield "with_user", value
        elif field.name in _NOTED:
            yield field.name, list(value) if field.is_repeated else value
        elif field.name == "name" and message.DESCRIPTOR.name == "ClipInfo":
            yield "clip_name", value
        elif field.name in _WITHIN and isinstance(value, Message):
            yield from _facts(value)
