"""The doctor names the cause and what helps."""

from __future__ import annotations

from pathlib import Path

import pytest

from masklet.commands.doctor import (
    Verdict,
    examine_gpus,
    examine_ocio,
    examine_python,
    examine_space,
    examine_weights,
)


def test_an_old_python_is_worth_a_note() -> None:
    assert examine_python((3, 10)).verdict is Verdict.NOTE
    assert examine_python((3, 13)).verdict is Verdict.GOOD


@pytest.mark.parametrize("size_bytes", [None, 10])
def test_missing_or_cut_weights_are_bad_and_have_a_repair(tmp_path: Path, size_bytes: int | None) -> None:
    if size_bytes is not None:
        (tmp_path / "masklet_embedded.safetensors").write_bytes(bytes(size_bytes))

    finding = examine_weights(tmp_path)

    assert finding.verdict is Verdict.BAD
    assert "--weights" in finding.repair


def test_whole_weights_are_good(tmp_path: Path) -> None:
    (tmp_path / "masklet_embedded.safetensors").write_bytes(bytes(2_000_000))

    assert examine_weights(tmp_path).verdict is Verdict.GOOD


def test_a_colour_configuration_that_is_no_file_is_bad(tmp_path: Path) -> None:
    config = tmp_path / "config.ocio"

    assert examine_ocio(str(config)).verdict is Verdict.BAD
    config.touch()
    assert examine_ocio(str(config)).verdict is Verdict.GOOD
    assert examine_ocio("ocio://default").verdict is Verdict.GOOD
    assert examine_ocio(None).verdict is Verdict.GOOD


def test_a_full_disk_is_worth_a_note() -> None:
    assert examine_space(10**8).verdict is Verdict.NOTE
    assert examine_space(10**11).verdict is Verdict.GOOD


APPLE = {"kind": "mps", "name": "Apple's GPU", "total": 5 << 30, "lacks": ["smooth resizing"]}


@pytest.mark.parametrize(
    ("found", "has_driver", "verdicts", "words"),
    [
        ({}, False, [Verdict.NOTE], "the server runs on the processor"),
        ({}, True, [Verdict.NOTE], "there is an NVIDIA driver but torch cannot use it"),
        ({"cards": [{"name": "H200"}]}, True, [Verdict.GOOD], "H200"),
        ({"others": [APPLE]}, False, [Verdict.GOOD, Verdict.NOTE, Verdict.NOTE], "have never run it on mps"),
        ({"others": [APPLE]}, False, [Verdict.GOOD, Verdict.NOTE, Verdict.NOTE], "instead: smooth resizing"),
        ({"cards": [{"name": "H200"}], "others": [APPLE]}, True, [Verdict.GOOD], "H200"),
        ({"error": "the driver is too old"}, True, [Verdict.NOTE], "the driver is too old"),
    ],
)
def test_the_gpu_that_a_server_would_take_is_named_and_what_it_lacks(
    found: dict[str, object], has_driver: bool, verdicts: list[Verdict], words: str
) -> None:
    told = list(examine_gpus({"cards": [], "others": [], **found}, has_driver=has_driver))

    assert [each.verdict for each in told] == verdicts
    assert any(words in each.cause for each in told)
