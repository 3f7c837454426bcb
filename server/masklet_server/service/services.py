"""All services of masklet.v1 on one gRPC server."""

from __future__ import annotations

from dataclasses import dataclass

import grpc.aio

from masklet.types import ServerInfo
from masklet.v1 import (
    export_pb2_grpc,
    find_pb2_grpc,
    geometry_pb2_grpc,
    prompt_pb2_grpc,
    review_pb2_grpc,
    server_pb2_grpc,
    session_pb2_grpc,
    track_pb2_grpc,
    view_pb2_grpc,
)
from masklet_server.service.clips import Clips
from masklet_server.service.drawn_masks import Unpacking
from masklet_server.service.export_servicer import ExportServicer
from masklet_server.service.exports import Exporter
from masklet_server.service.find_servicer import FindServicer
from masklet_server.service.geometry_servicer import GeometryServicer
from masklet_server.service.prompt_servicer import PromptServicer
from masklet_server.service.rendering import Renderer
from masklet_server.service.review_servicer import ReviewServicer
from masklet_server.service.roots import TenantRoots
from masklet_server.service.server_servicer import ServerServicer
from masklet_server.service.session_servicer import SessionServicer
from masklet_server.service.shared_memory import SharedMemory
from masklet_server.service.studio_finder import StudioFinder
from masklet_server.service.track_servicer import TrackServicer
from masklet_server.service.upload_messages import handler_for
from masklet_server.service.uploads import UploadStore
from masklet_server.service.view_servicer import ViewServicer
from masklet_server.sessions.store import SessionStore
from masklet_server.sessions.worker_threads import WorkerThreads


@dataclass(frozen=True, eq=False)
class Services:
    """What they work with."""

    info: ServerInfo
    store: SessionStore
    clips: Clips
    uploads: UploadStore
    renderer: Renderer
    unpacking: Unpacking
    exporter: Exporter
    roots: TenantRoots
    workers: WorkerThreads
    shared: SharedMemory
    finder: StudioFinder | None
    disk_s: float


def add_services(server: grpc.aio.Server, parts: Services) -> None:
    """Have a server answer all calls of the protocol."""
    store, renderer = parts.store, parts.renderer
    info = ServerServicer(parts.info, parts.roots, parts.shared)
    server_pb2_grpc.add_ServerServiceServicer_to_server(info, server)
    sessions = SessionServicer(store, parts.clips, parts.uploads, renderer, parts.shared)
    # First: whoever answers a call first answers it alone.
    server.add_generic_rpc_handlers((handler_for(sessions),))
    session_pb2_grpc.add_SessionServiceServicer_to_server(sessions, server)
    prompts = PromptServicer(store, renderer, parts.unpacking)
    prompt_pb2_grpc.add_PromptServiceServicer_to_server(prompts, server)
    track_pb2_grpc.add_TrackServiceServicer_to_server(TrackServicer(store, renderer, parts.shared), server)
    export_pb2_grpc.add_ExportServiceServicer_to_server(
        ExportServicer(store, parts.exporter, parts.roots), server
    )
    review_pb2_grpc.add_ReviewServiceServicer_to_server(
        ReviewServicer(store, renderer, parts.workers), server
    )
    geometry_pb2_grpc.add_GeometryServiceServicer_to_server(
        GeometryServicer(store, disk_s=parts.disk_s), server
    )
    find_pb2_grpc.add_FindServiceServicer_to_server(FindServicer(store, renderer, parts.finder), server)
    view_pb2_grpc.add_ViewServiceServicer_to_server(ViewServicer(store, renderer), server)
