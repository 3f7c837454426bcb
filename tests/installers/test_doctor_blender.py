"""``masklet doctor blender``: each thing that can be wrong has its cause and its repair."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import masklet
from masklet.commands.doctor_blender import Said, ask, examine_place, examine_way_to_server, judge
from masklet.findings import Finding, Verdict
from masklet.installing.blender import install
from masklet.installing.blender_extension import make_extension
from masklet.installing.blender_places import BlenderPlace

CHATTY = """#!/bin/sh
echo "Blender 4.2.23"
echo 'masklet-doctor:{"enabled": true, "online": false, "address": "render:50051"}'
echo "Blender quit"
"""


@pytest.fixture
def place(tmp_path: Path) -> BlenderPlace:
    """A Blender of which only the user's folder is known."""
    return BlenderPlace("4.2", tmp_path / "4.2/extensions")


def only(findings: list[Finding], verdict: Verdict) -> list[str]:
    return [
        f"{found.subject}: {found.cause} -> {found.repair}" for found in findings if found.verdict is verdict
    ]


def test_a_blender_without_the_add_on_is_told_how_to_get_it(place: BlenderPlace) -> None:
    findings = list(examine_place(place, "masklet", None))

    assert only(findings, Verdict.NOTE) == [
        "Blender 4.2, add-on: not installed -> masklet install blender --version 4.2"
    ]


def test_an_old_blender_is_only_worth_a_note(tmp_path: Path) -> None:
    findings = list(examine_place(BlenderPlace("3.6", tmp_path), "masklet", None))

    assert [found.verdict for found in findings] == [Verdict.NOTE]
    assert findings[0].repair == "update to 4.2 or newer"


def test_an_add_on_of_another_version_is_a_fault(
    place: BlenderPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = install(place, make_extension(), "masklet")
    assert not done.by_blender
    monkeypatch.setattr(masklet, "__version__", "9.9.9")

    bad = only(list(examine_place(place, "masklet", None)), Verdict.BAD)

    assert len(bad) == 1
    assert "is installed and masklet is 9.9.9 -> masklet install blender --version 4.2" in bad[0]


def test_a_blender_that_cannot_be_asked_gets_a_note(place: BlenderPlace) -> None:
    assert ask(place, "masklet") is None
    assert only(list(judge("Blender 4.2", None, None)), Verdict.NOTE) != []


def test_an_add_on_that_is_not_ticked_is_a_fault() -> None:
    said = Said(enabled=False, online=True, address="")

    assert only(list(judge("Blender 4.2", said, None)), Verdict.BAD) == [
        "Blender 4.2, add-on ticked: no -> tick masklet in Edit > Preferences > Add-ons"
    ]


@pytest.mark.parametrize(
    ("in_preferences", "in_environment", "faults"),
    [("render:50051", None, 1), ("", "render:50051", 1), ("", None, 0), ("localhost:50051", "render:1", 0)],
)
def test_without_online_access_only_a_server_elsewhere_is_a_fault(
    in_preferences: str, in_environment: str | None, faults: int
) -> None:
    said = Said(enabled=True, online=False, address=in_preferences)

    bad = only(list(judge("Blender 5.2", said, in_environment)), Verdict.BAD)

    assert len(bad) == faults
    assert all(
        "render:50051 is another machine -> turn on Allow Online Access" in sentence for sentence in bad
    )


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for Blender is a script of the shell")
def test_blender_is_asked_among_all_that_it_prints(place: BlenderPlace, tmp_path: Path) -> None:
    program = tmp_path / "blender"
    program.write_text(CHATTY)
    program.chmod(0o755)

    said = ask(BlenderPlace(place.version, place.extensions, program), "masklet")

    assert said == Said(enabled=True, online=False, address="render:50051")


def test_a_missing_helper_is_a_fault_and_ends_the_examination(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MASKLET_PYTHON", str(tmp_path / "python"))

    findings = list(examine_way_to_server(None, None, None, start=True))

    assert [(found.subject, found.verdict) for found in findings] == [("helper", Verdict.BAD)]
    assert "which is not there" in findings[0].cause


def test_helper_and_bridge_are_examined_even_without_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKLET_PYTHON", sys.executable)
    monkeypatch.delenv("MASKLET_SERVER", raising=False)

    findings = list(examine_way_to_server(None, None, None, start=False))

    assert [(found.subject, found.verdict) for found in findings] == [
        ("helper", Verdict.GOOD),
        ("bridge", Verdict.GOOD),
    ]


def test_a_server_that_does_not_answer_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKLET_PYTHON", sys.executable)

    findings = list(examine_way_to_server("127.0.0.1:9", None, None, start=False))

    assert [(found.subject, found.verdict) for found in findings][-1] == ("server", Verdict.BAD)
