"""A model of the studio's own that finds things by words: asked over gRPC, trusted with nothing.

Its address is the keeper's to say. It gets one small picture and the words; what it answers is bounded in
time, size and number, and only boxes of it are used: the masks are our network's.
"""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import grpc
import grpc.aio
import numpy as np
from numpy.typing import NDArray

from masklet.errors import BadInputError, DeviceError
from masklet.types import Box
from masklet.v1 import proposal_pb2, proposal_pb2_grpc, values_pb2
from masklet_server.service.listen import Address

ANSWERS_WITHIN_S = 30.0
MOST_ANSWER_BYTES = 1 << 20
PICTURE_SIDE_PX = 1024
_QUALITY = 90
_MOST_LETTERS = 100


@dataclass(frozen=True)
class StudioFinder:
    """Where the model is.

    Attributes:
        address: Of its process.
        ca: PEM of the authority that signed its certificate; None for no TLS, on this machine alone.
        within_s: How long it may take.
    """

    address: Address
    ca: bytes | None
    within_s: float = ANSWERS_WITHIN_S

    @staticmethod
    def of(address: str | None, ca_file: Path | None) -> StudioFinder | None:
        """As the keeper said; None for no such model.

        Raises:
            BadInputError: The address is none, or leads off this machine without TLS.
        """
        if address is None:
            return None
        place = Address.parse(address)
        if ca_file is None and not place.is_loopback:
            raise BadInputError(
                f"the finder at {place} is on another machine: name the authority of its certificate with "
                "--finder-ca, or run it on this one"
            )
        try:
            return StudioFinder(place, None if ca_file is None else ca_file.read_bytes())
        except OSError as error:
            raise BadInputError(f"the certificate {ca_file} cannot be read ({error.strerror})") from error

    async def find(self, picture: NDArray[np.uint8], words: str, limit: int) -> Proposals:
        """What the model finds.

        Args:
            picture: ``(height, width, 3)`` sRGB.
            words: What to find.
            limit: How many at most.

        Raises:
            DeviceError: It does not answer, or answers what makes no sense.
        """
        # In a thread: a large plate takes a good part of a second, in which nobody else would be answered.
        jpeg, (width_px, height_px) = await asyncio.to_thread(_sent, picture)
        request = proposal_pb2.FindObjectsRequest(
            jpeg=jpeg, width_px=width_px, height_px=height_px, words=words, limit=limit
        )
        options = [("grpc.max_receive_message_length", MOST_ANSWER_BYTES), ("grpc.enable_http_proxy", 0)]
        started_s = time.monotonic()
        try:
            async with self._channel(options) as channel:
                stub = proposal_pb2_grpc.ProposalServiceStub(channel)
                call: Any = stub.FindObjects(request, timeout=self.within_s)
                answer: proposal_pb2.FindObjectsResponse = await call
        except grpc.aio.AioRpcError as error:
            code = error.code()
            if code is grpc.StatusCode.DEADLINE_EXCEEDED:
                why = f"did not answer within {time.monotonic() - started_s:.0f} s"
            elif code is grpc.StatusCode.RESOURCE_EXHAUSTED:
                why = f"answered with more than {MOST_ANSWER_BYTES >> 20} MiB"
            else:
                why = f"could not be asked ({code.name.lower().replace('_', ' ')})"
            raise DeviceError(
                f"the studio's model {why}: have its process looked at. Finding without words works as before"
            ) from error
        return proposals_of(answer, (request.width_px, request.height_px), limit)

    def _channel(self, options: list[tuple[str, int]]) -> grpc.aio.Channel:
        if self.ca is None:
            return grpc.aio.insecure_channel(str(self.address), options=options)
        credentials = grpc.ssl_channel_credentials(self.ca)
        return grpc.aio.secure_channel(str(self.address), credentials, options=options)


@dataclass(frozen=True)
class Proposal:
    """One thing, its box as shares of the picture's sides."""

    box: Box
    label: str
    score: float


@dataclass(frozen=True)
class Proposals:
    """What a model found, and its name and version."""

    things: tuple[Proposal, ...]
    source: str


def proposals_of(answer: proposal_pb2.FindObjectsResponse, size_px: tuple[int, int], limit: int) -> Proposals:
    """An answer, checked.

    Raises:
        DeviceError: It names no model, or holds what is no box.
    """
    model, version = answer.model.strip(), answer.version.strip()
    named = f"{model} {version}".strip()
    if not model or len(named) > 2 * _MOST_LETTERS or not named.isprintable():
        raise DeviceError("the studio's model does not say what it is, as the record of mattes needs")
    things = []
    for each in answer.objects[:limit]:
        if not math.isfinite(each.score) or len(each.label) > _MOST_LETTERS:
            raise DeviceError(f"{model} answered what is no proposal: have it looked at")
        things.append(Proposal(_share(each.box, size_px, model), each.label, min(max(each.score, 0.0), 1.0)))
    return Proposals(tuple(things), named)


def _share(box: values_pb2.Box, size_px: tuple[int, int], model: str) -> Box:
    sides = (box.left_px, box.top_px, box.right_px, box.bottom_px)
    width, height = size_px
    if not all(math.isfinite(side) for side in sides):
        raise DeviceError(f"{model} answered with a box that is none: have it looked at")
    left, right = (min(max(side / width, 0.0), 1.0) for side in (box.left_px, box.right_px))
    top, bottom = (min(max(side / height, 0.0), 1.0) for side in (box.top_px, box.bottom_px))
    if left >= right or top >= bottom:
        raise DeviceError(f"{model} answered with a box that is none: have it looked at")
    return Box(left, top, right, bottom)


def _sent(picture: NDArray[np.uint8]) -> tuple[bytes, tuple[int, int]]:
    """The picture as it is sent, and its size."""
    height_px, width_px = picture.shape[:2]
    scale = min(1.0, PICTURE_SIDE_PX / max(height_px, width_px))
    size_px = max(1, round(width_px * scale)), max(1, round(height_px * scale))
    shown = cv2.resize(picture, size_px, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(
        ".jpg", np.ascontiguousarray(shown[..., ::-1]), (cv2.IMWRITE_JPEG_QUALITY, _QUALITY)
    )
    return data.tobytes(), size_px
