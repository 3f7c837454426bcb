"""The user of the call in hand."""

from __future__ import annotations

from contextvars import ContextVar

from masklet_server.identity.caller import EVERYBODY

current_user: ContextVar[str] = ContextVar("masklet_user", default=EVERYBODY.account)
"""The account that calls; set by the interceptor for every call."""
