"""Trunks of the embedded model by accuracy per millisecond: short trainings, all else equal.

    PYTHONPATH=core:server OMP_NUM_THREADS=1 python server/benchmarks/bench_trunks.py \
        --pack runs/material.pack --data DAVIS --steps 150 [--only embedded,lean] [--repeat embedded] \
        [--behind shipped] [--out runs/trunks] [--results FILE]

Every candidate is trained from the same seed on the same batches, for the same number of steps, with the same
network behind it. Then three things are measured: J of prompted and of tracked frames on generated
clips of another seed; J&F from a first mask on annotated sequences that no training saw; milliseconds of
trunk and of whole frames, folded as the engine uses them, all candidates alternating. A candidate
named by ``--repeat`` is trained once more from another seed: what it differs from itself is the noise
that differences between candidates must exceed.

Batches are composed once and kept in ``--out``, and so are weights and figures of each training; one that
was cut off goes on from its checkpoint. With ``--behind shipped`` the network behind the image encoder
starts from the embedded model's weights, with ``fresh`` from nothing; trunk and neck always start from
nothing. Prints one JSON line per training and a table; lines go to the end of ``--results``, too.
"""

from __future__ import annotations

import argparse
import datetime
import json
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from records import provenance
from safetensors.torch import load_file, save_file
from trunk_figures import (
    UNSEEN,
    Accuracy,
    machine,
    measure_footage,
    measure_generated,
    measure_speed,
    pareto_front,
    table,
)

from masklet_server.evaluation.datasets import open_dataset
from masklet_server.model.checkpoint import read_checkpoint
from masklet_server.model.config import EMBEDDED, ConvTrunkConfig, HieraConfig
from masklet_server.model.network import build_network
from masklet_server.model.store import find_weights
from masklet_server.training.clips import ClipBatch
from masklet_server.training.composer import ClipComposer
from masklet_server.training.config import load_config
from masklet_server.training.distributed import join_team
from masklet_server.training.loop import Piece, Trainer, train
from masklet_server.training.material.pack import load_material

if TYPE_CHECKING:
    from torch import Tensor

    from masklet_server.training.config import TrainingConfig

CANDIDATES: dict[str, ConvTrunkConfig | HieraConfig] = {
    # The trunk that ships.
    "embedded": ConvTrunkConfig((32, 80, 208, 320), (1, 2, 9, 2)),
    # Half as deep at stride 16 and wider everywhere, after the half-hour trial's 48, 96, 160.
    "wide": ConvTrunkConfig((48, 96, 240, 384), (1, 2, 5, 1)),
    # Blocks moved from stride 16 to stride 8, where small things still show.
    "stride8": ConvTrunkConfig((32, 96, 192, 256), (1, 6, 5, 1)),
    # Less than half the milliseconds, and no attention.
    "lean": ConvTrunkConfig((32, 64, 144, 256), (1, 1, 6, 1), attention_blocks=0),
    # The family's own transformer, cut down to about the same milliseconds.
    "hiera": HieraConfig(24, 1, (1, 2, 5, 1), (6,), windows=(8, 4, 8, 8)),
}
COMPOSER_SEED = 40_000_000
REPEAT_SEED = 2


class KeptClips:
    """Composed batches, each made when it is first asked for and read from a file ever after.

    Args:
        folder: Of the files, one for each batch of each shape.
        pack: The material; read only if a batch is missing.
    """

    def __init__(self, folder: Path, pack: Path) -> None:
        self._folder = folder
        self._pack = pack
        self._material: Any = None
        self._given: dict[str, int] = {}

    def compose(self, batch: int, frames: int, side_px: int, objects: int) -> ClipBatch:
        """The next batch of this shape: the n-th one is the same in every run."""
        shape = f"{batch}x{frames}x{side_px}x{objects}"
        number = self._given[shape] = self._given.get(shape, 0) + 1
        path = self._folder / f"{shape}-{number:04d}.safetensors"
        if not path.exists():
            self._make(path, (batch, frames, side_px, objects), number)
        kept = load_file(path)
        return ClipBatch(
            kept["images"].float() / 255.0, kept["alphas"] > 127, kept["alphas"], kept["valid"].bool()
        )

    def _make(self, path: Path, shape: tuple[int, int, int, int], number: int) -> None:
        if self._material is None:
            self._material = load_material(self._pack, device="cpu")
        made = ClipComposer(self._material, device="cpu", seed=COMPOSER_SEED + number).compose(*shape)
        images = (made.images * 255.0).round().to(torch.uint8)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        save_file({"images": images, "alphas": made.alphas, "valid": made.valid.to(torch.uint8)}, unfinished)
        unfinished.rename(path)

    def state(self) -> Tensor:
        """How many batches of each shape were given."""
        return torch.tensor(list(json.dumps(self._given).ljust(400).encode()), dtype=torch.uint8)

    def restore(self, state: Tensor) -> None:
        """Go on from a :meth:`state`."""
        self._given = json.loads(bytes(state.tolist()).decode())


def weights_behind(config: TrainingConfig) -> dict[str, Tensor]:
    """Fresh weights for the image encoder, the embedded model's for everything else."""
    torch.manual_seed(config.seed)
    fresh = build_network(config.network).state_dict()
    shipped = read_checkpoint(find_weights(EMBEDDED.name)).state
    return {
        name: tensor if name.startswith("image_encoder.") else shipped[name].to(tensor.dtype)
        for name, tensor in fresh.items()
    }


def train_candidate(name: str, seed: int, chosen: argparse.Namespace) -> tuple[Path, float]:
    """Weights of one training, made now or earlier, and the seconds of its steps."""
    folder = chosen.out / f"{name}-{seed}"
    config = load_config(chosen.config)
    network = replace(config.network, name=f"trunk_{name}", trunk=CANDIDATES[name])
    config = replace(config, network=network, steps=chosen.steps, seed=seed)
    start = weights_behind(config) if chosen.behind == "shipped" else None
    team = join_team("cpu")
    trainer = Trainer(config, KeptClips(chosen.out / "clips", chosen.pack), team, start=start)
    if list(folder.glob("checkpoint-*")):
        trainer.restore(folder)
    piece = Piece(minutes=None, started_s=time.monotonic(), checkpoint_s=120.0, log_steps=10)
    if trainer.progress < 1.0:
        print(f"{name}, seed {seed}: from step {trainer.step}", flush=True)
        train(trainer, folder, piece, report=lambda line: print(line, flush=True))
    return folder / "weights.safetensors", trainer.elapsed_s


def main() -> None:
    """Train, measure, print and keep."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--pack", type=Path, default=Path("runs/material.pack"))
    options.add_argument("--data", type=Path, required=True, help="annotated sequences to measure on")
    options.add_argument("--sequences", default="", help="only these, separated by commas")
    options.add_argument("--limit", type=int, default=12, help="frames of each sequence")
    options.add_argument("--config", default="trunks")
    options.add_argument("--steps", type=int, default=150)
    options.add_argument("--side", type=int, default=256, help="of footage, in pixels")
    options.add_argument("--only", default=",".join(CANDIDATES))
    options.add_argument("--repeat", default="embedded", help="candidates trained twice")
    options.add_argument("--behind", choices=("fresh", "shipped"), default="fresh")
    options.add_argument("--out", type=Path, default=Path("runs/trunks"))
    options.add_argument("--results", type=Path, help="file of JSON lines to add to")
    chosen = options.parse_args()

    repeated = chosen.repeat.split(",")
    runs = [
        (name, seed)
        for name in chosen.only.split(",")
        for seed in (load_config(chosen.config).seed, REPEAT_SEED)
        if seed != REPEAT_SEED or name in repeated
    ]
    clips = open_dataset(
        chosen.data,
        sequences=[name for name in chosen.sequences.split(",") if name],
        frame_limit=chosen.limit,
    )
    accuracy: dict[tuple[str, int], Accuracy] = {}
    weights: dict[str, Path] = {}
    seconds: dict[tuple[str, int], float] = {}
    for name, seed in runs:
        made, seconds[name, seed] = train_candidate(name, seed, chosen)
        weights.setdefault(name, made)
        kept = made.with_name("accuracy.json")
        if not kept.exists():
            prompted, tracked = measure_generated(made, KeptClips(chosen.out / "unseen", chosen.pack))
            footage = measure_footage(made, clips, side_px=chosen.side)
            kept.write_text(json.dumps(asdict(Accuracy(prompted, tracked, footage))), "utf-8")
        accuracy[name, seed] = Accuracy(**json.loads(kept.read_text("utf-8")))
        print(f"{name}, seed {seed}: {accuracy[name, seed]}", flush=True)
    speed = measure_speed(weights)
    about = {
        "case": "trunk",
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "torch": torch.__version__,
        "steps": chosen.steps,
        "behind": chosen.behind,
        "footage": {"data": chosen.data.name, "side_px": chosen.side, "frame_limit": chosen.limit},
        "generated": UNSEEN,
    }
    whence = provenance(footage=chosen.data.name, sequences=[clip.name for clip in clips])
    lines = [
        json.dumps(
            {
                **about,
                "trunk": name,
                "seed": seed,
                "training_s": round(seconds[name, seed]),
                **accuracy[name, seed].as_json(),
                **speed[name].as_json(),
            }
        )
        for name, seed in runs
    ]
    lines.insert(0, json.dumps({"record": "bench_trunks", **whence}))
    print("\n".join(lines))
    print(table(accuracy, speed, front=pareto_front(accuracy, speed)))
    if chosen.results is not None:
        with chosen.results.open("a", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    main()
