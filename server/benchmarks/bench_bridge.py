"""The bridge to masklet's helper beside gRPC in the same process: start, round trip, mattes there and back.

    taskset -c 0,1 python server/benchmarks/bench_bridge.py

One server with the embedded model, one clip of 1920x1080, both ways to it by turns. "host processor" is
the time that the measured process itself computes: in a host application that time is the interface's.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import cv2
from records import begin, write_line

from masklet.matte_files import receive
from masklet.transport.bridge import BridgeTransport
from masklet.transport.endpoint import ServerChoice
from masklet.transport.interface import ExportRequest, TrackRequest, Transport
from masklet.transport.local_server import LocalServer
from masklet.transport.opening import open_transport
from masklet.types import Click, MaskFormat
from masklet_server.demo import scene

SIZE_PX = (1920, 1080)
FRAMES = 12
STARTS = 10
ROUND_TRIPS = 2000
MATTE_BYTES = 1920 * 1080 * 4
MATTES = 30
REPEATS = 3


def main() -> None:
    """Measure and print."""
    begin("bench_bridge", weights="masklet_embedded", footage="the demo clip")
    with tempfile.TemporaryDirectory() as folder:
        clip = write_clip(Path(folder))
        local = LocalServer()
        choice = ServerChoice(local.address, local.token)
        try:
            measure_start(choice)
            bridge = BridgeTransport(choice, Path(sys.executable))
            direct, _ = open_transport(choice)
            with closing(bridge), closing(direct):
                measure_helper(bridge)
                measure_server(bridge, direct, clip, Path(folder))
        finally:
            local.stop()


def measure_start(choice: ServerChoice) -> None:
    """From nothing to the helper's first answer, and to the server's through it."""
    helper_s, server_s = [], []
    for _ in range(STARTS):
        transport = BridgeTransport(choice, Path(sys.executable))
        began_s = time.perf_counter()
        transport.ping()
        helper_s.append(time.perf_counter() - began_s)
        transport.server_info()
        server_s.append(time.perf_counter() - began_s)
        transport.close()
    tell("start of the helper", "s", helper_s)
    tell("start of the helper, to the first answer of the server", "s", server_s)


def measure_helper(bridge: BridgeTransport) -> None:
    """What the bridge alone costs; no server takes part."""
    for name, unit, payload, count in (
        ("round trip to the helper", "ms", b"", ROUND_TRIPS),
        (f"{MATTE_BYTES / 1e6:.1f} MB to the helper and back", "ms", bytes(MATTE_BYTES), MATTES),
    ):
        bridge.ping(payload)
        tell(name, unit, [1e3 * seconds(lambda sent=payload: bridge.ping(sent)) for _ in range(count)])


def measure_server(bridge: BridgeTransport, direct: Transport, clip: Path, folder: Path) -> None:
    """The same calls both ways, by turns."""
    ways: dict[str, Transport] = {"bridge": bridge, "grpc": direct}
    session_id = direct.open_session(path=str(clip)).session_id
    object_id = direct.add_object(session_id, "duck").object_id
    for click in scene.first_clicks():
        x_px, y_px = click.x_px * SIZE_PX[0] / 854, click.y_px * SIZE_PX[1] / 480
        direct.add_click(session_id, object_id, scene.FIRST_FRAME, Click(x_px, y_px), MaskFormat())
    for _ in direct.track(session_id, TrackRequest(mask_format=MaskFormat(max_side_px=64))):
        pass

    calls: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(200):
        for way, transport in ways.items():
            calls[way].append(1e3 * seconds(transport.server_info))
    for way, found in calls.items():
        tell(f"round trip to the server, {way}", "ms", found)

    for name, mask_format in (("whole", MaskFormat()), ("512 px of bits", MaskFormat(512, bits=True))):
        request = TrackRequest(mask_format=mask_format)
        measure_both(
            f"{FRAMES} masks of 1920x1080, {name}",
            {
                way: lambda transport=transport, asked=request: list(transport.fetch_masks(session_id, asked))
                for way, transport in ways.items()
            },
        )

    def export(transport: Transport, *, by_helper: bool) -> None:
        with tempfile.TemporaryDirectory(dir=folder) as target:
            request = ExportRequest(client_folder=Path(target) if by_helper else None)
            receive(transport.export_mattes(session_id, request), Path(target))

    measure_both(
        f"{FRAMES} EXR mattes of 1920x1080",
        {
            "grpc, written here": lambda: export(direct, by_helper=False),
            "bridge, written here": lambda: export(bridge, by_helper=False),
            "bridge, written by the helper": lambda: export(bridge, by_helper=True),
        },
    )


def measure_both(name: str, ways: dict[str, Callable[[], object]]) -> None:
    """Wall time and this process's own time of each way, by turns."""
    walls: dict[str, list[float]] = {way: [] for way in ways}
    owns: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(REPEATS):
        for way, work in ways.items():
            own_s = time.process_time()
            walls[way].append(seconds(work))
            owns[way].append(time.process_time() - own_s)
    for way in ways:
        tell(f"{name}, {way}", "s", walls[way], host_processor_s=round(statistics.median(owns[way]), 4))


def write_clip(folder: Path) -> Path:
    """The demo's clip at 1920x1080."""
    for picture in scene.render(FRAMES):
        large = cv2.resize(picture.rgb[..., ::-1], SIZE_PX, interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f"duck.{picture.frame:04d}.png"), large)
    return folder / "duck.%04d.png"


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    began_s = time.perf_counter()
    work()
    return time.perf_counter() - began_s


def tell(case: str, unit: str, values: list[float], **more: float) -> None:
    """One line of JSON."""
    found = {
        "case": case,
        "unit": unit,
        "count": len(values),
        "median": round(statistics.median(values), 4),
        "p95": round(sorted(values)[int(0.95 * (len(values) - 1))], 4),
        "worst": round(max(values), 4),
        "python": sys.version.split()[0],
    }
    write_line({**found, **more})


if __name__ == "__main__":
    main()
