"""Text for other tools names files by their folder: in the version it has to name the version's.

Otherwise a script from ``v003`` would go on reading the artist's working folder.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from masklet.exchange.fusion import quoted as fusion_quoted
from masklet.exchange.nuke import quoted as nuke_quoted

if TYPE_CHECKING:
    from pathlib import Path

_TEXTS = {"nuke", "fusion", "ae", "json", "otio"}


def is_text(kind: str) -> bool:
    """True for files that may name others."""
    return kind in _TEXTS


def with_folder(text: str, before: Path, after: Path) -> str:
    """The text with every file of one folder named in another, however the tool spells a string."""
    old, new = before.as_posix(), after.as_posix()
    ways = {_inside(spell(f"{old}/")): _inside(spell(f"{new}/")) for spell in _SPELLINGS}
    ways.update({f'"folder": {spell(old)}': f'"folder": {spell(new)}' for spell in (_json, json.dumps)})
    # In one pass: the version may lie in the folder itself, whose name its own then holds.
    pattern = "|".join(re.escape(way) for way in sorted(ways, key=len, reverse=True))
    return re.sub(pattern, lambda match: ways[match[0]], text)


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _inside(text: str) -> str:
    """Without its quotes."""
    return text[1:-1] if text[:1] == '"' else text


_SPELLINGS = (nuke_quoted, fusion_quoted, json.dumps, _json)
