"""A mask drawn by hand is what comes out on its frame: in every file, preview, shape and anchor."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import OpenImageIO as oiio
import pytest

from fakes.engine import FakeEngine
from fakes.service import FakeClient, Running, new_id, running
from masklet import codec, geometry_codec, mask_codec, state_codec
from masklet.anchors import AnchorKind
from masklet.matte_settings import MatteSettings
from masklet.types import Click, FramePrompts, Mask, MaskFormat, Scribble
from masklet.v1 import export_pb2, geometry_pb2, geometry_pb2_grpc, prompt_pb2, track_pb2, values_pb2
from masklet_server.mattes.adjust import adjust

WIDTH_PX, HEIGHT_PX = 64, 48
FRAME = 3
PLATE = MaskFormat()
Work = Callable[[Running, FakeClient, str, int], Coroutine[Any, Any, None]]


def soft() -> np.ndarray:
    """A ball with a soft edge, and single pixels of every coverage beside it, as half floats have it."""
    y, x = np.mgrid[:HEIGHT_PX, :WIDTH_PX] + 0.5
    alpha = np.clip((14 - np.hypot(x - 30, y - 24)) / 6 + 0.5, 0, 1)
    alpha[2] = np.linspace(0, 1, WIDTH_PX)
    alpha[5, ::2] = 0.61
    return alpha.astype(np.float16).astype(np.float32)


async def say(client: FakeClient, session_id: str, prompts: FramePrompts, **size: Any) -> Any:
    return await client.prompts.SetPrompts(
        prompt_pb2.SetPromptsRequest(
            session_id=session_id,
            request_id=new_id(),
            prompts=codec.prompts_to_wire(prompts),
            mask_format=values_pb2.MaskFormat(**size),
        )
    )


async def finish(client: FakeClient, session_id: str, object_id: int, settings: MatteSettings) -> None:
    await client.prompts.SetMatteSettings(
        prompt_pb2.SetMatteSettingsRequest(
            session_id=session_id,
            request_id=new_id(),
            object_id=object_id,
            settings=state_codec.matte_settings_to_wire(settings),
        )
    )


async def files_of(client: FakeClient, session_id: str, **fields: Any) -> dict[str, bytes]:
    request = export_pb2.ExportMattesRequest(
        session_id=session_id, request_id=new_id(), base_name="sh", **fields
    )
    files: dict[str, bytes] = defaultdict(bytes)
    async for response in client.exports.ExportMattes(request):
        if response.event.HasField("chunk"):
            files[response.event.chunk.relative_name] += response.event.chunk.data
    return files


def planes(folder: Path, data: bytes) -> dict[str, np.ndarray]:
    """Channels of an EXR."""
    (folder / "one.exr").write_bytes(data)
    image = oiio.ImageBuf(str(folder / "one.exr"))
    values = image.get_pixels(oiio.FLOAT)
    return {name: values[..., place] for place, name in enumerate(image.spec().channelnames)}


def serve(folder: Path, drawn: Mask, work: Work, *, engine: FakeEngine | None = None) -> None:
    """Work on a clip tracked from a click on frame 1, with a mask drawn on frame 3."""

    async def run() -> None:
        async with running(folder, engine=engine) as server, server.client() as client:
            session_id, (hero,) = await client.clicked(server.root / "clip", "hero")
            await say(client, session_id, FramePrompts(hero, FRAME, mask=drawn))
            async for _ in client.tracks.Track(track_pb2.TrackRequest(session_id=session_id)):
                pass
            await work(server, client, session_id, hero)

    asyncio.run(run())


@pytest.mark.parametrize("raw_edges", [False, True])
def test_layers_and_files_of_objects_hold_the_drawn_half_floats(tmp_path: Path, *, raw_edges: bool) -> None:
    alpha = soft()

    async def work(server: Running, client: FakeClient, session_id: str, hero: int) -> None:
        layered = await files_of(client, session_id, raw_edges=raw_edges)
        single = await files_of(
            client, session_id, format=export_pb2.MATTE_FORMAT_EXR_PER_OBJECT, raw_edges=raw_edges
        )
        crypto = await files_of(
            client, session_id, format=export_pb2.MATTE_FORMAT_CRYPTOMATTE, raw_edges=raw_edges
        )

        assert np.array_equal(planes(tmp_path, layered["sh_mattes.0003.exr"])["hero.A"], alpha)
        assert np.array_equal(planes(tmp_path, single["hero/sh_hero.0003.exr"])["A"], alpha)
        assert np.array_equal(planes(tmp_path, crypto["sh_crypto.0003.exr"])["CryptoObject00.G"], alpha)
        # The fake's own masks are the same all over, and stay so beside the drawn one.
        for frame in (1, 2, 4, 5):
            assert np.ptp(planes(tmp_path, layered[f"sh_mattes.{frame:04d}.exr"])["hero.A"]) == 0

    serve(tmp_path, Mask.from_array(alpha), work)


@pytest.mark.parametrize(("depth", "number"), [("uint8", 255), ("uint16", 65535)])
def test_a_picture_of_the_masks_own_depth_is_the_drawn_one(tmp_path: Path, depth: str, number: int) -> None:
    drawn = np.rint(soft() * number).astype(depth)
    png = export_pb2.MATTE_FORMAT_PNG8 if depth == "uint8" else export_pb2.MATTE_FORMAT_PNG16

    async def work(server: Running, client: FakeClient, session_id: str, hero: int) -> None:
        files = await files_of(client, session_id, format=png)
        content = np.frombuffer(files["hero/sh_hero.0003.png"], np.uint8)

        assert np.array_equal(cv2.imdecode(content, cv2.IMREAD_UNCHANGED), drawn)

    serve(tmp_path, Mask.from_array(drawn), work)


def test_previews_show_the_drawn_mask_and_smaller_ones_its_mean(tmp_path: Path) -> None:
    drawn = Mask.from_array(soft())

    async def work(server: Running, client: FakeClient, session_id: str, hero: int) -> None:
        again = FramePrompts(hero, FRAME, mask=drawn)
        whole = mask_codec.update_from_wire((await say(client, session_id, again)).update)
        half = mask_codec.update_from_wire((await say(client, session_id, again, max_side_px=32)).update)

        assert whole.mask == drawn.in_8_bits()
        mean = soft().reshape(HEIGHT_PX // 2, 2, WIDTH_PX // 2, 2).mean(axis=(1, 3))
        assert np.abs(half.mask.coverage() - mean).max() <= 0.5 / 255 + 1e-6

    serve(tmp_path, drawn, work)


def test_the_sheet_shows_the_drawn_mask(tmp_path: Path) -> None:
    alpha = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
    alpha[10:20, 40:50] = 255

    async def work(server: Running, client: FakeClient, session_id: str, hero: int) -> None:
        request = export_pb2.ExportOverlayRequest(
            session_id=session_id,
            request_id=new_id(),
            kind=export_pb2.OVERLAY_KIND_SHEET,
            range=values_pb2.FrameRange(first=FRAME, last=FRAME),
        )
        data = b""
        async for response in client.exports.ExportOverlay(request):
            data += response.event.chunk.data
        sheet = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert sheet is not None
        tinted = np.ptp(sheet.astype(int), axis=2) > 40
        rows, columns = np.nonzero(tinted)
        scale = sheet.shape[1] / WIDTH_PX
        assert np.abs(np.array([columns.min(), columns.max()]) / scale - (40, 50)).max() <= 1
        assert np.abs(np.array([rows.min(), rows.max()]) / scale - (10, 20)).max() <= 1

    serve(tmp_path, Mask.from_array(alpha), work)


def test_shapes_and_anchors_follow_the_drawn_mask(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient, session_id: str, hero: int) -> None:
        geometry = geometry_pb2_grpc.GeometryServiceStub(client.channel)
        only = values_pb2.FrameRange(first=FRAME, last=FRAME)
        fitted = geometry_pb2.FitShapesRequest(
            session_id=session_id, request_id=new_id(), object_id=hero, range=only
        )
        anchored = geometry_pb2.TrackAnchorRequest(
            session_id=session_id,
            request_id=new_id(),
            object_id=hero,
            range=only,
            kind=geometry_codec.anchor_kind_to_wire(AnchorKind.BOX),
        )
        points = [
            (vertex.x_px, vertex.y_px)
            async for response in geometry.FitShapes(fitted)
            for key in response.piece.keys
            for vertex in key.vertices
        ]
        tracks = [response.finished async for response in geometry.TrackAnchor(anchored)]

        # The tracked masks fill the plate.
        (left, top), (right, bottom) = np.min(points, axis=0), np.max(points, axis=0)
        assert np.allclose((left, top, right, bottom), (16.5, 10.5, 43.5, 37.5), atol=1.5)
        (key,) = tracks[-1].keys
        assert (key.x_px, key.y_px) == pytest.approx((30, 24), abs=0.1)

    y, x = np.mgrid[:HEIGHT_PX, :WIDTH_PX] + 0.5
    ball = np.clip(13.5 - np.hypot(x - 30, y - 24) + 0.5, 0, 1).astype(np.float32)
    serve(tmp_path, Mask.from_array(ball), work)


def test_settings_that_the_artist_asked_for_are_applied_to_a_drawn_mask_as_well(tmp_path: Path) -> None:
    settings = MatteSettings(grow_px=-2.0, gamma=2.0)

    async def work(server: Running, client: FakeClient, session_id: str, hero: int) -> None:
        await finish(client, session_id, hero, settings)
        files = await files_of(client, session_id)

        wanted = adjust(soft(), settings).astype(np.float16).astype(np.float32)
        assert np.array_equal(planes(tmp_path, files["sh_mattes.0003.exr"])["hero.A"], wanted)

    serve(tmp_path, Mask.from_array(soft()), work)


def test_of_exclusive_objects_the_drawn_one_keeps_its_coverage(tmp_path: Path) -> None:
    alpha = soft()

    async def work(server: Running, client: FakeClient, session_id: str, hero: int) -> None:
        wall = await client.add(session_id, "wall")
        await client.click(session_id, wall, FRAME)
        for object_id in (hero, wall):
            await finish(client, session_id, object_id, MatteSettings(exclusive=True))
        found = planes(tmp_path, (await files_of(client, session_id))["sh_mattes.0003.exr"])
        shown = mask_codec.update_from_wire((await client.click(session_id, wall, FRAME)).update).mask

        # The wall is tracked and covers everything.
        assert np.array_equal(found["hero.A"], alpha)
        assert np.array_equal(found["wall.A"], (1 - alpha).astype(np.float16))
        assert shown.coverage()[12, 15] < 0.01

    serve(tmp_path, Mask.from_array(alpha), work)


def test_what_strokes_cover_is_inside_or_outside_in_files_and_previews_alike(tmp_path: Path) -> None:
    """Later strokes go over earlier ones, and nothing beside them changes."""
    strokes = (
        Scribble(((8.5, 40.5), (56.5, 40.5)), 5.0),
        Scribble(((30.5, 4.5), (30.5, 44.5)), 3.0, positive=False),
    )

    async def run() -> None:
        async with running(tmp_path, engine=FakeEngine()) as server, server.client() as client:
            session_id, (hero,) = await client.clicked(server.root / "clip", "hero")
            clicked = FramePrompts(hero, FRAME, (Click(30.5, 24.5),))
            await say(client, session_id, clicked)
            plain = planes(tmp_path, (await files_of(client, session_id))[f"sh_mattes.{FRAME:04d}.exr"])
            answer = await say(client, session_id, replace(clicked, scribbles=strokes))
            matte = planes(tmp_path, (await files_of(client, session_id))[f"sh_mattes.{FRAME:04d}.exr"])

            alpha, before = matte["hero.A"], plain["hero.A"]
            assert (alpha[39:42, 12:26] == 1).all()
            assert (alpha[39:42, 36:52] == 1).all()
            assert (alpha[6:43, 30] == 0).all()
            beside = np.ones_like(alpha, dtype=bool)
            beside[36:45] = False
            beside[:, 26:36] = False
            assert np.array_equal(alpha[beside], before[beside])
            shown = mask_codec.update_from_wire(answer.update).mask.as_array()
            assert (shown[40, 12:26] == 255).all()
            assert (shown[6:43, 30] == 0).all()

    asyncio.run(run())
