"""What a run on a borrowed GPU has to say and save in time."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import torch

from masklet_server.training.config import load_config
from masklet_server.training.distributed import Team
from masklet_server.training.log import read_log
from masklet_server.training.loop import Piece, Trainer, train


def test_throughput_and_the_share_of_composing_come_first_and_a_checkpoint_before_the_end(
    tmp_path: Path, drifting_discs: Any
) -> None:
    proof = load_config("proof")
    phase = dataclasses.replace(proof.phases[0], frames=(2,), sides_px=(64,), objects=1)
    config = dataclasses.replace(proof, steps=4, phases=(phase,), step_megapixels=0.02)
    said: list[str] = []
    saved_at: list[bool] = []

    def report(line: str) -> None:
        said.append(line)
        saved_at.append((tmp_path / "weights.safetensors").exists())

    trainer = Trainer(config, drifting_discs(seed=1), Team(0, 1, torch.device("cpu")))
    train(trainer, tmp_path, Piece(None, time.monotonic(), checkpoint_s=0.0, log_steps=1), report=report)

    assert "clips/s" in said[0]
    assert "composing" in said[0]
    # Nothing is saved before the first step; from the second record on there is something to go on from.
    assert saved_at[:2] == [False, True]
    records = read_log(tmp_path / "log.jsonl")
    assert len(records) == 4
    assert all(float(record["clips_per_s"]) > 0 for record in records)
    assert all(0 <= float(record["compose_share"]) <= 1 for record in records)
