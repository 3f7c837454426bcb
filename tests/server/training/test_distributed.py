"""Two processes that train one network, as ``torchrun`` starts them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest
import torch

from masklet_server.training.distributed import join_team

_WORKER = """
import json, sys, torch
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


def test_gradients_are_averaged_and_the_leader_decides() -> None:
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
            [sys.executable, "-c", _WORKER],
            env={**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]

    replies = [process.communicate(timeout=90)[0] for process in team]

    assert [process.returncode for process in team] == [0, 0]
    for reply in replies:
        assert json.loads(reply) == [[1.5, 1.5], [5.0, 5.0, 5.0], True, 5.0]


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
