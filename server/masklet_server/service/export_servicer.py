"""``masklet.v1.ExportService``."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from dataclasses import replace
from pathlib import Path

from masklet import event_codec, state_codec
from masklet.deliveries import Existing, ExportPlan
from masklet.delivery_folder import DeliveryFolder
from masklet.errors import PathNotAllowedError
from masklet.events import ExportEvent, ExportFinished
from masklet.v1 import export_pb2, export_pb2_grpc
from masklet.version import VERSION
from masklet_server.service.access import current_user
from masklet_server.service.context import Context
from masklet_server.service.exports import Exporter, Step
from masklet_server.service.finished_frames import FinishedFrames
from masklet_server.service.roots import Roots, TenantRoots
from masklet_server.service.selections import Selection, select
from masklet_server.sessions.plan import range_in
from masklet_server.sessions.session import Session
from masklet_server.sessions.store import SessionStore


class ExportServicer(export_pb2_grpc.ExportServiceServicer):
    """Turns masks into files.

    Args:
        store: All sessions.
        exporter: Renders and delivers.
        roots: Where files may be written, by tenant.
    """

    def __init__(self, store: SessionStore, exporter: Exporter, roots: TenantRoots) -> None:
        self._store = store
        self._exporter = exporter
        self._roots = roots

    async def ExportMattes(  # noqa: N802  (gRPC names methods)
        self, request: export_pb2.ExportMattesRequest, context: Context
    ) -> AsyncIterator[export_pb2.ExportMattesResponse]:
        """Render mattes; leaving the stream stops after the file in hand."""
        session, selection, folder = await self._read(request)
        matte_format = event_codec.matte_format_from_wire(request.format)
        with session.in_use():
            plan = await self._exporter.plan_mattes(
                session, selection, matte_format, raw_edges=request.raw_edges
            )
            finished: FinishedFrames | None = None
            journal = self._store.folder_for(session.session_id)
            if folder is not None and journal is not None and not request.plan_only:
                finished = FinishedFrames(
                    journal,
                    (VERSION, plan, matte_format, [item.object_id for item in selection.objects]),
                    folder,
                    self._roots.of(session.user).fence.holds,
                )
            files = self._exporter.mattes(
                session,
                selection,
                matte_format,
                run=plan.run,
                raw_edges=request.raw_edges,
                finished=finished,
            )
            async with aclosing(self._run(request, session, selection, folder, plan, files)) as events:
                async for event in events:
                    yield export_pb2.ExportMattesResponse(event=event_codec.export_event_to_wire(event))

    async def ExportOverlay(  # noqa: N802
        self, request: export_pb2.ExportOverlayRequest, context: Context
    ) -> AsyncIterator[export_pb2.ExportOverlayResponse]:
        """Draw the masks over the clip."""
        session, selection, folder = await self._read(request)
        kind = event_codec.overlay_kind_from_wire(request.kind)
        with session.in_use():
            plan = await self._exporter.plan_overlay(session, selection, kind)
            files = self._exporter.overlay(session, selection, kind)
            async with aclosing(self._run(request, session, selection, folder, plan, files)) as events:
                async for event in events:
                    yield export_pb2.ExportOverlayResponse(event=event_codec.export_event_to_wire(event))

    async def _run(
        self,
        request: export_pb2.ExportMattesRequest | export_pb2.ExportOverlayRequest,
        session: Session,
        selection: Selection,
        folder: Path | None,
        plan: ExportPlan,
        files: AsyncGenerator[Step, None],
    ) -> AsyncGenerator[ExportEvent, None]:
        """The plan, once what is in the folder allows it, then what becomes of it."""
        place: DeliveryFolder | None = None
        if folder is not None:
            existing = event_codec.existing_from_wire(request.existing)
            place = await self._exporter.at_share(
                session, _looked_at, self._roots.of(session.user), folder, plan, existing
            )
        yield replace(plan, checked=place is not None)
        if request.plan_only:
            await files.aclose()
            yield ExportFinished(0)
            return
        what = "mattes" if isinstance(request, export_pb2.ExportMattesRequest) else "an overlay"
        # What a client receives itself, it sees end.
        noted = nullcontext() if folder is None else self._noted(session, f"an export of {what} to {folder}")
        async with (
            noted,
            aclosing(self._exporter.deliver(files, session, selection, place, folder)) as events,
        ):
            async for event in events:
                yield event

    def _noted(self, session: Session, what: str) -> AbstractAsyncContextManager[None]:
        return self._store.unfinished(session.session_id).noted(what)

    async def _read(
        self, request: export_pb2.ExportMattesRequest | export_pb2.ExportOverlayRequest
    ) -> tuple[Session, Selection, Path | None]:
        session = await self._store.get(request.session_id, current_user.get())
        frames = range_in(
            session.clip, state_codec.range_from_wire(request.range) if request.HasField("range") else None
        )
        selection = select(session, frames, tuple(request.object_ids), request.base_name)
        if not request.folder:
            return session, selection, None
        roots = self._roots.of(session.user)
        if not roots.any:
            raise PathNotAllowedError("this server writes no files: leave the folder out and receive them")
        folder = await self._exporter.at_share(session, roots.output, request.folder)
        return session, selection, folder


def _looked_at(roots: Roots, folder: Path, plan: ExportPlan, existing: Existing) -> DeliveryFolder:
    """The folder, once every place in it that is written to is known to lie under the roots.

    Raises:
        PathNotAllowedError: A folder of an object is a link that leads out of them.
        ExistingFilesError: Files are there that may not be written over.
    """
    return DeliveryFolder(folder, plan, existing, allowed=roots.fence.holds)
