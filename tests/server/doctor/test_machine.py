"""What the doctor says of clock, disks, journals, device and limits."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from masklet.findings import Finding, Verdict
from masklet_server.doctor import disks, journals, limits
from masklet_server.doctor.clock import examine_time
from masklet_server.doctor.device import examine_torch
from masklet_server.doctor.extras import examine_extras
from masklet_server.journal.folder import FILE_NAME, claimed
from masklet_server.service.settings import ServerSettings

PLAIN = ServerSettings()
APPLE = {"kind": "mps", "name": "Apple's GPU", "total": 5 << 30, "lacks": ["smooth resizing"]}
CARD = {"name": "NVIDIA L40S", "free": 40e9, "total": 48e9}


def worst(found: list[Finding]) -> Verdict:
    return max((finding.verdict for finding in found), key=list(Verdict).index)


def test_a_clock_behind_what_was_written_is_wrong() -> None:
    assert examine_time(1_790_000_000.0, 1_789_999_000.0).verdict is Verdict.GOOD
    late = examine_time(1_790_000_000.0, 1_790_009_000.0)
    assert late.verdict is Verdict.BAD
    assert "set the clock" in late.repair


def test_a_disk_is_timed_with_a_transaction_as_journals_make_them(tmp_path: Path) -> None:
    found = list(disks.examine_sessions_folder(tmp_path / "not" / "yet"))

    assert any("a click is on the disk after" in finding.cause for finding in found)
    assert list(tmp_path.iterdir()) == []


def test_a_share_is_no_place_for_sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disks, "network_type", lambda folder: "nfs4")

    (finding,) = disks.examine_sessions_folder(tmp_path)

    assert finding.verdict is Verdict.BAD
    assert "--sessions" in finding.repair


@pytest.mark.parametrize(
    ("free", "verdict"), [(1 << 20, Verdict.BAD), (1 << 30, Verdict.NOTE), (1 << 40, Verdict.GOOD)]
)
def test_a_disk_that_fills_is_noticed_before_it_is_full(
    free: int, verdict: Verdict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1 << 41, 0, free))

    assert worst(list(disks.examine_space("uploads", tmp_path))) is verdict


def test_a_share_that_hangs_keeps_the_doctor_for_a_moment_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    monkeypatch.setattr(disks, "ANSWERS_WITHIN_S", 0.1)
    monkeypatch.setattr(disks, "examine_root", lambda root: [go.wait(10)])
    settings = replace(PLAIN, roots=(tmp_path,), sessions_folder=None)

    found = [finding for finding in disks.examine_disks(settings) if finding.subject == "root"]
    go.set()

    assert found[0].verdict is Verdict.BAD
    assert "has not answered" in found[0].cause


def test_a_root_that_is_not_mounted_is_named(tmp_path: Path) -> None:
    assert worst(list(disks.examine_root(tmp_path / "shows"))) is Verdict.BAD
    assert worst(list(disks.examine_root(tmp_path))) is Verdict.GOOD


def test_journals_are_counted_and_damaged_ones_named(tmp_path: Path) -> None:
    (tmp_path / ("a" * 32)).mkdir()
    (tmp_path / ("a" * 32) / FILE_NAME).write_bytes(b"no journal at all" * 100)

    found = list(journals.examine_journals(tmp_path))

    assert "1 sessions" in found[0].cause
    assert "--salvage" in found[1].repair
    assert found[-1].cause == "no server has them open"
    assert next(journals.examine_journals(tmp_path / "none")).verdict is Verdict.GOOD


@pytest.mark.skipif(os.name == "nt", reason="a process may lock its own file again there")
def test_a_server_that_has_the_journals_is_noticed(tmp_path: Path) -> None:
    mark = claimed(tmp_path, take_over=False)
    try:
        assert list(journals.examine_journals(tmp_path))[-1].cause == "a server has them open"
    finally:
        os.close(mark)


@pytest.mark.parametrize(
    ("found", "device", "driver", "verdict", "words"),
    [
        ({"cards": []}, "auto", None, Verdict.GOOD, "the processor, 8 threads"),
        ({"cards": []}, "cuda", None, Verdict.BAD, "finds no card"),
        ({"cards": []}, "auto", "580.1", Verdict.NOTE, "torch is for processors"),
        ({"cards": [], "error": "driver too old"}, "cuda", "420", Verdict.BAD, "driver too old"),
        ({"cards": [CARD], "cuda": "13.0"}, "auto", "580.1", Verdict.GOOD, "40.0 of 48.0 GB free"),
        ({"cards": [CARD], "cuda": "13.0"}, "cuda:1", "580.1", Verdict.BAD, "there are 1 cards"),
        ({"cards": [CARD], "cuda": "13.0"}, "cpu", "580.1", Verdict.NOTE, "as asked for"),
        ({"cards": [], "others": [APPLE]}, "auto", None, Verdict.NOTE, "Apple's GPU (mps), float32"),
        ({"cards": [], "others": [APPLE]}, "auto", None, Verdict.NOTE, "instead: smooth resizing"),
        ({"cards": [], "others": [APPLE]}, "mps", None, Verdict.NOTE, "have never run it on mps"),
        ({"cards": [], "others": [APPLE]}, "cpu", None, Verdict.GOOD, "the processor, 8 threads"),
        ({"cards": [], "others": [APPLE]}, "xpu", None, Verdict.BAD, "finds no such device"),
    ],
)
def test_the_device_that_the_settings_want_is_there(
    found: Mapping[str, Any], device: str, driver: str | None, verdict: Verdict, words: str
) -> None:
    probe = {"torch": "2.13.0", "cuda": None, "threads": 8, **found}

    told = list(examine_torch(probe, replace(PLAIN, device=device), driver=driver))

    assert worst(told) is verdict
    assert any(words in finding.cause for finding in told)


def test_more_memory_than_the_card_has_is_noticed() -> None:
    wide = replace(PLAIN, store=replace(PLAIN.store, memory_bytes=100 << 30))
    probe = {"torch": "2.13.0", "cuda": "13.0", "threads": 8, "cards": [CARD]}

    told = list(examine_torch(probe, wide, driver="580.1"))

    assert "memory-gib = 31" in told[-1].repair


def test_few_open_files_and_little_memory_are_worth_a_note() -> None:
    assert limits.examine_files(1024, 524288).verdict is Verdict.NOTE
    assert "65536" in limits.examine_files(1024, 524288).repair
    assert limits.examine_files(65536, 65536).verdict is Verdict.GOOD
    assert limits.examine_memory(4 << 30, PLAIN).verdict is Verdict.NOTE
    assert limits.examine_memory(64 << 30, PLAIN).verdict is Verdict.GOOD


@pytest.mark.skipif(os.name != "posix", reason="control groups are of Linux")
@pytest.mark.parametrize("version", [1, 2])
def test_the_limits_of_a_container_count(version: int, tmp_path: Path) -> None:
    groups, proc = tmp_path / "cgroup", tmp_path / "proc"
    (proc / "7").mkdir(parents=True)
    if version == 2:
        place = groups / "box" / "masklet"
        place.mkdir(parents=True)
        (proc / "7/cgroup").write_text("0::/box/masklet\n")
        (place / "memory.max").write_text("max\n")
        (groups / "box/memory.max").write_text("3221225472\n")
        (place / "cpu.max").write_text("50000 100000\n")
    else:
        place = groups / "memory" / "box"
        place.mkdir(parents=True)
        (proc / "7/cgroup").write_text("5:memory:/box\n1:name=systemd:/\n")
        (place / "memory.limit_in_bytes").write_text("3221225472\n")

    assert limits.memory_limit(7, groups, proc) == 3 << 30
    assert version == 1 or limits.processors(7, groups, proc) == 0.5


def test_packages_that_the_settings_ask_for_are_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("masklet_server.doctor.extras.find_spec", lambda name: None)

    assert list(examine_extras(PLAIN)) == []
    asked = replace(PLAIN, metrics_port=0, traces="http://127.0.0.1:1", status_address="127.0.0.1:0")
    assert [finding.repair for finding in examine_extras(asked)] == [
        "pip install 'masklet[metrics]'",
        "pip install 'masklet[status]'",
        "pip install 'masklet[traces]'",
    ]
