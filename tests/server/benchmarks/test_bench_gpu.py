"""The benchmark for a borrowed GPU has to run the first time: its code is run here, small.

All but the official package compiled, whose tracing takes longer than everything else together;
``bench_gpu.py --small`` runs that too.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_SCRIPT = Path(__file__).parents[3] / "server" / "benchmarks" / "bench_gpu.py"


_CASES = (
    "attention",
    "tiny_1_uncompiled",
    "engine",
    "sessions",
    "memory",
    "first_mask",
    "agreement",
    "recompilations",
    "encoder_batch",
)


def run(*arguments: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, str(_SCRIPT), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    first, *lines = (json.loads(line) for line in done.stdout.splitlines())
    assert first["record"] == "bench_gpu"
    return lines


@pytest.mark.skipif(importlib.util.find_spec("sam2") is None, reason="the official package is not installed")
def test_every_case_runs_and_says_what_it_is_asked_for() -> None:
    lines = run("--small", "--only", *_CASES)

    assert [line for line in lines if "error" in line] == []
    found: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        found.setdefault(line["case"], []).append(line)
    forms = {line["form"] for line in found["steady_state"]}
    assert forms == {"official eager", "ours eager", "ours graphs"}
    assert all(line["ms"] > 0 for line in found["steady_state"])
    assert {line["objects"] for line in found["attention"]} == {1, 2}
    assert {line["pictures"] for line in found["encoder_batch"]} == {1, 2, 4, 8}
    assert {line["sessions"] for line in found["sessions"]} == {1, 2}
    assert {line["who"] for line in found["memory"]} == {"ours", "official"}
    assert {line["who"] for line in found["first_mask"]} == {"ours", "official"}
    assert found["recompilations"][0]["compiled_by_warm_up"] > 0
    assert found["recompilations"][0]["compiled_after"] == 0
    trained = found["agreement"][0]
    assert trained["preset"] == "masklet_embedded"
    assert trained["lowest_iou"] >= 0.99


def test_what_does_not_fit_into_the_time_is_named_and_left_out() -> None:
    lines = run("--small", "--only", "engine", "memory", "--until-s", "1")

    assert [line["case"] for line in lines] == ["engine", "memory"]
    assert all(line["left_out"] == "no time left" for line in lines)
