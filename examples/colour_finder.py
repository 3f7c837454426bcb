"""A model of a studio's own that finds things by words, as small as it can be: blobs of a colour.

    python examples/colour_finder.py --port 7790 &
    masklet-server serve --finder 127.0.0.1:7790
    masklet find plate.%04d.exr --server 127.0.0.1:7700 --frame 1001 --words red

It stands where a studio's GroundingDINO, OWLv2 or SAM 3 would, under whatever licence that has: a process of
its own that answers ``masklet.v1.ProposalService``. Replace :func:`find` and the two names.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import grpc
import numpy as np
from numpy.typing import NDArray

from masklet.v1 import proposal_pb2, proposal_pb2_grpc, values_pb2

MODEL = "colour blobs"
VERSION = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
HUES = {"red": 0, "orange": 15, "yellow": 30, "green": 60, "cyan": 90, "blue": 115, "magenta": 150}
"""Of OpenCV, 0 to 179."""
_NEAR_HUE = 10
_LEAST_SHARE = 1e-3


class ColourFinder(proposal_pb2_grpc.ProposalServiceServicer):
    """Finds blobs of colours."""

    def FindObjects(  # noqa: N802  (gRPC names methods)
        self, request: proposal_pb2.FindObjectsRequest, context: grpc.ServicerContext
    ) -> proposal_pb2.FindObjectsResponse:
        """Blobs of the colours among the words, the largest first."""
        picture = cv2.imdecode(np.frombuffer(request.jpeg, np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the picture is no JPEG")
        blobs = sorted(find(np.asarray(picture, np.uint8), request.words), key=lambda each: -each.score)
        return proposal_pb2.FindObjectsResponse(objects=blobs[: request.limit], model=MODEL, version=VERSION)


def find(picture: NDArray[np.uint8], words: str) -> Iterator[proposal_pb2.ProposedObject]:
    """Boxes of blobs in a ``(height, width, 3)`` picture, blue first as OpenCV has it."""
    hue, saturation, value = cv2.split(cv2.cvtColor(picture, cv2.COLOR_BGR2HSV))
    for name in words.lower().replace(",", " ").split():
        if name not in HUES:
            continue
        away = np.abs(hue.astype(int) - HUES[name])
        inside = (np.minimum(away, 180 - away) <= _NEAR_HUE) & (saturation > 110) & (value > 60)
        _, _, blobs, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8))
        for left, top, width, height, area in blobs[1:]:
            if area >= _LEAST_SHARE * inside.size:
                box = values_pb2.Box(left_px=left, top_px=top, right_px=left + width, bottom_px=top + height)
                yield proposal_pb2.ProposedObject(box=box, label=name, score=area / (width * height))


def serve(port: int) -> tuple[grpc.Server, int]:
    """Listen on this machine alone; the server, and its port where that was 0."""
    server = grpc.server(ThreadPoolExecutor(max_workers=2))
    proposal_pb2_grpc.add_ProposalServiceServicer_to_server(ColourFinder(), server)
    taken = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server, taken


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=7790)
    serve(parser.parse_args().port)[0].wait_for_termination()
