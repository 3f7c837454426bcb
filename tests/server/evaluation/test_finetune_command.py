"""``masklet-server finetune``: what it says, and what it leaves behind."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
import typer
from typer.testing import CliRunner

from fakes import annotated_sets as sets
from fakes.tracking import TINY
from masklet.errors import BadInputError
from masklet_server.evaluation.command import add_commands
from masklet_server.model.checkpoint import read_checkpoint, save_network
from masklet_server.model.network import build_network


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    add_commands(app)
    return app


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.safetensors"
    torch.manual_seed(1)
    save_network(build_network(TINY), path, licence="none")
    return path


def tune(
    app: typer.Typer, data: Path, weights: Path, out: Path, *more: str
) -> tuple[str, BaseException | None]:
    line = ["finetune", "--data", str(data), "--weights", str(weights), "--out", str(out), "--device", "cpu"]
    small = ["--steps", "2", "--frames", "2", "--side", "64", "--step-megapixels", "0.03"]
    result = CliRunner().invoke(app, [*line, *small, *more])
    return result.output, result.exception


def test_figures_before_and_after_are_printed_for_what_was_kept_aside_and_for_the_rest(
    app: typer.Typer, weights: Path, tmp_path: Path
) -> None:
    data, rest = sets.write_davis_2017(tmp_path / "show"), sets.write_plain(tmp_path / "rest")

    said, error = tune(
        app, data, weights, tmp_path / "out", "--aside", "walk", "--rest", str(rest), "--rate", "0.01"
    )

    assert error is None, said
    for name in ("aside", "rest"):
        assert re.search(rf"{name}: J&F \d+\.\d before, \d+\.\d after", said), said
    tuned, start = read_checkpoint(tmp_path / "out" / "weights.safetensors"), read_checkpoint(weights)
    moved = {
        name for name, tensor in tuned.state.items() if not torch.equal(tensor, start.state[name].half())
    }
    assert moved
    assert not any(name.startswith("image_encoder.trunk.") for name in moved), "frozen unless told otherwise"


def test_keeping_everything_aside_is_told(app: typer.Typer, weights: Path, tmp_path: Path) -> None:
    data = sets.write_davis_2017(tmp_path / "show")

    _, error = tune(app, data, weights, tmp_path / "out", "--aside", "run,walk")

    assert isinstance(error, BadInputError)
