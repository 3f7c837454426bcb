"""What one picture costs: our image path beside a network of the first SAM's size, in operations and in time.

    python server/benchmarks/bench_pictures.py            # operations, and times of the embedded network
    python server/benchmarks/bench_pictures.py --largest  # times of Hiera-B+ and of ViT-H too: minutes, 5 GB
    python server/benchmarks/bench_pictures.py --stills   # masklet roto --stills, one and four at a time

The first SAM's image encoder is ViT-H (A. Kirillov et al., "Segment Anything", 2023): 32 layers, 1280 wide,
4096 tokens, windows of 14 but in four layers. Here it has random weights and no relative positions, which
cost little.
Operations are multiplications with an addition, counted by torch. One picture, one run after a warm-up of the
small ones. "Stacked" are four pictures in one call of the image encoder.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from records import begin, write_line
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

import masklet
from masklet.clip_reading import AS_FILES_SAY
from masklet.commands import stills
from masklet.commands.progress import Progress
from masklet.deliveries import Existing
from masklet.events import MatteFormat
from masklet.types import Click, FramePrompts, ObjectInfo, PromptDocument
from masklet_server.model.checkpoint import load_network
from masklet_server.model.config import PRESETS
from masklet_server.model.many_clicks import ManyClicks
from masklet_server.model.network import Network, build_network
from masklet_server.model.store import find_weights

STILLS = 12


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


def time_stills() -> None:
    """Pictures a second of ``masklet roto --stills`` on a server that runs already, in turn."""
    with tempfile.TemporaryDirectory() as folder, masklet.connect() as server:
        draw = np.random.default_rng(1)
        for number in range(STILLS):
            coarse = draw.integers(0, 255, (9, 16, 3), np.uint8)
            cv2.imwrite(f"{folder}/{number:02d}.png", cv2.resize(coarse, (1920, 1080)))
        pictures = stills.stills_in(Path(folder))
        clicks = tuple(FramePrompts(1, each.number, (Click(960.0, 540.0),)) for each in pictures)
        numbers = tuple(each.number for each in pictures)
        document = PromptDocument((ObjectInfo(1, "thing", numbers),), clicks)
        for turn, at_once in enumerate((1, 4, 1, 4, 1)):
            stills.AT_ONCE = at_once
            started_s = time.perf_counter()
            done = stills.roto_stills(
                server,
                pictures,
                document,
                Path(folder) / f"mattes_{turn}",
                reading=AS_FILES_SAY,
                matte_format=MatteFormat.EXR_LAYERS,
                raw_edges=False,
                existing=Existing.KEEP,
                progress=Silent(),
            )
            took_s = time.perf_counter() - started_s
            failed = [each.error for each in done if each.error]
            # The first turn is for warming up.
            if turn:
                per_s = round(len(done) / took_s, 2)
                write_line({"case": "stills", "at_once": at_once, "pictures_per_s": per_s, "failed": failed})


class Silent(Progress):
    """Says nothing."""

    def say(self, sentence: str) -> None:  # noqa: D102
        pass


@torch.inference_mode()
def main() -> None:
    """Count, time, print a line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--largest", action="store_true")
    parser.add_argument("--stills", action="store_true")
    arguments = parser.parse_args()
    begin("bench_pictures", weights="masklet_embedded", footage="noise")
    if arguments.stills:
        time_stills()
        return
    torch.set_num_threads(1)
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
    tiny = build_network(PRESETS[names[1]]).eval()
    took_s[names[1]] = seconds(path_of(tiny), warm=True)
    for network in (embedded, tiny):
        for count in (1, 4):
            side = network.config.image_side_px
            pictures = torch.randn(count, 3, side, side)
            value_s = seconds(partial(network.encode_image, pictures), warm=True) / count
            name = f"{network.config.name}, encoder, {count} stacked"
            took_s[name] = value_s
    if arguments.largest:
        middle = build_network(PRESETS[names[2]]).eval()
        took_s[names[2]] = seconds(path_of(middle), warm=False)
        large, noise = FirstSam().eval(), torch.randn(1, 3, 1024, 1024)
        took_s["first SAM, ViT-H"] = seconds(lambda: large(noise), warm=False)
    for name, value_s in took_s.items():
        write_line({"case": "time", "network": name, "seconds_a_picture": round(value_s, 3)})


if __name__ == "__main__":
    main()
