"""Apple's and Intel's GPUs, of which none was at hand: a stand-in refuses what Apple's refuses."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from fakes.apple_gpu import MPS, XPU, AppleGpu, apple_gpu, intel_gpu
from fakes.tracking import TINY, Desk, DiscClip, TinyNetwork
from masklet.errors import BadInputError
from masklet.types import Box, Click, FramePrompts, Mask
from masklet_server.engine import load_tracker_factory
from masklet_server.engine.profile import EDITOR, Profile
from masklet_server.engine.workspace import Workspace
from masklet_server.model import devices
from masklet_server.model.checkpoint import prepare_for_inference, save_network
from masklet_server.model.config import HieraConfig, NetworkConfig
from masklet_server.model.devices import Operation, find_device, lacking, memory_of
from masklet_server.tracking import DeviceMemoryError, Relief

HIERA = replace(TINY, name="small_hiera", trunk=HieraConfig(8, 1, (1, 2, 3, 2), (4,), windows=(8, 4, 14, 7)))
EMBEDDED_WAYS = replace(TINY, name="masklet_embedded")
"""Clicks are obeyed with linear equations, and rivals looked for in cells."""


@pytest.fixture(params=[False, True], ids=["as it is", "torch falls back"])
def gpu(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppleGpu]:
    with apple_gpu(monkeypatch, falls_back=request.param) as active:
        yield active


@pytest.fixture
def plain_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[AppleGpu]:
    with apple_gpu(monkeypatch) as active:
        yield active


@pytest.fixture
def intel(monkeypatch: pytest.MonkeyPatch) -> Iterator[AppleGpu]:
    with intel_gpu(monkeypatch) as active:
        yield active


def worked(config: NetworkConfig, device: torch.device, profile: Profile) -> list[NDArray[np.float32]]:
    """Logits of clicks, a box, a drawn mask, a track, a correction, and a track after parking."""
    network = prepare_for_inference(TinyNetwork(config), device=device)
    desk = Desk(network, DiscClip(width_px=128, height_px=70), profile=profile)
    drawn = np.zeros((70, 128), np.uint8)
    drawn[10:40, 60:100] = 255
    given = [
        desk.prompt(FramePrompts(1, 1001, (Click(20.0, 27.0),))),
        desk.prompt(FramePrompts(1, 1001, (Click(20.0, 27.0), Click(90.0, 40.0, positive=False)))),
        desk.prompt(FramePrompts(2, 1001, box=Box(40.0, 10.0, 80.0, 60.0))),
        desk.prompt(FramePrompts(3, 1001, mask=Mask.from_array(drawn))),
        *desk.track(range(1002, 1004), 1, 2, 3),
        desk.prompt(FramePrompts(1, 1003, (Click(25.0, 30.0),))),
        desk.tracker.look(2, 1006),
    ]
    desk.tracker.relieve(Relief.MEMORIES)
    given += desk.track((1004,), 1, 2)
    return [result.logits.astype(np.float32) for result in given]


@pytest.mark.parametrize(
    ("config", "profile"), [(EMBEDDED_WAYS, EDITOR), (HIERA, EDITOR)], ids=["embedded", "hiera"]
)
def test_clicks_tracks_and_corrections_ask_an_apple_gpu_for_nothing_that_it_refuses(
    gpu: AppleGpu, config: NetworkConfig, profile: Profile
) -> None:
    found = worked(config, MPS, profile)

    assert gpu.ran > 1000
    expected = worked(config, torch.device("cpu"), profile)
    for one, other in zip(expected, found, strict=True):
        # The device resizes pictures itself, to another grey level here and there.
        assert np.abs(one - other).mean() < 0.05
        assert ((one > 0) != (other > 0)).mean() < 0.02


def test_an_intel_gpu_is_asked_for_nothing_that_it_refuses(intel: AppleGpu) -> None:
    found = worked(EMBEDDED_WAYS, XPU, EDITOR)

    assert intel.ran > 1000
    expected = worked(EMBEDDED_WAYS, torch.device("cpu"), EDITOR)
    for one, other in zip(expected, found, strict=True):
        assert ((one > 0) != (other > 0)).mean() < 0.02


def test_an_intel_gpu_is_found_tried_and_its_memory_counted(intel: AppleGpu, tmp_path: Path) -> None:
    make_tracker, _ = load_tracker_factory(str(weights(tmp_path)), "auto")
    assert (make_tracker.device, make_tracker.device_bytes) == ("xpu:0", 12 << 30)

    workspace = Workspace(XPU)
    workspace.run(lambda: None)
    assert workspace.most_bytes == 100 << 20
    about = devices.survey()["others"]
    assert about == [{"kind": "xpu", "name": "Intel Arc", "total": 12 << 30, "lacks": []}]
    with pytest.raises(RuntimeError, match="fp64"):
        torch.ones(2, dtype=torch.float64).to(XPU)


def test_looking_for_things_asks_for_nothing_that_is_refused(plain_gpu: AppleGpu) -> None:
    network = prepare_for_inference(TinyNetwork(HIERA), device=MPS)
    desk = Desk(network, DiscClip(width_px=128, height_px=70))
    desk.prompt(FramePrompts(1, 1001, (Click(20.0, 27.0),)))

    assert desk.tracker.seeker.propose(1, 1004, 3)


def test_what_the_device_lacks_runs_on_the_processor_by_name(gpu: AppleGpu) -> None:
    without = lacking(MPS)

    assert Operation.UNEVEN_POOLING in without  # a kernel refuses it, so torch does not fall back
    assert (Operation.LINEAR_SOLVE in without) is not gpu.falls_back
    assert lacking(torch.device("cpu")) == frozenset()
    assert bool(gpu.fell_back) is gpu.falls_back


@pytest.mark.parametrize(
    "refused",
    [
        lambda: torch.ones(2, dtype=torch.float64).to(MPS),
        lambda: torch.ones(2).to(MPS, non_blocking=True),
        lambda: functional.adaptive_avg_pool2d(torch.ones(1, 1, 16, 16).to(MPS), 5),
        lambda: functional.interpolate(
            torch.ones(1, 1, 8, 8).to(MPS), size=(4, 4), mode="bilinear", antialias=True
        ),
        lambda: torch.linalg.solve(torch.eye(2).to(MPS), torch.ones(2).to(MPS)),
        lambda: torch.ones(2).to(MPS) + torch.ones(2),
        lambda: torch.ones(2).to(MPS).numpy(),
        lambda: torch.ones(3, dtype=torch.int64).to(MPS).cumsum(0),
        lambda: functional.scaled_dot_product_attention(*(torch.ones(1, 1, 4, c).to(MPS) for c in (8, 8, 4))),
    ],
)
def test_the_stand_in_refuses(plain_gpu: AppleGpu, refused: object) -> None:
    assert callable(refused)
    with pytest.raises((TypeError, RuntimeError, AssertionError, NotImplementedError)):
        refused()


@pytest.mark.parametrize(
    ("there", "found"),
    [(("cuda", "mps", "xpu"), "cuda"), (("mps", "xpu"), "mps"), (("xpu",), "xpu"), ((), "cpu")],
)
def test_auto_takes_the_first_of_nvidia_apple_intel_and_the_processor(
    monkeypatch: pytest.MonkeyPatch, there: tuple[str, ...], found: str
) -> None:
    monkeypatch.setattr(devices, "device_count", lambda kind: int(kind in there or kind == "cpu"))

    assert find_device("auto").type == found


def test_a_device_that_tracks_as_the_processor_does_is_taken(plain_gpu: AppleGpu, tmp_path: Path) -> None:
    make_tracker, _ = load_tracker_factory(str(weights(tmp_path)), "auto")

    assert (make_tracker.device, make_tracker.device_bytes) == ("mps:0", 5 << 30)


def test_a_device_that_computes_something_else_is_left_for_the_processor(
    plain_gpu: AppleGpu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    plain_gpu.wrong.add("aten::gelu")
    file = weights(tmp_path)

    with caplog.at_level(logging.WARNING):
        make_tracker, _ = load_tracker_factory(str(file), "auto")

    assert make_tracker.device == "cpu"
    assert "the processor takes its place" in caplog.text
    with pytest.raises(BadInputError, match="say device auto or cpu"):
        load_tracker_factory(str(file), "mps")


def test_compiling_is_refused_where_nobody_has_tried_it(plain_gpu: AppleGpu, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="not for mps"):
        load_tracker_factory(str(weights(tmp_path)), "mps", compiled=True)


def test_a_full_apple_gpu_is_told_from_a_fault(plain_gpu: AppleGpu) -> None:
    def full() -> None:
        raise RuntimeError("MPS backend out of memory (MPS allocated: 5.56 GB, max allowed: 6.80 GB).")

    workspace = Workspace(MPS)
    with pytest.raises(DeviceMemoryError):
        workspace.run(full)

    assert workspace.most_bytes == 100 << 20
    assert memory_of(MPS) == 5 << 30


def weights(folder: Path) -> Path:
    file = folder / "small.safetensors"
    save_network(TinyNetwork(), file, licence="CC0-1.0")
    return file
