"""The studio benchmark runs, in its short form."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).parents[3] / "server" / "benchmarks" / "bench_studio.py"


def test_artists_on_one_device_get_their_masks_and_parked_sessions_come_back() -> None:
    words = ["load", "park", "--sessions", "4", "--seconds", "2", "--warm-up-s", "1", "--parked", "3"]

    done = subprocess.run([sys.executable, PROGRAM, *words], capture_output=True, text=True, check=True)

    _, load, park = map(json.loads, done.stdout.splitlines())
    assert load["errors"] == {}
    # Each frame gives 20 of them.
    assert load["least_masks_per_s"] >= 8
    assert park["sessions"] == 3
    assert park["max_s"] < 2.0
