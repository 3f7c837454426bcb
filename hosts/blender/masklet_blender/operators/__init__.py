"""Operators: what artists, scripts and shortcuts call. Each is an undo step where it changes data."""

from __future__ import annotations

from . import (
    anchors,
    compositing,
    farming,
    finding,
    history,
    mattes,
    objects,
    pointing,
    prompt_files,
    prompts,
    publishing,
    review,
    servers,
    splines,
    things,
    tracking,
    weights,
)

CLASSES = (
    *objects.CLASSES,
    *prompts.CLASSES,
    *pointing.CLASSES,
    *things.CLASSES,
    *tracking.CLASSES,
    *review.CLASSES,
    *finding.CLASSES,
    *history.CLASSES,
    *mattes.CLASSES,
    *splines.CLASSES,
    *anchors.CLASSES,
    *compositing.CLASSES,
    *publishing.CLASSES,
    *farming.CLASSES,
    *servers.CLASSES,
    *weights.CLASSES,
    *prompt_files.CLASSES,
)
