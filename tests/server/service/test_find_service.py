"""Searches over the wire, with a fake engine: bounded, and in the coordinates of clients."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fakes.engine import FAKE_INFO
from fakes.service import SMALL, FakeClient, FakeOpener, Running, refusal, running
from masklet.types import Overscan
from masklet.v1 import find_pb2, find_pb2_grpc, view_pb2, view_pb2_grpc

Work = Callable[[Running, FakeClient], Coroutine[Any, Any, None]]


def serve(folder: Path, work: Work, *, opener: FakeOpener | None = None) -> None:
    async def run() -> None:
        async with running(folder, opener=opener) as server, server.client() as client:
            await work(server, client)

    asyncio.run(run())


def find_of(client: FakeClient) -> find_pb2_grpc.FindServiceStub:
    return find_pb2_grpc.FindServiceStub(client.channel)


def test_progress_comes_first_and_then_the_things(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        session = await client.open(server.root / "clip")
        asked = find_pb2.FindRequest(
            session_id=session.session_id, frame=3, per_side=8, limit=2, mask_format=SMALL
        )
        sent = [each async for each in find_of(client).Find(asked)]
        kinds = [each.WhichOneof("event") for each in sent]
        assert kinds[0] == "progress"
        assert kinds.count("found") == 2
        found = next(each.found for each in sent if each.WhichOneof("event") == "found")
        assert (found.prompts.object_id, found.prompts.frame) == (0, 3)
        assert (found.update.mask.width_px, found.update.mask.height_px) == (32, 24)

    serve(tmp_path, work)


def test_places_that_are_proposed_are_pixels_of_the_display_window(tmp_path: Path) -> None:
    opener = FakeOpener(replace(FAKE_INFO, overscan=Overscan(8, 4, 8, 4)))

    async def work(server: Running, client: FakeClient) -> None:
        session_id, (hero,) = await client.clicked(server.root / "clip", "hero")
        again = view_pb2.FindAgainRequest(session_id=session_id, object_id=hero, frame=5, mask_format=SMALL)
        proposed = await view_pb2_grpc.ViewServiceStub(client.channel).FindAgain(again)
        # The fake's first place is at 5, 4 of the picture that is matted.
        click = proposed.candidates[0].prompts.clicks[0]
        assert (click.x_px, click.y_px) == (-3.0, 0.0)

    serve(tmp_path, work, opener=opener)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"limit": 1000}, "between 1 and 256"),
        ({"per_side": 100}, "at most 64"),
        ({"words": "duck"}, "no model that finds things by words"),
        ({"like": find_pb2.Look(model="m", width=4, cells=b"123")}, "damaged"),
    ],
)
def test_what_is_out_of_bounds_is_refused_in_words(tmp_path: Path, wrong: dict[str, Any], words: str) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        session = await client.open(server.root / "clip")
        asked = find_pb2.FindRequest(session_id=session.session_id, frame=3, **wrong)
        _, _, told = await refusal(find_of(client).Find(asked))
        assert words in told

    serve(tmp_path, work)
