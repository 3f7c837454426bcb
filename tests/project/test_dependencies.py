"""No lower bound allows a version with a hole that is known and mended."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

tomllib = pytest.importorskip("tomllib", reason="reads pyproject.toml with what Python 3.11 has")
requirements = pytest.importorskip("packaging.requirements")
version = pytest.importorskip("packaging.version")

ROOT = Path(__file__).parents[2]
MENDS = tomllib.loads((ROOT / "installers" / "mends.toml").read_text(encoding="utf-8"))["packages"]


def asked_for() -> list[requirements.Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = (project["dependencies"], *project["optional-dependencies"].values())
    texts = [text for group in groups for text in group]
    return [requirements.Requirement(text) for text in texts if not text.startswith("masklet[")]


def test_no_lower_bound_lies_below_a_known_mend() -> None:
    found: dict[str, list[object]] = {}
    for asked in asked_for():
        floors = [one.version for one in asked.specifier if one.operator == ">="]
        found.setdefault(spelled(asked.name), []).extend(map(version.Version, floors))

    used = [mend for mend in MENDS.values() if mend["package"] in found]
    assert len({mend["package"] for mend in used}) > 8
    for mend in used:
        assert min(found[mend["package"]]) >= version.Version(mend["mended"]), mend


def test_what_we_develop_with_is_allowed_by_every_bound() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line.partition("==") for line in lines if "==" in line and not line.startswith("#")]
    used = {spelled(name): number.partition(";")[0].strip() for name, _, number in pinned}
    for asked in asked_for():
        if spelled(asked.name) in used:
            assert asked.specifier.contains(used[spelled(asked.name)]), asked


def spelled(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()
