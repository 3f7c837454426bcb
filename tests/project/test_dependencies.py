"""No lower bound allows a version with a hole that is known and mended."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

tomllib = pytest.importorskip("tomllib", reason="reads pyproject.toml with what Python 3.11 has")
requirements = pytest.importorskip("packaging.requirements")
version = pytest.importorskip("packaging.version")

ROOT = Path(__file__).parents[2]
MENDED = {
    # CVE-2024-7246 and CVE-2024-11407: one client's headers or bytes reached others.
    "grpcio": "1.66.2",
    # CVE-2025-4565 and CVE-2026-0994: nested messages without end.
    "protobuf": "5.29.6",
    # CVE-2025-32434: torch.load with weights_only could run code.
    "torch": "2.6",
    # CVE-2026-43907 to 43909 (DPX) among others: crafted pictures wrote beyond their memory.
    "openimageio": "3.1.19",
    # CVE-2023-4863 (libwebp), CVE-2024-28219 (buffer overflow in ImageCms).
    "pillow": "10.3",
    # CVE-2022-29217 (a public key taken for a secret) and CVE-2024-53861 (issuers that only begin alike).
    "pyjwt": "2.10.1",
    # CVE-2024-12797: OpenSSL took handshakes for verified.
    "cryptography": "44.0.1",
}


def asked_for() -> list[requirements.Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = (project["dependencies"], *project["optional-dependencies"].values())
    texts = [text for group in groups for text in group]
    return [requirements.Requirement(text) for text in texts if not text.startswith("masklet[")]


def test_no_lower_bound_lies_below_a_known_mend() -> None:
    found = {}
    for asked in asked_for():
        if asked.name.lower() in MENDED:
            (floor,) = [one.version for one in asked.specifier if one.operator == ">="]
            found.setdefault(asked.name.lower(), []).append(version.Version(floor))

    assert found.keys() == MENDED.keys()
    for name, floors in found.items():
        assert min(floors) >= version.Version(MENDED[name]), name


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
