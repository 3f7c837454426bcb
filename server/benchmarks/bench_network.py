"""Frames per second of the network against the official package, same weights, same run.

    python server/benchmarks/bench_network.py --objects 1 4
    python server/benchmarks/bench_network.py --device cuda --objects 1 16

Steady state of a long clip: every object attends to 7 memory maps and 16 pointers, gets its
mask, and writes a memory. The frames of both alternate, so that a busy machine slows both.
Prints one JSON line per case: median milliseconds of a frame, their ratio, and the largest
difference between the outputs. On CUDA the official predictor runs as published for speed
(``vos_optimized``, bfloat16 autocast), ours in bfloat16, compiled and replayed as graphs; all else
that is asked of a GPU is in ``bench_gpu.py``.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from bench_official import MEMORIES, POINTERS, SteadyState, official_frame, official_predictor
from records import begin, write_line
from torch import Tensor

from masklet_server.engine.accelerate import choose_attention, compile_network, replay_network
from masklet_server.engine.replay import GraphRecorder
from masklet_server.model.checkpoint import prepare_for_inference
from masklet_server.model.config import PRESETS
from masklet_server.model.network import Network, build_network

_WARM_UP = 2  # a recording is there from the third call on, and the comparison makes the first


@dataclass(frozen=True, eq=False)
class When:
    """Where in time the memories lie: temporal codes of maps, distances of pointers."""

    slots: Tensor
    distance: Tensor

    @staticmethod
    def of(batch: int, device: str) -> When:
        """The prompted frame's code is the last, the newest frame's the first."""
        slots = torch.tensor([MEMORIES - 1, *range(MEMORIES - 1)], device=device)
        distance = torch.tensor([100.0, *range(1, POINTERS)], device=device)
        return When(slots.expand(batch, -1), distance.expand(batch, -1))


def our_frame(network: Network, image: Tensor, state: SteadyState, when: When) -> tuple[Tensor, Tensor]:
    """One frame of all objects: mask logits ``(B, 1, S/4, S/4)`` and memories ``(B, M, h, w)``."""
    features = network.encode_image(image)
    conditioned = network.attend_memory(
        features.embedding,
        maps=state.maps,
        slots=when.slots,
        pointers=state.pointers,
        pointer_distance=when.distance,
        max_distance=POINTERS - 1.0,
    )
    decoded = network.decode(
        features,
        conditioned,
        points=None,
        labels=None,
        mask_logits=None,
        multimask=True,
        stability_fallback=True,
    )
    full = torch.nn.functional.interpolate(
        decoded.best_logits, image.shape[-2:], mode="bilinear", align_corners=False
    )
    memory = network.encode_memory(features.embedding, full, decoded.presence_logit, binarise=False)
    return decoded.best_logits, memory


def time_alternating(
    ours: Callable[[], Any], theirs: Callable[[], Any], *, repeats: int, synchronise: Callable[[], None]
) -> tuple[list[float], list[float], list[float], list[float]]:
    """Wall and processor seconds of each frame: ours, theirs, ours, theirs."""
    wall: tuple[list[float], list[float]] = ([], [])
    processor: tuple[list[float], list[float]] = ([], [])
    for repeat in range(_WARM_UP + repeats):
        for which, frame in enumerate((ours, theirs)):
            synchronise()
            started, processor_started = time.perf_counter(), time.process_time()
            frame()
            synchronise()
            if repeat >= _WARM_UP:
                wall[which].append(time.perf_counter() - started)
                processor[which].append(time.process_time() - processor_started)
    return wall[0], wall[1], processor[0], processor[1]


@torch.inference_mode()
def run_case(
    network: Network, predictor: Any, *, objects: int, repeats: int, side_px: int, device: str
) -> dict[str, Any]:
    """One line of results."""
    generator = torch.Generator().manual_seed(0)
    grid = side_px // 16
    image = torch.randn(1, 3, side_px, side_px, generator=generator).to(device)
    state = SteadyState(
        torch.randn(objects, MEMORIES, 64, grid, grid, generator=generator).to(device),
        torch.randn(objects, POINTERS, 256, generator=generator).to(device),
    )
    cuda = device == "cuda"
    low = SteadyState(state.maps.to(network.dtype), state.pointers.to(network.dtype))

    when = When.of(objects, device)

    def ours() -> tuple[Tensor, Tensor]:
        return our_frame(network, image, low, when)

    def theirs() -> tuple[Tensor, Tensor]:
        with torch.autocast("cuda", torch.bfloat16, enabled=cuda):
            return official_frame(predictor, image, state)

    difference = [float((a.float() - b.float()).abs().max()) for a, b in zip(ours(), theirs(), strict=True)]
    wall_ours, wall_theirs, processor_ours, processor_theirs = time_alternating(
        ours, theirs, repeats=repeats, synchronise=torch.cuda.synchronize if cuda else lambda: None
    )
    result = {
        "objects": objects,
        "ours_ms": round(1e3 * statistics.median(wall_ours), 2),
        "official_ms": round(1e3 * statistics.median(wall_theirs), 2),
        "ratio": round(statistics.median(wall_theirs) / statistics.median(wall_ours), 3),
        "largest_difference": {"logits": difference[0], "memory": difference[1]},
    }
    if not cuda:
        # Time on the processor is what a machine busy with other work still measures fairly.
        result["processor_ratio"] = round(
            statistics.median(processor_theirs) / statistics.median(processor_ours), 3
        )
    return result


def main() -> None:
    """Time all cases and print a JSON line for each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preset", default="sam2.1_hiera_tiny", choices=sorted(PRESETS))
    parser.add_argument("--objects", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--side-px", type=int, default=1024)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--threads", type=int, default=0, help="of the CPU; 0 leaves torch's choice")
    arguments = parser.parse_args()
    begin("bench_network", footage="noise; weights are synthetic", preset=arguments.preset)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)

    cuda = arguments.device == "cuda"
    torch.manual_seed(0)
    network = build_network(PRESETS[arguments.preset])
    # Random weights call most objects absent, and absent objects have no mask to compare.
    with torch.no_grad():
        network.get_parameter("sam_mask_decoder.pred_obj_score_head.layers.2.bias").fill_(10.0)
    weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    predictor = official_predictor(
        arguments.preset, weights, device=arguments.device, compiled=cuda, side_px=arguments.side_px
    )
    prepare_for_inference(network, device=arguments.device, dtype=torch.bfloat16 if cuda else torch.float32)
    if cuda:
        for objects in arguments.objects:
            choose_attention(network, objects)
        replay_network(compile_network(network), GraphRecorder())
    for objects in arguments.objects:
        result = run_case(
            network,
            predictor,
            objects=objects,
            repeats=arguments.repeats,
            side_px=arguments.side_px,
            device=arguments.device,
        )
        about = {
            "case": "steady_state",
            "preset": arguments.preset,
            "side_px": arguments.side_px,
            "device": torch.cuda.get_device_name() if cuda else f"cpu, {torch.get_num_threads()} threads",
            "torch": torch.__version__,
        }
        write_line({**about, **result})


if __name__ == "__main__":
    main()
