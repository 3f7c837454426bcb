"""Operators: what artists, scripts and shortcuts call. Each is an undo step where it changes data."""

from __future__ import annotations

from . import history, objects, pointing, prompt_files, prompts, review, servers, takeaway, tracking

CLASSES = (
    *objects.CLASSES,
    *prompts.CLASSES,
    *pointing.CLASSES,
    *tracking.CLASSES,
    *review.CLASSES,
    *history.CLASSES,
    *takeaway.CLASSES,
    *servers.CLASSES,
    *prompt_files.CLASSES,
)
