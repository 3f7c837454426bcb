"""What makes a comparison of trunks fair: the same clips for all, and a front that says who is beaten."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from masklet_server.model.checkpoint import read_checkpoint
from masklet_server.model.store import find_weights
from masklet_server.training.config import load_config
from masklet_server.training.material.procedural import procedural_material

_FOLDER = Path(__file__).parents[3] / "server" / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(_FOLDER))
    import bench_trunks

    return bench_trunks


def test_the_next_batch_is_the_same_in_every_run_and_after_a_resume(
    benchmark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    material = procedural_material(device="cpu", seed=3, cutout_side_px=32, photo_side_px=48)
    monkeypatch.setattr(benchmark, "load_material", lambda path, device: material)

    def clips() -> Any:
        return benchmark.KeptClips(tmp_path, tmp_path / "no.pack")

    first = clips()
    one, other = first.compose(1, 2, 32, 1), first.compose(1, 2, 32, 1)
    still = first.compose(1, 1, 32, 1)
    second = clips()
    second.compose(1, 2, 32, 1)
    state = second.state()
    resumed = clips()
    resumed.restore(state)

    assert not torch.equal(one.images, other.images)
    assert torch.equal(resumed.compose(1, 2, 32, 1).images, other.images)
    assert torch.equal(clips().compose(1, 1, 32, 1).alphas, still.alphas)
    assert not list(tmp_path.glob("*.part"))


def test_the_front_holds_what_nothing_quicker_equals(benchmark: Any) -> None:
    import trunk_figures as figures

    def accurate(j_and_f: float) -> Any:
        return figures.Accuracy([0.0], [0.0], {"surf": j_and_f})

    def quick(trunk_ms: float) -> Any:
        return figures.Speed(1.0, trunk_ms, 2 * trunk_ms, {1: 1.0, 2: 1.0})

    accuracy = {("slow", 1): accurate(60.0), ("quick", 1): accurate(50.0), ("worst", 1): accurate(49.0)}
    accuracy["quick", 2] = accurate(52.0)
    speed = {"slow": quick(60.0), "quick": quick(20.0), "worst": quick(40.0)}

    assert figures.pareto_front(accuracy, speed) == ("quick", "slow")
    assert figures.table(accuracy, speed, front=("quick", "slow")).count("| yes |") == 3


def test_every_candidate_is_a_network_and_everything_behind_is_as_shipped(benchmark: Any) -> None:
    shipped = read_checkpoint(find_weights("masklet_embedded")).state
    config = load_config("trunks")
    for trunk in benchmark.CANDIDATES.values():
        weights = benchmark.weights_behind(replace(config, network=replace(config.network, trunk=trunk)))
        assert any(name.startswith("image_encoder.trunk.") for name in weights)
        for name, tensor in weights.items():
            behind = not name.startswith("image_encoder.")
            assert not behind or torch.equal(tensor, shipped[name].to(tensor.dtype)), name
