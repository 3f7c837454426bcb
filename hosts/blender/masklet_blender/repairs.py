"""What repairs are called in Blender."""

from __future__ import annotations

from masklet.hosting.repair_words import RepairWords
from masklet.phrases import phrase

BLENDER = RepairWords(
    host="Blender",
    find_pictures=phrase(
        "find them with File, External Data, Find Missing Files, or replace the clip's path"
    ),
    go_online=phrase(
        "turn on Allow Online Access in Preferences, System, Network (Blender started with --offline-mode "
        "never may), or leave Server empty in Preferences, Add-ons, masklet to work on this machine"
    ),
    token_file=phrase("its file is chosen as Token File in Preferences, Add-ons, masklet"),
    helper_python=phrase("it is chosen as Helper's Python in Preferences, Add-ons, masklet"),
    server=phrase("Server, Token File and TLS Certificate are in Preferences, Add-ons, masklet"),
)
