"""What repairs are called in Nuke."""

from __future__ import annotations

from masklet.hosting.repair_words import RepairWords
from masklet.phrases import phrase

IN_NUKE = RepairWords(
    host=phrase("Nuke"),
    find_pictures=phrase("correct the file knob of the Read above the Masklet node"),
    go_online=phrase("allow it in the node's Server tab, or leave its server empty to work on this machine"),
    token_file=phrase("its file is chosen in the node's Server tab"),
    helper_python=phrase("it is chosen in the node's Server tab"),
    server=phrase("server, token file and certificate are in the node's Server tab"),
)
