"""The training loop: it learns, it resumes exactly, and interruptions lose nothing."""

from __future__ import annotations

import dataclasses
import itertools
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from masklet.errors import WeightsError
from masklet_server.training import loop
from masklet_server.training.config import TrainingConfig, config_from_table, load_config
from masklet_server.training.distributed import Team
from masklet_server.training.log import plot_log, read_log
from masklet_server.training.loop import Piece, Trainer, train

ALONE = Team(0, 1, torch.device("cpu"))


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _small(steps: int) -> TrainingConfig:
    """Steps of about 50 ms that use every kind of prompt, still pictures and corrections."""
    proof = load_config("proof")
    phase = dataclasses.replace(proof.phases[0], frames=(2, 4), sides_px=(64,), objects=2, image_share=0.2)
    return dataclasses.replace(proof, steps=steps, phases=(phase,), step_megapixels=0.05, clip_uses=2)


def _piece(minutes: float | None = None, **values: Any) -> Piece:
    return Piece(minutes, time.monotonic(), **values)


def _ignore(_: str) -> None:
    pass


def test_loss_falls_and_masks_improve_on_a_fixed_clip(tmp_path: Path, drifting_discs: Any) -> None:
    config = load_config("proof")
    trainer = Trainer(config, drifting_discs(seed=1), ALONE)
    fixed = drifting_discs(seed=99)
    start = fixed.state()

    def j_on_fixed_clip() -> float:
        fixed.restore(start)
        rehearsal = Trainer(config, fixed, ALONE, start=trainer.average.state())
        _, figures = rehearsal.make_step()
        return float(figures[5] + figures[6]) / 2  # prompted and tracked

    before = j_on_fixed_clip()
    train(trainer, tmp_path, _piece(log_steps=10), report=_ignore)
    after = j_on_fixed_clip()

    losses = [float(record["loss"]) for record in read_log(tmp_path / "log.jsonl")]
    assert losses[-1] < 0.6 * losses[0]
    assert after > before + 0.2


def test_ten_steps_are_five_and_five(tmp_path: Path, drifting_discs: Any) -> None:
    whole = Trainer(_small(10), drifting_discs(seed=1), ALONE)
    train(whole, tmp_path / "whole", _piece(), report=_ignore)

    first = Trainer(_small(10), drifting_discs(seed=1), ALONE)
    train(first, tmp_path / "parts", _piece(until=0.5), report=_ignore)
    second = Trainer(_small(10), drifting_discs(seed=5), ALONE)
    second.restore(tmp_path / "parts")
    train(second, tmp_path / "parts", _piece(), report=_ignore)

    assert first.step == 5
    assert second.step == whole.step == 10
    for name, tensor in whole.tensors().items():
        assert torch.equal(tensor, second.tensors()[name]), name


def test_an_interrupted_run_goes_on_as_if_nothing_had_happened(tmp_path: Path, drifting_discs: Any) -> None:
    whole = Trainer(_small(6), drifting_discs(seed=1), ALONE)
    train(whole, tmp_path / "whole", _piece(), report=_ignore)

    source = drifting_discs(seed=1)
    source.interrupt_after = 2  # batches of two steps each
    interrupted = Trainer(_small(6), source, ALONE)
    train(interrupted, tmp_path / "parts", _piece(), report=_ignore)
    resumed = Trainer(_small(6), drifting_discs(seed=7), ALONE)
    resumed.restore(tmp_path / "parts")
    train(resumed, tmp_path / "parts", _piece(), report=_ignore)

    assert interrupted.step == 4
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, resumed.network.state_dict()[name]), name


def test_a_run_goes_on_from_a_compact_checkpoint(tmp_path: Path, drifting_discs: Any) -> None:
    first = Trainer(_small(6), drifting_discs(seed=1), ALONE)
    train(first, tmp_path, _piece(until=0.5, compact=True), report=_ignore)
    second = Trainer(_small(6), drifting_discs(seed=1), ALONE)

    second.restore(tmp_path)
    train(second, tmp_path, _piece(), report=_ignore)

    assert (first.step, second.step) == (3, 6)
    weights = first.network.state_dict()["no_mem_embed"]
    torch.testing.assert_close(second.network.state_dict()["no_mem_embed"], weights, rtol=0, atol=0.02)


def test_a_run_in_minutes_ends_with_the_clock_and_its_cosine_with_it(
    tmp_path: Path, drifting_discs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings = (0.1 * count for count in itertools.count())
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: next(readings)))
    config = dataclasses.replace(_small(1), steps=None, minutes=0.05)
    trainer = Trainer(config, drifting_discs(seed=1), ALONE)

    train(trainer, tmp_path, Piece(0.05, started_s=0.0), report=_ignore)

    assert trainer.progress == pytest.approx(1.0)
    assert trainer.elapsed_s < 3.0
    assert trainer.step > 2


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path, drifting_discs: Any) -> None:
    trainer = Trainer(_small(1), drifting_discs(seed=1), ALONE)
    train(trainer, tmp_path, _piece(), report=_ignore)
    wider = config_from_table(
        {
            "name": "wider",
            "steps": 1,
            "network": {"width": 64},
            "phases": [dataclasses.asdict(_small(1).phases[0])],
        }
    )

    with pytest.raises(WeightsError, match="another network"):
        Trainer(wider, drifting_discs(seed=1), ALONE).restore(tmp_path)


def test_gradients_that_are_not_finite_change_nothing(drifting_discs: Any) -> None:
    trainer = Trainer(_small(1), drifting_discs(seed=1), ALONE)
    before = {name: tensor.clone() for name, tensor in trainer.network.named_parameters()}

    for parameter in trainer.optimiser.parameters:
        parameter.grad = torch.full_like(parameter, float("nan"))
    trainer.optimiser.step(rate_share=1.0)

    for name, parameter in trainer.network.named_parameters():
        assert torch.equal(parameter, before[name]), name


def test_frozen_parts_stay_as_they_were(drifting_discs: Any) -> None:
    config = _small(1)
    frozen = dataclasses.replace(config.optimiser, frozen=("image_encoder.trunk.",), warm_up_steps=1)
    trainer = Trainer(dataclasses.replace(config, optimiser=frozen), drifting_discs(seed=1), ALONE)
    before = {name: tensor.clone() for name, tensor in trainer.network.named_parameters()}

    trainer.make_step()

    changed = {
        name for name, tensor in trainer.network.named_parameters() if not torch.equal(tensor, before[name])
    }
    assert changed
    assert not any(name.startswith("image_encoder.trunk.") for name in changed)


def test_weights_and_a_picture_of_the_curves_come_out(tmp_path: Path, drifting_discs: Any) -> None:
    trainer = Trainer(_small(4), drifting_discs(seed=1), ALONE)

    train(trainer, tmp_path, _piece(log_steps=2), report=_ignore)
    plot_log(tmp_path / "log.jsonl", tmp_path / "curves.png")

    weights = load_file(tmp_path / "weights.safetensors")
    assert weights.keys() == trainer.network.state_dict().keys()
    assert weights["no_mem_embed"].dtype == torch.float16
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
