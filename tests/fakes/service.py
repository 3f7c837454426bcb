"""A real server on loopback with a fake engine and fake clips, and a client's end of it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from fakes.engine import FAKE_INFO, FakeClip, FakeEngine
from masklet.clip_reading import ClipReading
from masklet.errors import ClipError
from masklet.types import ClipInfo, ModelInfo
from masklet.v1 import (
    export_pb2_grpc,
    prompt_pb2,
    prompt_pb2_grpc,
    server_pb2_grpc,
    session_pb2,
    session_pb2_grpc,
    track_pb2_grpc,
    values_pb2,
)
from masklet_server.fence import Fence
from masklet_server.service.interceptor import ERROR_KIND_KEY
from masklet_server.service.server import Engine, MaskletServer
from masklet_server.service.settings import ServerSettings
from masklet_server.service.tracing import Traces

MODEL = ModelInfo("fake", "Apache-2.0", 1, "00" * 32)
SMALL = values_pb2.MaskFormat(max_side_px=32)


def new_id() -> str:
    return uuid.uuid4().hex


@dataclass
class FakeOpener:
    """Opens any path that exists as the clip that the test set, and remembers what was opened."""

    info: ClipInfo = FAKE_INFO
    error: Exception | None = None
    opened: list[Path] = field(default_factory=list)
    readings: list[ClipReading] = field(default_factory=list)
    uploads: list[Mapping[int, str]] = field(default_factory=list)
    fences: list[Fence] = field(default_factory=list)

    def path(self, path: Path, *, reading: ClipReading, fence: Fence, name: str | None = None) -> FakeClip:
        self.opened.append(path)
        self.fences.append(fence)
        if self.error is not None:
            raise self.error
        if not path.exists():
            raise ClipError(f"{path.name} does not exist: check the path")
        self.readings.append(reading)
        return FakeClip(replace(self.info, name=name or path.name))

    def pictures(
        self, folder: Path, files: Mapping[int, str], *, name: str, reading: ClipReading
    ) -> FakeClip:
        self.uploads.append(dict(files))
        if self.error is not None:
            raise self.error
        self.readings.append(reading)
        return FakeClip(replace(self.info, name=name, first_frame=min(files), last_frame=max(files)))

    def close(self) -> None:
        pass


class FakeClient:
    """Stubs of all services on one channel, and the few calls that every test makes."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self.server = server_pb2_grpc.ServerServiceStub(channel)
        self.sessions = session_pb2_grpc.SessionServiceStub(channel)
        self.prompts = prompt_pb2_grpc.PromptServiceStub(channel)
        self.tracks = track_pb2_grpc.TrackServiceStub(channel)
        self.exports = export_pb2_grpc.ExportServiceStub(channel)

    async def is_serving(self) -> bool:
        answer = await health_pb2_grpc.HealthStub(self.channel).Check(health_pb2.HealthCheckRequest())
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    async def open(self, path: Path) -> values_pb2.SessionInfo:
        request = session_pb2.OpenSessionRequest(request_id=new_id(), path=str(path))
        return (await self.sessions.OpenSession(request)).session

    async def add(self, session_id: str, name: str = "") -> int:
        request = session_pb2.AddObjectRequest(session_id=session_id, request_id=new_id(), name=name)
        return (await self.sessions.AddObject(request)).object.object_id

    async def click(
        self, session_id: str, object_id: int, frame: int = 1, x_px: float = 10.0, y_px: float = 10.0
    ) -> prompt_pb2.AddClickResponse:
        return await self.prompts.AddClick(
            prompt_pb2.AddClickRequest(
                session_id=session_id,
                request_id=new_id(),
                object_id=object_id,
                frame=frame,
                click=values_pb2.Click(x_px=x_px, y_px=y_px, positive=True),
                mask_format=SMALL,
            )
        )

    async def clicked(self, path: Path, *names: str) -> tuple[str, list[int]]:
        """A session with one click on frame 1 for each object."""
        session = await self.open(path)
        ids = [await self.add(session.session_id, name) for name in names or ("hero",)]
        for object_id in ids:
            await self.click(session.session_id, object_id)
        return session.session_id, ids


@dataclass
class Running:
    """A server that runs, and what a test may look at."""

    server: MaskletServer
    address: str
    root: Path
    engine: FakeEngine
    opener: FakeOpener

    def on(self, host: str) -> Running:
        """The same server under another of its machine's addresses."""
        return replace(self, address=f"{host}:{self.address.rpartition(':')[2]}")

    @asynccontextmanager
    async def client(
        self,
        *,
        token: str | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        options: Sequence[tuple[str, object]] = (),
    ) -> AsyncIterator[FakeClient]:
        interceptors = [] if token is None else [Token(token)]
        if credentials is None:
            channel = grpc.aio.insecure_channel(self.address, options=options, interceptors=interceptors)
        else:
            channel = grpc.aio.secure_channel(
                self.address, credentials, options=options, interceptors=interceptors
            )
        async with channel:
            yield FakeClient(channel)


class Token(grpc.aio.UnaryUnaryClientInterceptor):
    def __init__(self, token: str) -> None:
        self._token = token

    async def intercept_unary_unary(self, continuation, client_call_details, request):  # type: ignore[no-untyped-def]
        metadata = client_call_details.metadata or grpc.aio.Metadata()
        metadata.add("authorization", f"Bearer {self._token}")
        return await continuation(client_call_details._replace(metadata=metadata), request)


async def refusal(call: Any) -> tuple[grpc.StatusCode, str, str]:
    """Status, kind and message with which a call fails."""
    try:
        if hasattr(call, "__aiter__"):
            answers: Any = [answer async for answer in call]
        else:
            answers = await call
    except grpc.aio.AioRpcError as error:
        return _status_of(error)
    raise AssertionError(f"the call should fail and answered {answers}")


async def refused_upload(
    server: Running, messages: Iterable[session_pb2.UploadClipRequest]
) -> tuple[grpc.StatusCode, str, str]:
    """Status, kind and message with which an upload fails, seen through gRPC's synchronous client.

    Hosts use that one. The asyncio client replaces the server's status by INTERNAL where it writes
    into a call that the server has just ended (grpc/grpc#36066).
    """

    def sent() -> tuple[grpc.StatusCode, str, str]:
        with grpc.insecure_channel(server.address) as channel:
            try:
                answer = session_pb2_grpc.SessionServiceStub(channel).UploadClip(iter(messages))
            except grpc.RpcError as error:
                return _status_of(error)
        raise AssertionError(f"the upload should fail and answered {answer}")

    return await asyncio.to_thread(sent)


def _status_of(error: Any) -> tuple[grpc.StatusCode, str, str]:
    kinds = [value for key, value in error.trailing_metadata() or () if key == ERROR_KIND_KEY]
    return error.code(), str(kinds[0]) if kinds else "", error.details() or ""


@asynccontextmanager
async def running(
    folder: Path,
    *,
    settings: ServerSettings | None = None,
    engine: FakeEngine | None = None,
    opener: FakeOpener | None = None,
    traces: Traces | None = None,
) -> AsyncIterator[Running]:
    """A server whose one root is ``folder/root``, which has a clip called ``clip``."""
    root = folder / "root"
    root.mkdir(exist_ok=True)
    (root / "clip").mkdir(exist_ok=True)
    uploads = folder / "uploads"
    uploads.mkdir(exist_ok=True)
    engine, opener = engine or FakeEngine(), opener or FakeOpener()
    settings = settings or ServerSettings()
    settings = replace(
        settings,
        address="127.0.0.1:0" if settings.address == ServerSettings().address else settings.address,
        roots=settings.roots or (root,),
        upload_folder=uploads,
        drain_s=0.5,
    )
    server = MaskletServer(settings, Engine(engine, MODEL, (MODEL,), "cpu"), opener, traces=traces)
    try:
        address = await server.start()
        yield Running(server, str(address), root, engine, opener)
    finally:
        await server.stop()
