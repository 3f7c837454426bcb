"""What one picture costs: our image path beside a network of the first SAM's size, in operations and in time.

    python server/benchmarks/bench_pictures.py            # operations, and times of the embedded network
    python server/benchmarks/bench_pictures.py --largest  # times of Hiera-B+ and of ViT-H too: minutes, 5 GB

The first SAM's image encoder is ViT-H (A. Kirillov et al., "Segment Anything", 2023): 32 layers, 1280 wide,
4096 tokens, windows of 14 but in four layers. Here it has random weights and no relative positions, which
cost little.
Operations are multiplications with an addition, counted by torch. One picture, one run after a warm-up of the
small ones.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial

import torch
from records import begin, write_line
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from masklet_server.model.checkpoint import load_network
from masklet_server.model.config import PRESETS
from masklet_server.model.many_clicks import ManyClicks
from masklet_server.model.network import Network, build_network
from masklet_server.model.store import find_weights


class FirstSamLayer(nn.Module):
    """One layer of ViT-H; windows of 14 tokens along a side, or none."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.lin1, self.lin2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, h, w, C)`` to the same."""
        y = self.norm1(x)
        rows, columns = y.shape[1:3]
        side = self.window or rows
        pad = -rows % side
        y = functional.pad(y, (0, 0, 0, pad, 0, pad))
        count = y.shape[1] // side
        y = y.reshape(count, side, count, side, -1).transpose(1, 2).reshape(count * count, side * side, -1)
        q, k, v = self.qkv(y).reshape(*y.shape[:2], 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        y = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        y = self.proj(y).reshape(count, count, side, side, -1).transpose(1, 2)
        x = x + y.reshape(1, rows + pad, columns + pad, -1)[:, :rows, :columns]
        return x + self.lin2(functional.gelu(self.lin1(self.norm2(x))))


class FirstSam(nn.Module):
    """An image encoder of ViT-H's size."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 1280, 16, 16)
        self.layers = nn.ModuleList(
            FirstSamLayer(1280, 16, 0 if index in (7, 15, 23, 31) else 14) for index in range(32)
        )
        self.neck = nn.Sequential(nn.Conv2d(1280, 256, 1), nn.Conv2d(256, 256, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        """``(1, 3, 1024, 1024)`` to ``(1, 256, 64, 64)``."""
        x = self.patches(x).permute(0, 2, 3, 1)
        for layer in self.layers:
            x = layer(x)
        y: Tensor = self.neck(x.permute(0, 3, 1, 2))
        return y


def path_of(network: Network) -> Callable[[], object]:
    """A picture and one click."""
    side = network.config.image_side_px
    picture = torch.randn(1, 3, side, side, device=network.device)
    point = torch.full((1, 2), side / 2, device=network.device)

    def work() -> object:
        clicks = ManyClicks(network, network.encode_image(picture))
        return clicks.masks(clicks.answers(point), torch.zeros(1, dtype=torch.int64, device=network.device))

    return work


def operations(work: Callable[[], object]) -> float:
    """Billions of multiplications with an addition."""
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops() / 2e9


def seconds(work: Callable[[], object], *, warm: bool) -> float:
    """Of the processor, for one run on one thread: what else the machine does hardly matters."""
    if warm:
        work()
    started_s = time.process_time()
    work()
    return time.process_time() - started_s


@torch.inference_mode()
def main() -> None:
    """Count, time, print a line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--largest", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    begin("bench_pictures", weights="masklet_embedded", footage="noise")
    embedded = load_network(find_weights("masklet_embedded"))
    names = ["masklet_embedded", "sam2.1_hiera_tiny", "sam2.1_hiera_base_plus", "sam2.1_hiera_large"]
    with torch.device("meta"):
        shapes = {name: build_network(PRESETS[name]).eval() for name in names}
        first = FirstSam().eval()
        picture = torch.empty(1, 3, 1024, 1024)
    whole = operations(lambda: first(picture))
    gmacs = {"first SAM, ViT-H": whole}
    for name, network in shapes.items():
        side = network.config.image_side_px
        gmacs[name] = operations(partial(network.encode_image, picture[..., :side, :side]))
    for name, gmac in gmacs.items():
        ratio = round(whole / gmac, 1)
        write_line(
            {"case": "operations", "network": name, "gmac": round(gmac, 1), "first_sam_over_it": ratio}
        )
    took_s = {"masklet_embedded": seconds(path_of(embedded), warm=True)}
    if arguments.largest:
        middle = build_network(PRESETS[names[2]]).eval()
        took_s[names[2]] = seconds(path_of(middle), warm=False)
        large, noise = FirstSam().eval(), torch.randn(1, 3, 1024, 1024)
        took_s["first SAM, ViT-H"] = seconds(lambda: large(noise), warm=False)
    for name, value_s in took_s.items():
        write_line({"case": "time", "network": name, "seconds_a_picture": round(value_s, 3)})


if __name__ == "__main__":
    main()
