"""Tests of the panel; those in ``inside`` run in hosts' Pythons, see test_in_hosts_pythons.py."""

from __future__ import annotations

collect_ignore = ["inside"]
