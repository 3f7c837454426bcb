"""The panel's guide names the keys that the panel has."""

from __future__ import annotations

from pathlib import Path

from masklet.hosting.shortcuts import as_markdown

GUIDE = Path(__file__).parents[2] / "docs/panel.md"


def test_the_guide_holds_the_table_of_keys_as_it_is_bound() -> None:
    """``python -c 'from masklet.hosting.shortcuts import as_markdown; print(as_markdown())'`` writes it."""
    assert as_markdown() in GUIDE.read_text(encoding="utf-8")
