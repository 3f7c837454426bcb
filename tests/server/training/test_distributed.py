"""Two processes that train one network, as ``torchrun`` starts them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from masklet_server.training.distributed import join_team

_AVERAGING = """
import json, torch
from masklet_server.training.distributed import join_team
team = join_team("cpu")
first, second, unused = (torch.nn.Parameter(torch.zeros(size)) for size in (2, 3, 1))
first.grad = torch.full((2,), 1.0 + team.rank)
second.grad = torch.full((3,), 10.0 * team.rank)
team.average_gradients([first, unused, second])
clock = team.lead_decides(5.0 if team.leads else 9.0)
print(json.dumps([first.grad.tolist(), second.grad.tolist(), unused.grad is None, clock]))
team.disband()
"""


# The pipeline as `train` builds it: clips differ between processes, weights never do.
_TRAINING = """
import dataclasses, hashlib, json, sys, time, torch
from pathlib import Path
from masklet_server.training.composer import ClipComposer
from masklet_server.training.config import load_config
from masklet_server.training.distributed import join_team
from masklet_server.training.loop import Piece, Trainer, train
from masklet_server.training.material.procedural import procedural_material
team = join_team("cpu")
config = load_config("proof")
phase = dataclasses.replace(config.phases[0], frames=(2,), sides_px=(64,))
config = dataclasses.replace(config, steps=2, phases=(phase,), step_megapixels=0.03)
material = procedural_material(device="cpu", seed=3, cutout_side_px=32, photo_side_px=48)
source = ClipComposer(material, device="cpu", seed=10 + team.rank)
trainer = Trainer(config, source, team)
folder = Path(sys.argv[1]) / str(team.rank)
train(trainer, folder, Piece(None, time.monotonic()), report=lambda line: None)
weights = torch.cat([tensor.flatten() for tensor in trainer.optimiser.parameters]).detach().numpy()
clips = source.state().numpy()
digests = [hashlib.sha256(values.tobytes()).hexdigest() for values in (weights, clips)]
print(json.dumps([*digests, trainer.step, (folder / "weights.safetensors").exists()]))
team.disband()
"""


def _run_two(program: str, *arguments: str) -> list[Any]:
    """What each of two processes says at its end, started as ``torchrun`` starts them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {
        **os.environ,
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
        "OMP_NUM_THREADS": "1",
    }
    team = [
        subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            env={**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    replies = [process.communicate(timeout=180)[0] for process in team]
    assert [process.returncode for process in team] == [0, 0]
    return [json.loads(reply) for reply in replies]


def test_gradients_are_averaged_and_the_leader_decides() -> None:
    for reply in _run_two(_AVERAGING):
        assert reply == [[1.5, 1.5], [5.0, 5.0, 5.0], True, 5.0]


def test_two_processes_learn_from_different_clips_and_keep_the_same_weights(tmp_path: Path) -> None:
    (weights, clips, steps, wrote), (other_weights, other_clips, other_steps, other_wrote) = _run_two(
        _TRAINING, str(tmp_path)
    )

    assert weights == other_weights
    assert clips != other_clips
    assert steps == other_steps == 2
    assert (wrote, other_wrote) == (True, False), "the first process alone writes"


def test_a_process_alone_is_a_team_that_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    team = join_team("cpu")
    parameter = torch.nn.Parameter(torch.zeros(2))
    parameter.grad = torch.ones(2)

    team.average_gradients([parameter])

    assert team.leads
    assert team.lead_decides(3.0) == 3.0
    assert parameter.grad.tolist() == [1.0, 1.0]
