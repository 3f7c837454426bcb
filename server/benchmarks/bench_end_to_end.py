"""Speed as a client sees it: over gRPC, from request to mask, on the demo's clip at 854x480.

    python server/benchmarks/bench_end_to_end.py [--frames 120] [--repeats 5] [--weights NAME|FILE]

Prints one JSON line per case with device, threads, torch version, median and 95th percentile:

- ``click``: from the call to the mask at plate size, on a warm server, every time on another frame;
- ``click_again``: the same for another click on the same frame (its features are cached);
- ``track``: frames per second of a track over the whole clip, masks at plate size.

The clip is the rendered one, forth and back until it has the wanted length, since a track's speed is steady
only when its memory is full.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import os
import platform
import statistics
import tempfile
import time
from pathlib import Path

from records import begin, write_line

import masklet
from masklet.session import Session
from masklet_server.demo.clip_writer import DemoClip, write_clip

WARM_UP_CLICKS = 3


def main() -> None:
    """Run all cases and print their lines."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--clicks", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--weights")
    parser.add_argument("--device")
    arguments = parser.parse_args()
    begin("bench_end_to_end", weights=arguments.weights or "masklet_embedded", footage="the demo clip")
    with (
        tempfile.TemporaryDirectory() as folder,
        masklet.connect(weights=arguments.weights, device=arguments.device) as server,
    ):
        clip = lengthened(Path(folder), arguments.frames)
        info = server.info()
        about = {
            "model": info.model.name,
            "device": info.device,
            "threads": os.environ.get("OMP_NUM_THREADS", str(os.cpu_count())),
            "torch": importlib.metadata.version("torch"),
            "machine": platform.processor() or platform.machine(),
            "date": datetime.date.today().isoformat(),
        }
        with server.open(clip.pattern) as session:
            first, again = time_clicks(session, clip, arguments.clicks)
        report("click", "ms", first, about)
        report("click_again", "ms", again, about)
        speeds = []
        for _ in range(arguments.repeats):
            with server.open(clip.pattern) as session:
                speeds.append(time_track(session, clip))
        report("track", "frames_per_s", speeds, about)


def lengthened(folder: Path, frames: int) -> DemoClip:
    """The demo's clip, played forth and back until it has ``frames`` frames."""
    clip = write_clip(folder)
    pictures = sorted(folder.glob("duck.*.png"))
    bounce = [*pictures, *pictures[-2:0:-1]]
    for index in range(len(pictures), frames):
        (folder / f"duck.{1001 + index:04d}.png").write_bytes(bounce[index % len(bounce)].read_bytes())
    for extra in sorted(folder.glob("duck.*.png"))[frames:]:
        extra.unlink()
    return clip


def time_clicks(session: Session, clip: DemoClip, clicks: int) -> tuple[list[float], list[float]]:
    """Milliseconds of first clicks on fresh frames, and of second clicks on the same ones."""
    ((first_frame, x_px, y_px),) = clip.clicks
    first_ms, again_ms = [], []
    duck = session.object("duck")
    for number in range(clicks + WARM_UP_CLICKS):
        frame = first_frame + number
        for times, shift_px in ((first_ms, 0.0), (again_ms, 6.0)):
            started_s = time.perf_counter()
            duck.click(frame=frame, x_px=x_px + 12 * number % 400 + shift_px, y_px=y_px)
            if number >= WARM_UP_CLICKS:
                times.append(1e3 * (time.perf_counter() - started_s))
    return first_ms, again_ms


def time_track(session: Session, clip: DemoClip) -> float:
    """Frames per second from the request to the last mask."""
    ((frame, x_px, y_px),) = clip.clicks
    session.object("duck").click(frame=frame, x_px=x_px, y_px=y_px)
    started_s = time.perf_counter()
    masks = sum(1 for _ in session.track())
    return masks / (time.perf_counter() - started_s)


def report(case: str, unit: str, values: list[float], about: dict[str, str]) -> None:
    """Print one line."""
    ordered = sorted(values)
    high = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    line = {"case": case, "unit": unit, "median": round(statistics.median(values), 2), "p95": round(high, 2)}
    write_line({**line, "n": len(values), **about})


if __name__ == "__main__":
    main()
