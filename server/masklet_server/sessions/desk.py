"""The former name of :mod:`masklet_server.sessions.session_tracker`."""

from __future__ import annotations

from masklet_server.sessions.session_tracker import SessionTracker as Desk

__all__ = ["Desk"]
