"""A model of the studio's own behind real gRPC, as it should be and as it should not."""

from __future__ import annotations

import asyncio
import importlib.util
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc
import numpy as np
import pytest

from masklet.errors import BadInputError, DeviceError
from masklet.v1 import proposal_pb2, proposal_pb2_grpc, values_pb2
from masklet_server.service import studio_finder
from masklet_server.service.listen import Address
from masklet_server.service.studio_finder import StudioFinder

_PICTURE = np.zeros((90, 160, 3), np.uint8)
_PICTURE[20:50, 40:80] = (255, 0, 0)
_BOX = values_pb2.Box(left_px=1, top_px=1, right_px=9, bottom_px=9)


@pytest.fixture(scope="module")
def example() -> ModuleType:
    file = Path(__file__).parents[3] / "examples" / "colour_finder.py"
    spec = importlib.util.spec_from_file_location("colour_finder", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def answering(answer: Callable[[], proposal_pb2.FindObjectsResponse]) -> Iterator[StudioFinder]:
    class Model(proposal_pb2_grpc.ProposalServiceServicer):
        def FindObjects(self, request: Any, context: Any) -> proposal_pb2.FindObjectsResponse:
            return answer()

    server = grpc.server(ThreadPoolExecutor(max_workers=1))
    proposal_pb2_grpc.add_ProposalServiceServicer_to_server(Model(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield StudioFinder(Address("127.0.0.1", port), None)
    finally:
        server.stop(0)


def test_the_example_finds_what_has_the_colour_and_says_what_it_is(example: ModuleType) -> None:
    server, port = example.serve(0)
    try:
        finder = StudioFinder(Address("127.0.0.1", port), None)
        found = asyncio.run(finder.find(_PICTURE, "red and blue", 5))
    finally:
        server.stop(0)
    (thing,) = found.things
    assert thing.label == "red"
    assert (thing.box.left_px * 160, thing.box.top_px * 90) == pytest.approx((40, 20), abs=1.5)
    assert (thing.box.right_px * 160, thing.box.bottom_px * 90) == pytest.approx((80, 50), abs=1.5)
    assert found.source == f"{example.MODEL} {example.VERSION}"


def test_more_than_asked_for_is_not_looked_at() -> None:
    thing = proposal_pb2.ProposedObject(box=_BOX, score=5.0)
    answer = proposal_pb2.FindObjectsResponse(objects=[thing] * 50, model="m")
    with answering(lambda: answer) as finder:
        found = asyncio.run(finder.find(_PICTURE, "a", 3))
    assert [each.score for each in found.things] == [1.0] * 3


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (proposal_pb2.FindObjectsResponse(objects=[]), "does not say what it is"),
        (proposal_pb2.FindObjectsResponse(model="a\nb"), "does not say what it is"),
        (proposal_pb2.FindObjectsResponse(model="x" * 300), "does not say what it is"),
        (
            proposal_pb2.FindObjectsResponse(
                model="m", objects=[proposal_pb2.ProposedObject(box=values_pb2.Box(right_px=float("nan")))]
            ),
            "box that is none",
        ),
        (
            proposal_pb2.FindObjectsResponse(
                model="m", objects=[proposal_pb2.ProposedObject(box=_BOX, score=float("inf"))]
            ),
            "no proposal",
        ),
        (
            proposal_pb2.FindObjectsResponse(
                model="m", objects=[proposal_pb2.ProposedObject(box=_BOX, label="x" * (2 << 20))]
            ),
            "more than 1 MiB",
        ),
    ],
    ids=["nameless", "two lines", "endless", "no box", "no score", "too much"],
)
def test_an_answer_that_makes_no_sense_is_said_to_be_the_models(
    answer: proposal_pb2.FindObjectsResponse, words: str
) -> None:
    with answering(lambda: answer) as finder, pytest.raises(DeviceError, match=words):
        asyncio.run(finder.find(_PICTURE, "a", 3))


def test_a_model_that_does_not_answer_is_given_up_in_time() -> None:
    def late() -> proposal_pb2.FindObjectsResponse:
        time.sleep(0.5)
        return proposal_pb2.FindObjectsResponse(model="m")

    with answering(late) as finder, pytest.raises(DeviceError, match="did not answer within"):
        asyncio.run(replace(finder, within_s=0.1).find(_PICTURE, "a", 3))


def test_a_model_that_is_not_there_is_said() -> None:
    finder = StudioFinder(Address("127.0.0.1", 1), None, within_s=5.0)
    with pytest.raises(DeviceError, match="could not be asked"):
        asyncio.run(finder.find(_PICTURE, "a", 3))


def test_pictures_leave_this_machine_only_over_tls() -> None:
    assert StudioFinder.of(None, None) is None
    assert StudioFinder.of("127.0.0.1:7790", None) is not None
    with pytest.raises(BadInputError, match="another machine"):
        StudioFinder.of("gpu7:7790", None)
    with pytest.raises(BadInputError, match="cannot be read"):
        StudioFinder.of("gpu7:7790", Path("/there/is/none.pem"))


def test_nobody_waits_while_a_picture_is_made_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    made_in: list[threading.Thread] = []
    make = studio_finder._sent

    def noted(picture: Any) -> tuple[bytes, tuple[int, int]]:
        made_in.append(threading.current_thread())
        return make(picture)

    monkeypatch.setattr(studio_finder, "_sent", noted)
    answer = proposal_pb2.FindObjectsResponse(model="colours", version="1")
    with answering(lambda: answer) as finder:
        asyncio.run(finder.find(_PICTURE, "red", 4))
    assert made_in
    assert threading.current_thread() not in made_in
