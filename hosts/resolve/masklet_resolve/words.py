"""Repairs in the words of Resolve's menus."""

from __future__ import annotations

from masklet.hosting.repair_words import RepairWords
from masklet.phrases import phrase

WORDS = RepairWords(
    host=phrase("Resolve"),
    find_pictures=phrase("relink the clip in Resolve's Media Pool, then take it again"),
    go_online=phrase("turn on Network in the panel's Settings"),
    token_file=phrase("the token's file is in the panel's Settings"),
    helper_python=phrase("the helper's Python is in the panel's Settings"),
    server=phrase("server, token file and certificate are in the panel's Settings"),
)
FREE = phrase(
    "this is the free edition of Resolve, which other programs cannot speak to: masklet writes files for "
    "it, and "
    "the guide says how they get in (docs/resolve.md)"
)
