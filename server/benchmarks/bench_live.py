"""``masklet-server live`` as people run it, from every kind of source, beside the finished clip.

    python server/benchmarks/bench_live.py [--frames 16]

The command runs in a process of its own and its frames come from another one: a pipe of raw frames, a pipe of
encoded ones (FFV1, which loses nothing), a sequence whose files are written in pieces and out of order, and a
capture device opened through PyAV. For want of a camera this is FFmpeg's ``lavfi``, whose test pattern is
drawn as fast as it is asked for. Told of each: frames, those that were dropped, and how many mattes are, byte
by byte, those of the finished clip tracked forward. Last a raw pipe that does not wait, at ten frames a
second, from which frames are dropped where the machine is too slow.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from records import begin, write_line

from masklet.prompts import Shot, write_shot
from masklet.types import Click, FramePrompts, ObjectInfo, PromptDocument
from masklet_server.demo.clip_writer import write_clip
from masklet_server.engine import load_tracker_factory
from masklet_server.live.command import write_mattes
from masklet_server.live.feed import Arrival
from masklet_server.media.source import open_clip
from masklet_server.sessions.results import ResultStore

Pictures = list[NDArray[np.uint8]]
_LIVE = (sys.executable, "-m", "masklet_server", "live")
_WIDTH_PX, _HEIGHT_PX = 320, 180


def main() -> None:
    """Run all, print a line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=16)
    asked = parser.parse_args()
    begin(
        "bench_live",
        weights="masklet_embedded",
        footage="the demo's clip; FFmpeg's testsrc",
        frames=asked.frames,
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        demo = write_clip(folder / "demo", frame_count=asked.frames)
        number, x_px, y_px = demo.clicks[0]
        pictures = [_read(Path(str(demo.pattern) % (number + step))) for step in range(asked.frames)]
        prompts = _say(folder / "duck.json", number, (x_px, y_px))
        wanted = _afterwards(demo.pattern, folder / "afterwards", number, (x_px, y_px))
        height_px, width_px = pictures[0].shape[:2]
        size = f"{width_px}x{height_px}"
        raw = b"".join(picture.tobytes() for picture in pictures)
        first = ("--first-frame", str(number))
        _run("raw pipe", folder, ("-", "--raw", size, "--keep-all", *first), prompts, wanted, raw)
        _run("encoded pipe", folder, ("-", "--keep-all", *first), prompts, wanted, _encoded(pictures))
        grown = folder / "growing"
        grown.mkdir()
        writer = multiprocessing.get_context("spawn").Process(
            target=_write_slowly, args=(demo.pattern, grown, number, asked.frames)
        )
        writer.start()
        last = ("--last-frame", str(number + asked.frames - 1))
        _run("growing sequence", folder, (str(grown / demo.pattern.name), *first, *last), prompts, wanted)
        writer.join()
        _run_device(folder, asked.frames)
        _run("raw pipe that does not wait", folder, ("-", "--raw", size, *first), prompts, wanted, pictures)


def _run(
    case: str,
    folder: Path,
    arguments: tuple[str, ...],
    prompts: Path,
    wanted: dict[str, bytes],
    given: bytes | Pictures | None = None,
) -> None:
    out = folder / case.replace(" ", "_")
    command = [*_LIVE, *arguments, "--prompts", str(prompts), "--out", str(out), "--device", "cpu"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin is not None
    if isinstance(given, list):
        for picture in given:
            process.stdin.write(picture.tobytes())
            process.stdin.flush()
            time.sleep(0.1)
        given = None
    _, said = process.communicate(given)
    mattes = {file.name: file.read_bytes() for file in out.rglob("*.png")}
    write_line(
        {
            "case": case,
            "ended_with": process.returncode,
            "mattes": len(mattes),
            "of_frames": len(wanted),
            "the_same": sum(mattes.get(name) == data for name, data in wanted.items()),
            "said": said.decode().strip().splitlines(),
        }
    )


def _run_device(folder: Path, frames: int) -> None:
    pattern = f"testsrc=size={_WIDTH_PX}x{_HEIGHT_PX}:rate=10:duration={frames / 10}"
    files = folder / "testsrc"
    files.mkdir()
    with av.open(pattern, format="lavfi") as container:
        pictures = [picture.to_ndarray(format="rgb24") for picture in container.decode(video=0)]
    for index, picture in enumerate(pictures):
        cv2.imwrite(str(files / f"test.{index:04d}.png"), picture[..., ::-1])
    # The disc of the pattern's clock.
    click = (_WIDTH_PX * 0.5, _HEIGHT_PX * 0.5)
    prompts = _say(folder / "test.json", 0, click)
    wanted = _afterwards(files / "test.%04d.png", folder / "afterwards_test", 0, click)
    _run("capture device", folder, (pattern, "--capture", "lavfi", "--keep-all"), prompts, wanted)


def _afterwards(pattern: Path, out: Path, first: int, click: tuple[float, float]) -> dict[str, bytes]:
    """Mattes of the finished clip tracked forward, by file name."""
    make_tracker, _ = load_tracker_factory("masklet_embedded", "cpu", "editor", length_known=True)
    with open_clip(pattern) as clip, closing(ResultStore()) as store:
        tracker = make_tracker(clip, store)
        results = [tracker.prompt(FramePrompts(1, first, (Click(*click),)))]
        store.put(results[0])
        for frame in range(first + 1, clip.info.last_frame + 1):
            found = tracker.track(frame, [1], backward=False)
            store.put(found[-1])
            results.append(found[-1])
        for result in results:
            write_mattes(out, {1: "it"}, Arrival(result.frame, clip.read(result.frame), 0.0), [result])
    return {file.name: file.read_bytes() for file in out.rglob("*.png")}


def _say(file: Path, first: int, click: tuple[float, float]) -> Path:
    document = PromptDocument((ObjectInfo(1, "it"),), (FramePrompts(1, first, (Click(*click),)),))
    write_shot(file, Shot("stream", document))
    return file


def _encoded(pictures: Pictures) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream("ffv1", rate=Fraction(24))
        stream.height, stream.width, stream.pix_fmt = *pictures[0].shape[:2], "bgr0"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return file.getvalue()


def _write_slowly(pattern: Path, folder: Path, first: int, frames: int) -> None:
    """As a farm does: two frames at a time, the later one first, each file in two pieces."""
    order = [first + (step ^ 1 if (step ^ 1) < frames else step) for step in range(frames)]
    for number in order:
        name = pattern.name % number
        data = (pattern.parent / name).read_bytes()
        with (folder / name).open("wb") as file:
            file.write(data[: len(data) // 2])
            file.flush()
            time.sleep(0.3)
            file.write(data[len(data) // 2 :])


def _read(file: Path) -> NDArray[np.uint8]:
    picture = cv2.imread(str(file))
    assert picture is not None
    return np.ascontiguousarray(picture[..., ::-1], np.uint8)


if __name__ == "__main__":
    main()
