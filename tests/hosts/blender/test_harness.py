"""The harness itself: the Blender under test is the one that was asked for."""

from __future__ import annotations

from pathlib import Path

from real_blender import Blender

SCRIPTS = Path(__file__).parent / "scripts"


def test_the_light_client_imports_in_blenders_python_and_brings_nothing_foreign(
    blender: Blender, run_in_blender
) -> None:
    answer = run_in_blender(SCRIPTS / "report_versions.py", "a word")

    assert answer["blender"].startswith(f"{blender.version}.")
    assert answer["foreign"] == []
    assert answer["words"] == ["a word"]
