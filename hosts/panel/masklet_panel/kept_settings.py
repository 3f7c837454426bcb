"""The server that the artist chose, over the panel's end: a file of the user's."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from masklet.hosting.work.connection import ConnectionSettings

SETTINGS_FILE = "settings.json"
"""In the panel's own folder."""

_MAX_BYTES = 1 << 16
_NAMES = ("address", "token_file", "tls_ca_file", "helper_python", "weights", "device", "quality")
"""Of what is kept; the token itself never is."""


def read_settings(file: Path, given: ConnectionSettings) -> ConnectionSettings:
    """What was chosen last, under what is given for this once; as given where nothing can be read."""
    try:
        with file.open("rb") as content:
            kept = json.loads(content.read(_MAX_BYTES))
        known: dict[str, Any] = {name: str(kept[name]) for name in _NAMES if kept.get(name)}
    except (OSError, ValueError, TypeError, AttributeError):
        return given
    return replace(given, **{name: value for name, value in known.items() if not getattr(given, name)})


def write_settings(file: Path, settings: ConnectionSettings) -> None:
    """Keep what was chosen. Nothing is raised: it is in force all the same."""
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_name(f"{file.name}.new")
        text = json.dumps({name: getattr(settings, name) for name in _NAMES}, indent=1)
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(file)
