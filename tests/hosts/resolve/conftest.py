"""Tests beside Resolve; those in ``inside`` run in hosts' Pythons, see test_menu.py."""

from __future__ import annotations

collect_ignore = ["inside"]
