"""The benchmark for a borrowed GPU has to run the first time: all of its code is run here, small."""

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
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.skipif(importlib.util.find_spec("sam2") is None, reason="the official package is not installed")
def test_every_case_runs_and_says_what_it_is_asked_for() -> None:
    lines = run("--small")

    assert [line for line in lines if "error" in line] == []
    found: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        found.setdefault(line["case"], []).append(line)
    forms = {line["form"] for line in found["steady_state"]}
    assert forms == {"official eager", "official compiled", "ours eager", "ours graphs", "ours compiled"}
    assert all(line["ms"] > 0 for line in found["steady_state"])
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
