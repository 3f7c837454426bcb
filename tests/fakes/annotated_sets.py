"""Small data sets in every layout, made on the spot: a bright square that moves over noise."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from masklet_server.evaluation.rle import encode_rle

WIDTH_PX, HEIGHT_PX = 96, 64
# A palette shorter than 256 colours would be packed into fewer bits, and 255 would be lost.
PALETTE = [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0] + [200] * (3 * 252)


def square(object_id: int, frame: int) -> NDArray[np.bool_]:
    """The mask of object 1 (moves right) or 2 (moves left) on a frame."""
    mask = np.zeros((HEIGHT_PX, WIDTH_PX), np.bool_)
    left_px = 10 + 4 * frame if object_id == 1 else 70 - 4 * frame
    top_px = 8 if object_id == 1 else 36
    mask[top_px : top_px + 20, left_px : left_px + 16] = True
    return mask


def picture(frame: int) -> NDArray[np.uint8]:
    """The picture of a frame, ``(h, w, 3)``."""
    rng = np.random.default_rng(7)
    ground = cv2.GaussianBlur(rng.integers(0, 120, (HEIGHT_PX, WIDTH_PX, 3)).astype(np.uint8), (0, 0), 2)
    texture = rng.integers(150, 255, (20, 16, 3)).astype(np.uint8)
    shown = ground.copy()
    for object_id in (1, 2):
        mask = square(object_id, frame)
        shown[mask] = texture[: 20 * 16].reshape(-1, 3)[: int(mask.sum())]
    return shown


def write_pictures(folder: Path, frames: range, *, digits: int = 5) -> None:
    folder.mkdir(parents=True)
    for frame in frames:
        cv2.imwrite(str(folder / f"{frame:0{digits}}.jpg"), cv2.cvtColor(picture(frame), cv2.COLOR_RGB2BGR))


def write_binary(path: Path, mask: NDArray[np.bool_]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask.astype(np.uint8) * 255).save(path)


def write_palette(path: Path, labels: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    indexed = Image.fromarray(labels).convert("P")
    indexed.frombytes(labels.tobytes())
    indexed.putpalette(PALETTE)
    indexed.save(path)


def labels(frame: int, object_ids: tuple[int, ...]) -> NDArray[np.uint8]:
    packed = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
    for object_id in object_ids:
        packed[square(object_id, frame)] = object_id
    return packed


def write_plain(root: Path, *, frames: int = 6) -> Path:
    """One sequence ``walk`` with frames and masks."""
    write_pictures(root / "walk" / "frames", range(frames))
    for frame in range(frames):
        write_binary(root / "walk" / "masks" / f"{frame:05}.png", square(1, frame))
    return root


def write_davis_2016(root: Path) -> Path:
    write_pictures(root / "JPEGImages" / "480p" / "walk", range(5))
    for frame in range(5):
        write_binary(root / "Annotations" / "480p" / "walk" / f"{frame:05}.png", square(1, frame))
    return root


def write_davis_2017(root: Path) -> Path:
    """Two sequences with two objects, a list ``val`` that has one of them."""
    for name in ("walk", "run"):
        write_pictures(root / "JPEGImages" / "480p" / name, range(5))
        for frame in range(5):
            packed = labels(frame, (1, 2))
            packed[0, 0] = 255
            write_palette(root / "Annotations" / "480p" / name / f"{frame:05}.png", packed)
    (root / "ImageSets" / "2017").mkdir(parents=True)
    (root / "ImageSets" / "2017" / "val.txt").write_text("walk\n")
    return root


def write_youtube_vos(root: Path) -> Path:
    """Every other frame annotated; object 2 comes in on frame 4."""
    write_pictures(root / "JPEGImages" / "0a1b", range(9))
    for frame in range(0, 9, 2):
        packed = labels(frame, (1,) if frame < 4 else (1, 2))
        write_palette(root / "Annotations" / "0a1b" / f"{frame:05}.png", packed)
    return root


def write_lvos(root: Path) -> Path:
    """Eight digits, and a first frame that is not zero."""
    write_pictures(root / "JPEGImages" / "kart", range(1, 8), digits=8)
    for frame in range(1, 8):
        write_palette(root / "Annotations" / "kart" / f"{frame:08}.png", labels(frame, (1,)))
    return root


def write_sa_v_val(root: Path) -> Path:
    """One PNG per object, every fourth frame, object 1 from frame 4 on."""
    write_pictures(root / "JPEGImages_24fps" / "sav_000007", range(13))
    for object_id, first in ((0, 0), (1, 4)):
        for frame in range(first, 13, 4):
            path = root / "Annotations_6fps" / "sav_000007" / f"{object_id:03}" / f"{frame:05}.png"
            write_binary(path, square(object_id + 1, frame))
    return root


def write_sa_v_train(root: Path) -> Path:
    """An annotation file beside a folder of pictures."""
    write_pictures(root / "sav_000" / "sav_000009", range(10))
    codes = [
        [{"size": [HEIGHT_PX, WIDTH_PX], "counts": encode_rle(square(n, frame))} for n in (1, 2)]
        for frame in range(0, 10, 4)
    ]
    content = {
        "video_id": "sav_000009",
        "video_frame_count": 10.0,
        "video_height": float(HEIGHT_PX),
        "video_width": float(WIDTH_PX),
        "masklet": codes,
        "masklet_id": [0, 1],
        "masklet_edited_frame_count": [2, 1],
        "masklet_type": ["manual", "manual"],
    }
    (root / "sav_000" / "sav_000009_manual.json").write_text(json.dumps(content))
    return root
