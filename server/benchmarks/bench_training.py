"""Times training steps, composing included, and the convolutions that a small trunk hangs on.

    PYTHONPATH=core:server python server/benchmarks/bench_training.py --pack runs/material.pack \
        --megapixels 20,40 --shapes 4x384,8x448 --steps 8 [--profile] [--device cpu]

One JSON line per case. The first cases time a depthwise convolution forward and backward in both
memory layouts: which of them is fast differs between processors and versions by factors.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from pathlib import Path

import torch
from records import begin, write_line

from masklet_server.training.composer import ClipComposer
from masklet_server.training.config import load_config
from masklet_server.training.distributed import join_team
from masklet_server.training.material.pack import load_material
from masklet_server.training.probe import Trial, profile_step, run_trial

CHANNELS = 208
GRID = 24
PICTURES = 256


def synchronize(device: torch.device) -> None:
    """Wait for the device: launches are asynchronous."""
    if device.type == "cuda":
        torch.cuda.synchronize()


def time_depthwise(device: torch.device, layout: torch.memory_format, *, repeats: int) -> float:
    """Milliseconds for a 5x5 depthwise convolution, forward and backward, in bfloat16."""
    torch.manual_seed(0)
    pictures = PICTURES if device.type == "cuda" else 4
    convolution = torch.nn.Conv2d(CHANNELS, CHANNELS, 5, padding=2, groups=CHANNELS, bias=False)
    convolution.to(device, torch.bfloat16)
    x = torch.randn(pictures, CHANNELS, GRID, GRID, device=device, dtype=torch.bfloat16)
    x = x.contiguous(memory_format=layout).requires_grad_()
    for repeat in range(repeats + 2):
        if repeat == 2:
            synchronize(device)
            started_s = time.perf_counter()
        y = convolution(x)
        y.backward(y.detach())
    synchronize(device)
    return 1e3 * (time.perf_counter() - started_s) / repeats


def main() -> None:
    """Run all cases."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", default="embedded")
    parser.add_argument("--pack", type=Path, default=Path("runs/material.pack"))
    parser.add_argument("--megapixels", default="20,40")
    parser.add_argument("--shapes", default="4x384,8x448")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--device")
    arguments = parser.parse_args()
    begin("bench_training", footage=f"clips composed of {arguments.pack.name}")

    started_s = time.monotonic()
    team = join_team(arguments.device)
    torch.set_float32_matmul_precision("high")
    name = torch.cuda.get_device_name() if team.device.type == "cuda" else "cpu"
    about = {"device": name, "torch": torch.__version__}
    for autotune in (False, True):
        torch.backends.cudnn.benchmark = autotune
        for layout in (torch.channels_last, torch.contiguous_format):
            milliseconds = time_depthwise(team.device, layout, repeats=10)
            case = {
                "case": "depthwise",
                "layout": str(layout),
                "autotune": autotune,
                "ms": round(milliseconds, 3),
            }
            write_line({**case, **about})

    config = load_config(arguments.config)
    material = load_material(arguments.pack, device=team.device)
    source = ClipComposer(material, device=team.device, seed=1)
    write_line({"case": "start", "seconds": round(time.monotonic() - started_s, 1)})
    shapes = [tuple(int(part) for part in shape.split("x")) for shape in arguments.shapes.split(",")]
    trials = [Trial(float(size), *shape) for shape in shapes for size in arguments.megapixels.split(",")]
    for trial, autotune in [*((trial, False) for trial in trials), (trials[0], True)]:
        torch.backends.cudnn.benchmark = autotune
        result = dataclasses.asdict(run_trial(config, source, team, trial, steps=arguments.steps))
        at_s = round(time.monotonic() - started_s, 1)
        write_line({"case": "step", **result, "autotune": autotune, "at_s": at_s, **about})
    if arguments.profile:
        torch.backends.cudnn.benchmark = False
        profile_step(config, source, team, trials[0], print)


if __name__ == "__main__":
    main()
