"""What decoding in a process of its own costs: pictures a second here and there, the same files.

    taskset -c 0,1 python server/benchmarks/bench_decoding.py > server/benchmarks/results/decoding.jsonl

Clips are read whole, in order, here and there in turn: confined decoders work on the next picture while the
last one is used, and FFmpeg's threads do so everywhere. Prints one JSON line a case: median milliseconds for
a picture in this process and for one from a confined decoder, and their ratio (above 1: the decoder is
faster). The target is 0.9 or more. ``ratio_cpu`` is that of seconds of a processor, ours and the decoder's
together: what a busy machine measures more fairly. ``ratio_used`` is the ratio where each picture is also
used for ``--use-ms`` milliseconds, as whoever tracks or renders does.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from records import ROOT, begin, write_line

from masklet.clip_reading import ClipReading
from masklet_server.fence import Fence
from masklet_server.media.clip import Clip
from masklet_server.media.limits import Limits
from masklet_server.sandbox.decoders import Decoders
from masklet_server.sandbox.opener import MediaOpener

sys.path.insert(0, str(ROOT / "tests"))
from generated_media import write_movie, write_picture

_FRAMES = 12
# More than a movie's reader keeps: each is decoded whenever it is read.
_MOVIE_FRAMES = 72
_HD, _UHD = (1920, 1080), (3840, 2160)


def plate(size_px: tuple[int, int], frame: int) -> NDArray[np.float32]:
    """A picture with grain, edges and gradients, ``(H, W, 3)`` from 0 to 1."""
    width_px, height_px = size_px
    random = np.random.default_rng(7)
    soft = cv2.resize(random.random((9, 16, 3), np.float32), size_px, interpolation=cv2.INTER_CUBIC)
    grain = random.normal(0.0, 0.02, (height_px, width_px, 1)).astype(np.float32)
    picture = np.roll(soft + grain, 9 * frame, axis=1)
    cv2.circle(picture, (width_px // 3 + 12 * frame, height_px // 2), height_px // 4, (0.9, 0.4, 0.2), -1)
    return np.clip(picture, 0.0, 1.0).astype(np.float32)


def sequence(suffix: str, samples: str, size_px: tuple[int, int]) -> Callable[[Path], Path]:
    """Writes a clip of picture files."""

    def write(folder: Path) -> Path:
        for frame in range(_FRAMES):
            picture = plate(size_px, frame)
            if suffix == "jpg":
                shown = (255 * picture[..., ::-1]).astype(np.uint8)
                cv2.imwrite(str(folder / f"plate.{frame:04d}.jpg"), shown)
            else:
                write_picture(folder / f"plate.{frame:04d}.{suffix}", picture, samples)
        return folder / f"plate.%04d.{suffix}"

    return write


def movie(suffix: str, codec: str, pixels: str, size_px: tuple[int, int]) -> Callable[[Path], Path]:
    """Writes a movie."""

    def write(folder: Path) -> Path:
        pictures = [(255 * plate(size_px, frame)).astype(np.uint8) for frame in range(_MOVIE_FRAMES)]
        return write_movie(folder / f"plate.{suffix}", pictures, codec=codec, pixel_format=pixels)

    return write


CASES: dict[str, Callable[[Path], Path]] = {
    "EXR half, HD": sequence("exr", "half", _HD),
    "EXR half, UHD": sequence("exr", "half", _UHD),
    "DPX, HD": sequence("dpx", "uint16", _HD),
    "PNG 8 bits, HD": sequence("png", "uint8", _HD),
    "JPEG, HD": sequence("jpg", "uint8", _HD),
    "JPEG, UHD": sequence("jpg", "uint8", _UHD),
    "H.264, HD": movie("mp4", "libx264", "yuv420p", _HD),
    "ProRes 422, HD": movie("mov", "prores_ks", "yuv422p10le", _HD),
}


def measure(path: Path, decoders: Decoders, repeats: int, use_s: float) -> dict[str, Any]:
    """Medians of one clip, and how long opening takes."""
    fence = Fence.around([path.parent])
    here, there = MediaOpener(Limits()), MediaOpener(Limits(), decoders=decoders)
    opening: tuple[list[float], list[float]] = ([], [])
    for _ in range(5):
        for which, opener in enumerate((here, there)):
            started_s = time.perf_counter()
            with opener.path(path, reading=ClipReading(), fence=fence):
                opening[which].append(time.perf_counter() - started_s)
    reading: tuple[list[float], list[float]] = ([], [])
    used: tuple[list[float], list[float]] = ([], [])
    computed_s = [0.0, 0.0]
    with (
        here.path(path, reading=ClipReading(), fence=fence) as inside,
        there.path(path, reading=ClipReading(), fence=fence) as outside,
    ):
        assert all((inside.read(frame) == outside.read(frame)).all() for frame in _frames(inside))
        clips = (inside, outside)
        for repeat in range(repeats):
            for which in (0, 1) if repeat % 2 else (1, 0):
                took_s, own_s = _read_whole(clips[which], used_s=0.0)
                reading[which].append(took_s)
                computed_s[which] += own_s
            for which in (0, 1) if repeat % 2 else (1, 0):
                used[which].append(_read_whole(clips[which], used_s=use_s)[0])
    here_ms, there_ms = (1e3 * statistics.median(each) for each in reading)
    here_used_ms, there_used_ms = (1e3 * statistics.median(each) for each in used)
    return {
        "here_ms": round(here_ms, 2),
        "decoder_ms": round(there_ms, 2),
        "ratio": round(here_ms / there_ms, 3),
        "ratio_cpu": round(computed_s[0] / computed_s[1], 3),
        "ratio_used": round(here_used_ms / there_used_ms, 3),
        "opening_here_ms": round(1e3 * statistics.median(opening[0]), 1),
        "opening_decoder_ms": round(1e3 * statistics.median(opening[1]), 1),
    }


def _frames(clip: Clip) -> range:
    return range(clip.info.first_frame, clip.info.last_frame + 1)


def _read_whole(clip: Clip, *, used_s: float) -> tuple[float, float]:
    """Seconds for a picture of a clip that is read whole, and seconds of a processor for all of it."""
    # Back to the beginning, which takes its time.
    clip.read(clip.info.first_frame)
    started_s, began_s = time.perf_counter(), _computed_s(clip)
    for frame in _frames(clip):
        picture = clip.read(frame)
        until_s = time.perf_counter() + used_s
        while time.perf_counter() < until_s:
            picture.max()
    took_s = time.perf_counter() - started_s
    return took_s / len(_frames(clip)), _computed_s(clip) - began_s


def _computed_s(clip: Any) -> float:
    """Seconds of a processor that this process and a clip's decoder have used."""
    computed_s = time.process_time()
    decoder = getattr(clip, "_decoder", None)
    if decoder is not None:
        stat = Path(f"/proc/{decoder.process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        computed_s += (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
    return computed_s


def main() -> None:
    """Measure all cases and print a JSON line for each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=4)
    parser.add_argument("--use-ms", type=float, default=20.0)
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=list(CASES))
    arguments = parser.parse_args()
    begin("bench_decoding", footage=f"generated, {_FRAMES} pictures or {_MOVIE_FRAMES} frames of a movie")
    decoders = Decoders()
    decoders.warm_up()
    try:
        for name in arguments.cases:
            with tempfile.TemporaryDirectory() as folder:
                figures = measure(
                    CASES[name](Path(folder)), decoders, arguments.repeats, arguments.use_ms / 1e3
                )
                write_line({"case": name, **figures})
    finally:
        decoders.close()


if __name__ == "__main__":
    main()
