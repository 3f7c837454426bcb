"""The official video predictor on stand-in weights and frames, for benchmarks and golden files.

Needs the package ``sam2`` from PyPI. Run as a script it writes golden files as
``masklet-server check-parity`` reads them::

    python official_video.py sam2.1_hiera_tiny KEYS_FOLDER OUT_FOLDER --seed 1 --size 64

KEYS_FOLDER holds ``NAME.keys.json``, the names and shapes of the weights.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import sam2.sam2_video_predictor as official
import torch
from bench_official import FramesInMemory, official_predictor

from masklet_server.evaluation.parity_stand_ins import CLIP_FRAMES, stand_in_frames, stand_in_weights
from masklet_server.model.config import PRESETS


class _Float32Memory:
    """Stands for torch inside the predictor, which would keep memories in bfloat16."""

    def __getattr__(self, name: str) -> Any:
        return torch.float32 if name == "bfloat16" else getattr(torch, name)


def write_golden(name: str, keys_folder: Path, out_folder: Path, *, seed: int, side_px: int) -> Path:
    """Run the cases of ``check-parity`` and store what the predictor returns and holds."""
    shapes = json.loads((keys_folder / f"{name}.keys.json").read_text(encoding="utf-8"))
    predictor = official_predictor(
        name, stand_in_weights(shapes, seed), device="cpu", compiled=False, side_px=side_px
    )
    frames = stand_in_frames(side_px, seed)
    official.torch = _Float32Memory()
    arrays: dict[str, Any] = {}
    with torch.inference_mode():
        levels = predictor.forward_image(frames[:1])["backbone_fpn"]
    arrays.update(
        {f"image/fpn{index}_mean_abs": level.abs().mean().numpy() for index, level in enumerate(levels)}
    )
    arrays["image/fpn2"] = levels[2].numpy()
    with FramesInMemory(frames), contextlib.redirect_stderr(io.StringIO()):
        _tracked_cases(predictor, side_px, arrays)
    out_folder.mkdir(parents=True, exist_ok=True)
    target = out_folder / f"{name}.seed{seed}.size{side_px}.npz"
    np.savez_compressed(target, **arrays)
    if out_folder != keys_folder:
        shutil.copy(keys_folder / f"{name}.keys.json", out_folder)
    return target


def _tracked_cases(predictor: Any, s: int, arrays: dict[str, Any]) -> None:
    def click(state: Any, frame: int, *points: tuple[float, float, int], object_id: int = 1) -> Any:
        places = np.array([point[:2] for point in points], np.float32)
        labels = np.array([point[2] for point in points], np.int32)
        return predictor.add_new_points_or_box(state, frame, object_id, points=places, labels=labels)[
            2
        ].numpy()

    def track(state: Any, **options: Any) -> None:
        for _ in predictor.propagate_in_video(state, **options):
            pass

    def collect(case: str, state: Any) -> None:
        for index, outputs in state["output_dict_per_obj"].items():
            for frame in range(CLIP_FRAMES):
                out = outputs["cond_frame_outputs"].get(frame) or outputs["non_cond_frame_outputs"][frame]
                place = f"{case}/object{index}/frame{frame:02d}"
                arrays[f"{place}/logits"] = out["pred_masks"].numpy()
                arrays[f"{place}/pointer"] = out["obj_ptr"].numpy()
                arrays[f"{place}/score"] = out["object_score_logits"].numpy()
                arrays[f"{place}/memory_mean_abs"] = out["maskmem_features"].abs().mean().numpy()

    state = predictor.init_state("stand-in")
    arrays["one_click/first"] = click(state, 0, (0.3 * s, 0.35 * s, 1))
    track(state)
    collect("one_click", state)
    arrays["correction/frame06"] = click(state, 6, (0.2 * s, 0.7 * s, 0), (0.5 * s, 0.45 * s, 1))
    track(state, start_frame_idx=6)
    track(state, start_frame_idx=6, reverse=True)
    collect("correction", state)

    state = predictor.init_state("stand-in")
    box = np.array([0.1 * s, 0.15 * s, 0.5 * s, 0.55 * s], np.float32)
    predictor.add_new_points_or_box(state, 0, 1, box=box)
    click(state, 3, (0.8 * s, 0.8 * s, 1), object_id=2)
    track(state)
    collect("two_objects", state)

    state = predictor.init_state("stand-in")
    mask = np.zeros((s, s), bool)
    mask[s // 5 : s // 2, s // 6 : s // 2] = True
    predictor.add_new_mask(state, 0, 1, mask)
    track(state)
    collect("mask_prompt", state)

    state = predictor.init_state("stand-in")
    for frame in (0, 2, 4, 6, 8):
        click(state, frame, (0.3 * s + 4 * frame, 0.35 * s + 2 * frame, 1))
    track(state, start_frame_idx=CLIP_FRAMES - 1, reverse=True)
    collect("many_prompts_reverse", state)


def main() -> None:
    """Write one golden file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=[name for name in PRESETS if "hiera" in name])
    parser.add_argument("keys_folder", type=Path)
    parser.add_argument("out_folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=256)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    print(write_golden(given.name, given.keys_folder, given.out_folder, seed=given.seed, side_px=given.size))


if __name__ == "__main__":
    main()
