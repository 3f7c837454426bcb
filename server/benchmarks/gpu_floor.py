"""Operations and bytes of one frame, and the floor they give on two GPUs.

    python server/benchmarks/gpu_floor.py

Operations are counted by torch on a network without data, so that no GPU and no memory is needed:
two for each multiplication of a matrix product, convolution or attention. Bytes are what cannot be
avoided, all in bfloat16: every weight, the memories of all objects, and their projected keys in
each layer, which are written and read once. The floor is the larger of both times at the full
published speed of the device; a frame below it cannot be.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import torch
from bench_network import When, our_frame
from bench_official import MEMORIES, POINTERS, SteadyState
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from masklet_server.model.config import PRESETS
from masklet_server.model.network import Network, build_network

_SIDE_PX = 1024
# Published, without sparsity: bfloat16 operations and bytes a second.
_DEVICES = {"H100 SXM": (989e12, 3.35e12), "H200": (989e12, 4.8e12)}
_BYTES = 2


def operations_of(network: Network, objects: int) -> tuple[float, float]:
    """Operations of the picture alone, and of everything, for one frame in the steady state."""
    grid = _SIDE_PX // 16
    image = torch.empty(1, 3, _SIDE_PX, _SIDE_PX)
    state = SteadyState(torch.empty(objects, MEMORIES, 64, grid, grid), torch.empty(objects, POINTERS, 256))
    # With gradients on and fused attention off, plain operations are called, which are all counted.
    with sdpa_kernel(SDPBackend.MATH):
        with FlopCounterMode(display=False) as encoder:
            network.encode_image(image)
        with FlopCounterMode(display=False) as everything:
            our_frame(network, image, state, When.of(objects, "cpu"))
    return float(encoder.get_total_flops()), float(everything.get_total_flops())


def bytes_of(network: Network, objects: int) -> float:
    """Bytes that have to cross the device's memory for one frame."""
    weights = sum(parameter.numel() for parameter in network.parameters())
    grid = _SIDE_PX // 16
    tokens = MEMORIES * grid**2 + POINTERS * 4
    keys = 2 * tokens * network.config.width  # written by the projection, read by the attention
    memories = network.config.memory_layers * (tokens * network.config.memory_width * 2 + keys)
    return float(_BYTES * (weights + objects * memories))


def lines(size: str, objects: int) -> dict[str, Any]:
    """One line of the table."""
    with torch.device("meta"):
        network = build_network(PRESETS[f"sam2.1_hiera_{size}"]).eval()
    network.to_empty(device="cpu")  # never touched, so it costs no memory
    with FakeTensorMode(allow_non_fake_inputs=True):
        encoder, whole = operations_of(network, objects)
        moved = bytes_of(network, objects)
    return {
        "preset": network.config.name,
        "objects": objects,
        "encoder_gflop": round(encoder / 1e9),
        "gflop": round(whole / 1e9),
        "mbyte": round(moved / 1e6),
        "floor_ms": {
            name: round(1e3 * max(whole / speed, moved / width), 2)
            for name, (speed, width) in _DEVICES.items()
        },
    }


def main() -> None:
    """Print a line per size and number of objects."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--objects", type=int, nargs="+", default=[1, 4, 16])
    arguments = parser.parse_args()
    for size in ("tiny", "small", "base_plus", "large"):
        for objects in arguments.objects:
            print(json.dumps(lines(size, objects)), flush=True)


if __name__ == "__main__":
    main()
