"""Pictures of the embedded model at work on filmed footage, from one click each.

    python server/benchmarks/draw_real_footage.py docs/images

The clip is ``cup.mp4`` of OpenCV's tutorials (217 frames of a hand that turns a bottle, 640x480), under
OpenCV's licence, Apache 2.0. It is taken from the Debian package ``opencv-doc`` (96 MB, fetched with apt,
unpacked but not installed) and kept in the user's cache folder; ``--clip`` names a copy instead.

``real_success.jpg`` and ``real_failure.jpg``: twelve frames, evenly spread, the result tinted, the click a
circle on the first frame.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

import masklet

Picture = NDArray[np.uint8]

_PACKAGE = "opencv-doc"
_INSIDE = "usr/share/doc/opencv-doc/opencv4/html/cup.mp4.gz"
_SHA256 = "37db9cee98f70b1458985a15ad2e5b0183e90e24c281b534afcf812e5986154f"
_COLUMNS, _ROWS = 4, 3
_TILE_WIDTH_PX, _TILE_HEIGHT_PX = 320, 240
_TINT = (255, 0, 160)
_CLICK = (255, 255, 0)


@dataclass(frozen=True)
class Subject:
    """What is clicked on the first frame, in pixels of the clip."""

    picture: str
    x_px: float
    y_px: float


SUBJECTS = (Subject("real_success.jpg", 340, 320), Subject("real_failure.jpg", 560, 265))


def main() -> None:
    """Fetch the clip, track each subject, draw its sheet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--clip", type=Path, help="cup.mp4, where it is there already")
    arguments = parser.parse_args()
    clip = arguments.clip or fetch(user_cache_path("masklet") / "real_footage")
    pictures = decode(clip)
    for subject in SUBJECTS:
        masks = track(clip, subject)
        sheet = contact_sheet(pictures, masks, subject)
        cv2.imwrite(str(arguments.out / subject.picture), sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
        areas = [float(masks[frame].mean()) for frame in sorted(masks)]
        print(f"{subject.picture}: {len(masks)} frames, {min(areas):.1%} to {max(areas):.1%} of the picture")


def fetch(folder: Path) -> Path:
    """The clip in a folder, from the Debian package if it is not there yet.

    Raises:
        SystemExit: The package cannot be fetched, or the clip in it is another one.
    """
    path = folder / "cup.mp4"
    if not path.is_file():
        with tempfile.TemporaryDirectory() as work:
            try:
                subprocess.run(["apt-get", "download", _PACKAGE], cwd=work, check=True)
                package = next(Path(work).glob("*.deb"))
                subprocess.run(["dpkg-deb", "-x", package.name, "tree"], cwd=work, check=True)
            except (OSError, subprocess.CalledProcessError) as error:
                raise SystemExit(f"{_PACKAGE} cannot be fetched ({error}): give --clip") from None
            content = gzip.decompress((Path(work) / "tree" / _INSIDE).read_bytes())
        if hashlib.sha256(content).hexdigest() != _SHA256:
            raise SystemExit(f"cup.mp4 of this {_PACKAGE} is not the clip that was tracked: look at it first")
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return path


def decode(clip: Path) -> list[Picture]:
    """All pictures, ``(h, w, 3)`` sRGB."""
    with av.open(str(clip)) as movie:
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in movie.decode(video=0)]


def track(clip: Path, subject: Subject) -> dict[int, NDArray[np.bool_]]:
    """Masks by index of the frame, after one click on the first."""
    with masklet.connect() as server, server.open(clip) as session:
        first = session.info().clip.frames.first
        clicked = session.object("subject")
        clicked.click(frame=first, x_px=subject.x_px, y_px=subject.y_px)
        return {update.frame - first: update.mask.as_array() >= 128 for update in session.track()}


def contact_sheet(pictures: list[Picture], masks: dict[int, NDArray[np.bool_]], subject: Subject) -> Picture:
    """``(h, w, 3)`` sRGB: frames evenly spread, row by row."""
    tiles = []
    for frame in np.linspace(0, len(pictures) - 1, _COLUMNS * _ROWS).astype(int).tolist():
        tinted = pictures[frame].copy()
        inside = masks[frame]
        tinted[inside] = (tinted[inside] * 0.5 + np.array(_TINT) * 0.5).astype(np.uint8)
        if frame == 0:
            cv2.circle(tinted, (round(subject.x_px), round(subject.y_px)), 12, _CLICK, 4, cv2.LINE_AA)
        tile = cv2.resize(tinted, (_TILE_WIDTH_PX, _TILE_HEIGHT_PX), interpolation=cv2.INTER_AREA)
        cv2.putText(tile, str(frame), (8, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 0), 1, cv2.LINE_AA)
        tiles.append(tile)
    rows = [np.hstack(tiles[at : at + _COLUMNS]) for at in range(0, len(tiles), _COLUMNS)]
    return np.asarray(np.vstack(rows), np.uint8)


if __name__ == "__main__":
    main()
