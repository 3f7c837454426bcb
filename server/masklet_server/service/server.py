"""A whole server: everything put together, started, kept tidy and drained."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, fields, replace
from typing import Any

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from masklet.types import ModelInfo, ServerInfo
from masklet.version import VERSION
from masklet_server.audit.log import AuditLog
from masklet_server.journal.folder import JournalFolder
from masklet_server.service import listen
from masklet_server.service.call_watch import CallWatch
from masklet_server.service.clips import ClipOpener, Clips
from masklet_server.service.door import Door
from masklet_server.service.drawn_masks import Unpacking
from masklet_server.service.exports import Exporter
from masklet_server.service.gate import Gate
from masklet_server.service.health_probe import NO_EGRESS
from masklet_server.service.heap import GIVES_BACK_EVERY_S, give_back
from masklet_server.service.interceptor import Guard
from masklet_server.service.membership import Member, Seat, journals_for
from masklet_server.service.metrics import Measured, serve_metrics
from masklet_server.service.operating import DoorKeys, Operating, Parts
from masklet_server.service.rates import Rates
from masklet_server.service.rendering import Renderer
from masklet_server.service.roots import TenantRoots
from masklet_server.service.rules import RULES
from masklet_server.service.services import Services, add_services
from masklet_server.service.settings import ServerSettings
from masklet_server.service.shared_memory import SharedMemory
from masklet_server.service.status_page import open_status
from masklet_server.service.studio_finder import StudioFinder
from masklet_server.service.tracing import Traces, open_traces
from masklet_server.service.uploads import UploadStore
from masklet_server.sessions.scheduler import Scheduler
from masklet_server.sessions.session_tracker import TrackerFactory
from masklet_server.sessions.store import FILES_AT_ONCE, SessionStore
from masklet_server.sessions.worker_threads import WorkerThreads

TIDY_EVERY_S = 2.0
CLOSES_WITHIN_S = 2.0
QUIET_S = 15.0
"""A server that drains ends when nobody has called for so long: between two clicks an artist thinks."""
TRACES_WITHIN_S = 1.0
GIVEN_UP_TURNS = 2
"""So many turns one after the other that the device did not come back from: it will not come back at all."""
JOURNALS_AT_ONCE = 4

_log = logging.getLogger("masklet_server.service")


@dataclass(frozen=True)
class Engine:
    """What the service knows of the network.

    Attributes:
        make_tracker: Gives a tracker for a clip.
        model: The weights in force.
        models: All that this machine has.
        device: For people.
        device_bytes: What the device gives; None where its memory is the machine's.
    """

    make_tracker: TrackerFactory
    model: ModelInfo
    models: tuple[ModelInfo, ...]
    device: str
    device_bytes: int | None = None


class MaskletServer:
    """One server in one event loop.

    Attributes:
        metrics_port: Where Prometheus is answered; 0 for nowhere.
        status_address: Where the page for whoever keeps the server is; None for nowhere.
        failed: Set when the device will not come back: only another process gets it to.
        drained: Set when the server was told to drain, and nobody has called for a while.
        watch: Sees every call.

    Args:
        settings: What its keeper decided.
        engine: The network.
        opener: Reads clips; closed with the server.
        max_side_px: Of clips, as the opener enforces it; told to clients.
        traces: Where spans go; None for what the settings say.
        member: Its place in a cluster; None for a server by itself.

    Raises:
        BadInputError: The settings contradict each other or name files that cannot be read.
    """

    def __init__(
        self,
        settings: ServerSettings,
        engine: Engine,
        opener: ClipOpener,
        *,
        max_side_px: int = 16_384,
        traces: Traces | None = None,
        member: Member | None = None,
    ) -> None:
        self._settings = settings
        self._member = member
        self._access = listen.Access.of(settings)
        self._door = Door(self._access.tokens, by_certificate=self._access.by_certificate)
        self._rates = Rates(settings.rates)
        self._audit = (
            None if settings.audit is None else AuditLog(settings.audit, max_bytes=settings.audit_bytes)
        )
        if traces is None and settings.traces is not None:
            traces = open_traces(settings.traces)
        self._traces = traces
        self.watch = CallWatch(traced=None if traces is None else traces.call)
        self._finder = StudioFinder.of(settings.finder, settings.finder_ca)
        self._end_metrics: Callable[[], None] | None = None
        self.metrics_port = 0
        self.status_address: listen.Address | None = None
        self._end_status: Callable[[], Coroutine[Any, Any, None]] | None = None
        self._guard = Guard(
            Gate(self._door, self._rates, self._audit),
            watch=self.watch,
            slots=2 * (4 * settings.store.max_sessions + 32),
            limits=settings.service,
            rules=RULES if member is None else member.rules,
            check_session=lambda session_id, user: self.store.check_still(session_id, user),
        )
        self._roots = TenantRoots(settings.roots, settings.tenant_roots)
        self._scheduler = Scheduler(
            read_s=settings.service.disk_s,
            turn_s=settings.service.turn_s,
            weight_of=lambda user: self._settings.user_weights.get(user, 1.0),
            on_end=None if traces is None else traces.turn,
        )
        self.failed = asyncio.Event()
        self.drained = asyncio.Event()
        self._workers = WorkerThreads("files", at_once=FILES_AT_ONCE, disk_s=settings.service.disk_s)
        self._clips = Clips(opener, self._roots, self._workers)
        self._journals: JournalFolder | None = None
        if settings.sessions_folder is not None:
            journals = WorkerThreads("journals", at_once=JOURNALS_AT_ONCE, disk_s=settings.service.disk_s)
            self._journals = JournalFolder(
                settings.sessions_folder,
                journals,
                take_over=settings.take_over,
                shared=member is not None,
            )
        self.store = SessionStore(
            self._clips.open,
            engine.make_tracker,
            self._scheduler,
            limits=settings.store,
            order=settings.order,
            workers=self._workers,
            journals=journals_for(self._journals, member),
            model_sha256=engine.model.sha256,
        )
        self.store.ledger.device_bytes = engine.device_bytes
        self._uploads = UploadStore(
            settings.service,
            folder=settings.upload_folder,
            kept_bytes=dict if self._journals is None else self._journals.uploads_bytes,
        )
        self._renderer = Renderer()
        self._unpacking = Unpacking(self._renderer, disk_s=settings.service.disk_s)
        self._shared = SharedMemory()
        self._engine = engine
        self._info = ServerInfo(
            version=VERSION,
            device=engine.device,
            model=engine.model,
            models=engine.models,
            max_sessions=settings.store.max_sessions,
            max_objects=settings.store.session.max_objects,
            max_side_px=max_side_px,
            max_upload_bytes=settings.service.max_upload_bytes,
            opens_paths=False,
            settings=json.dumps(settings.provenance),
        )
        self._health = health.aio.HealthServicer()
        self._server: grpc.aio.Server | None = None
        self._housekeeping: list[asyncio.Task[None]] = []

    async def start(self) -> listen.Address:
        """Listen, and say where.

        Raises:
            BadInputError: The port is taken.
        """
        settings = self._settings
        server = grpc.aio.server(
            interceptors=(self._guard,),
            options=listen.OPTIONS,
        )
        disk_s = settings.service.disk_s
        exporter = Exporter(
            self._unpacking, self._engine.model, json.dumps(settings.provenance), disk_s=disk_s
        )
        add_services(
            server,
            Services(
                self._info,
                self.store,
                self._clips,
                self._uploads,
                self._renderer,
                self._unpacking,
                exporter,
                self._roots,
                self._workers,
                self._shared,
                self._finder,
                disk_s=disk_s,
            ),
        )
        if self._member is not None:
            self._member.add_services(server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        address = listen.bind(server, self._access)
        if settings.metrics_port is not None:
            measured = Measured(
                self.watch.meter, self.store, self._scheduler, lambda: self._uploads.size_bytes
            )
            self.metrics_port, self._end_metrics = serve_metrics(measured, settings.metrics_port)
        if settings.shared_memory:
            self._shared.start()
        await self._show_status(address)
        if self._journals is not None:
            await self._journals.look_round()
        await server.start()
        await self._health.set("", health_pb2.HealthCheckResponse.SERVING)
        self._server = server
        if self._member is not None:
            await self._member.join(Seat(str(address), self._told, self.store, self.begin_drain))
        if self._audit is not None:
            self._audit.note("server-started", version=VERSION, address=str(address))
        loop = asyncio.get_running_loop()
        self._housekeeping = [
            loop.create_task(keeping()) for keeping in (self._tidy, self._follow_tokens, self._tell_health)
        ]
        return address

    async def stop(self) -> None:
        """Say so to those who watch, stop tracks after their frame, end calls, give everything back.

        What hangs at a disk is left behind: nothing here waits for long.
        """
        if self._end_status is not None:
            await self._end_status()
        if self._end_metrics is not None:
            await asyncio.to_thread(self._end_metrics)
        await self._health.enter_graceful_shutdown()
        for task in self._housekeeping:
            task.cancel()
        await asyncio.gather(*self._housekeeping, return_exceptions=True)
        self.store.drain()
        if self._server is not None:
            await _within(self._settings.drain_s + 1.0, self._server.stop(self._settings.drain_s))
        await _within(CLOSES_WITHIN_S, self.store.leave_all())
        if self._member is not None:
            await _within(CLOSES_WITHIN_S, self._member.leave())
        await self._scheduler.close()
        if self._journals is not None:
            self._journals.close()
        await self._uploads.close()
        await self._shared.close()
        self._renderer.close()
        self._unpacking.close()
        self._workers.close()
        self._clips.close()
        if self._audit is not None:
            self._audit.note("server-stopped")
            await asyncio.to_thread(self._audit.close)
        if self._traces is not None:
            await _within(TRACES_WITHIN_S, asyncio.to_thread(self._traces.close))

    def begin_drain(self) -> None:
        """Take no new sessions, say so to those who balance or watch, and end when nobody works any more."""
        if self.store.takes_no_more:
            return
        _log.info("draining: no new sessions; the server ends when nobody has called for %g s", QUIET_S)
        self.store.takes_no_more = True

    def apply(self, settings: ServerSettings) -> tuple[str, ...]:
        """Take limits and users' parts from other settings, without a restart. Tokens are looked at anyway.

        Returns:
            Names of other settings that are not the same: they count after a restart.
        """
        old, taken = self._settings, ("store", "user_weights", "service", "rates")
        service = replace(old.service, disk_s=settings.service.disk_s, turn_s=settings.service.turn_s)
        self._settings = replace(
            old,
            store=settings.store,
            user_weights=settings.user_weights,
            service=service,
            rates=settings.rates,
        )
        self._rates.settings = settings.rates
        self.store.set_limits(settings.store)
        self._scheduler.set_limits(read_s=service.disk_s, turn_s=service.turn_s)
        self._workers.disk_s = service.disk_s
        others = (each.name for each in fields(old) if each.name not in taken)
        return tuple(name for name in others if getattr(old, name) != getattr(settings, name))

    async def _show_status(self, address: listen.Address) -> None:
        """Open the page for whoever keeps the server, where the settings want one."""
        place = self._access.status
        if place is None:
            return
        parts = Parts(
            self.store,
            self._scheduler,
            self.watch,
            weight_of=lambda user: self._settings.user_weights.get(user, 1.0),
            begin_drain=self.begin_drain,
            note=self._audit.note if self._audit is not None else lambda *_, **__: None,
            device=self._engine.device,
            model=self._engine.model.name,
            address=str(address),
            pictures=self._settings.status_pictures,
        )
        keys = DoorKeys(self._door, asks=self._access.tokens is not None)
        page = open_status(Operating(parts), keys, place, self._access.tls)
        self.status_address = place.with_port(await page.start())
        self._end_status = page.stop
        _log.info("the status page is on %s", self.status_address)

    @property
    def _told(self) -> ServerInfo:
        """What a cluster's front door tells of this server: clients find out where they may open paths."""
        return replace(self._info, opens_paths=self._roots.has_any)

    @property
    def is_hanging(self) -> bool:
        """True while a thread is at work that would not end with the process."""
        return self._scheduler.busy_threads > 0

    async def tell_no_egress(self) -> None:
        """Have health say that the system refuses this process connections to elsewhere."""
        await self._health.set(NO_EGRESS, health_pb2.HealthCheckResponse.SERVING)

    async def _tell_health(self) -> None:
        """Say that nothing is served while the device does not come back, and when it never will."""
        serving = True
        while True:
            await asyncio.sleep(TIDY_EVERY_S)
            hung = self._scheduler.hung_in_a_row
            if hung >= GIVEN_UP_TURNS and not self.failed.is_set():
                _log.error("the device did not come back from %d turns: the process has to start anew", hung)
                self.failed.set()
            draining = self.store.takes_no_more
            moving = self._member is not None and self._member.is_moving
            if draining and not moving and self.watch.quiet_s >= QUIET_S:
                self.drained.set()
            if serving == (hung == 0 and not draining):
                continue
            serving = not serving
            if not draining:
                limit_s = self._settings.service.turn_s
                _log.error("the device %s", "goes on" if serving else f"has not answered for {limit_s:.0f} s")
            status = health_pb2.HealthCheckResponse
            await self._health.set("", status.SERVING if serving else status.NOT_SERVING)

    async def _tidy(self) -> None:
        for number in itertools.count(1):
            await asyncio.sleep(TIDY_EVERY_S)
            try:
                if number % round(GIVES_BACK_EVERY_S / TIDY_EVERY_S) == 0:
                    await asyncio.get_running_loop().run_in_executor(None, give_back)
                await self.store.tidy()
                await self._uploads.tidy()
            except Exception:  # noqa: BLE001  (whatever it is, sessions are not kept in memory for ever)
                _log.exception("tidying up failed, next try in %s s", TIDY_EVERY_S)

    async def _follow_tokens(self) -> None:
        """Take up what changes in files of tokens; no session's disk holds it up."""
        while True:
            await asyncio.sleep(TIDY_EVERY_S)
            try:
                await asyncio.to_thread(self._door.refresh)
            except Exception:  # noqa: BLE001  (one that is taken back later has to be noticed)
                _log.exception("the tokens could not be read again, next try in %s s", TIDY_EVERY_S)


async def _within(seconds: float, ending: Coroutine[Any, Any, object]) -> None:
    """Let something end, for so long and no longer."""
    task = asyncio.ensure_future(ending)
    await asyncio.wait({task}, timeout=seconds)
    if not task.done():
        _log.warning("what is under way does not end, and is left behind")
        task.cancel()
    elif not task.cancelled() and task.exception() is not None:
        _log.error("something failed while the server stopped", exc_info=task.exception())
