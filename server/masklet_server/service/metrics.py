"""A server's numbers for Prometheus, on a loopback port of their own; read when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from masklet.errors import BadInputError
from masklet_server.service.meter import BUCKETS_S, Meter
from masklet_server.sessions.scheduler import Scheduler
from masklet_server.sessions.store import SessionStore
from masklet_server.sessions.turns import TurnClass

if TYPE_CHECKING:
    from prometheus_client.core import Metric

HOST = "127.0.0.1"
WAITS_S = 10.0
"""For a request."""


@dataclass(frozen=True, eq=False)
class Measured:
    """What numbers are read of.

    Attributes:
        uploads_bytes: Tells what uploads take on the disk.
    """

    meter: Meter
    store: SessionStore
    scheduler: Scheduler
    uploads_bytes: Callable[[], int]


class Collector:
    """Reads everything anew for each scrape. No label says who, or on what.

    Args:
        measured: What is read.
    """

    def __init__(self, measured: Measured) -> None:
        self._measured = measured

    def collect(self) -> Iterator[Metric]:
        """All numbers, as ``prometheus_client`` asks for them."""
        from prometheus_client.core import (
            CounterMetricFamily,
            GaugeMetricFamily,
            HistogramMetricFamily,
        )

        measured = self._measured
        store, scheduler = measured.store, measured.scheduler

        def gauge(name: str, told: str, value: float) -> Metric:
            return GaugeMetricFamily(f"masklet_{name}", told, value=value)

        yield gauge("sessions", "Sessions in memory.", len(store))
        yield gauge("sessions_waiting", "Clients in line for a session.", store.line.waiting)
        yield gauge("tracks_waiting", "Tracks in line for the device's memory.", store.admission.waiting)
        yield gauge("device_hung_turns", "Turns left behind since one ended.", scheduler.hung_in_a_row)
        yield gauge("step_seconds", "How long a tracked frame has taken lately.", scheduler.step_s)
        yield gauge("uploads_bytes", "Uploads on the disk.", measured.uploads_bytes())
        yield gauge("memory_budget_bytes", "What trackers may hold.", store.ledger.budget_bytes)

        held = GaugeMetricFamily("masklet_memory_bytes", "What trackers hold.", labels=["kind"])
        totals = store.ledger.totals
        for each in fields(totals):
            held.add_metric([each.name.removesuffix("_bytes")], getattr(totals, each.name))
        yield held

        waiting = GaugeMetricFamily("masklet_turns_waiting", "Turns that wait.", labels=["turn_class"])
        turns = CounterMetricFamily("masklet_turns", "Turns of the device.", labels=["turn_class"])
        device = CounterMetricFamily("masklet_device_seconds", "Time at turns.", labels=["turn_class"])
        for turn_class in TurnClass:
            label = [turn_class.name.lower()]
            waiting.add_metric(label, scheduler.waiting_of(turn_class))
            turns.add_metric(label, scheduler.turns[turn_class])
            device.add_metric(label, scheduler.device_s[turn_class])
        yield from (waiting, turns, device)

        frames = CounterMetricFamily("masklet_frames", "Frames that were tracked.", labels=["turn_class"])
        for turn_class in TurnClass:
            if turn_class is not TurnClass.PROMPT:
                frames.add_metric([turn_class.name.lower()], scheduler.ended[turn_class])
        yield frames
        yield gauge("device_busy_seconds", "How long the turn in hand has lasted.", scheduler.busy_s)
        wire = CounterMetricFamily("masklet_wire_bytes", "Messages of calls.", labels=["direction"])
        wire.add_metric(["received"], measured.meter.received_bytes)
        wire.add_metric(["sent"], measured.meter.sent_bytes)
        yield wire

        calls = CounterMetricFamily("masklet_calls", "Calls that have ended.", labels=["method", "outcome"])
        for (method, outcome), count in measured.meter.outcomes.items():
            calls.add_metric([method, outcome], count)
        yield calls
        took = HistogramMetricFamily("masklet_call_seconds", "Calls that ended well.", labels=["method"])
        for method, durations in measured.meter.durations.items():
            total, buckets = 0, []
            for bound, count in zip((*map(str, BUCKETS_S), "+Inf"), tuple(durations.counts), strict=True):
                total += count
                buckets.append((bound, total))
            took.add_metric([method], buckets, durations.sum_s)
        yield took


def serve_metrics(measured: Measured, port: int) -> tuple[int, Callable[[], None]]:
    """Answer Prometheus on a port of this machine.

    Args:
        measured: What is told.
        port: 0 takes a free one.

    Returns:
        The port, and what ends it.

    Raises:
        BadInputError: The port is taken, or ``prometheus-client`` is not installed.
    """
    try:
        from prometheus_client import CollectorRegistry, start_http_server
    except ImportError as error:
        raise BadInputError(
            "metrics need a package that is not installed: pip install 'masklet[metrics]', or leave "
            "--metrics-port out"
        ) from error
    registry = CollectorRegistry(auto_describe=False)
    collector: Any = Collector(measured)
    registry.register(collector)
    try:
        server, thread = start_http_server(port, addr=HOST, registry=registry)
    except OSError as error:
        raise BadInputError(f"port {port} for metrics is taken: choose another --metrics-port") from error
    handler: Any = server.RequestHandlerClass

    class Impatient(handler):  # type: ignore[misc]
        """A connection that says nothing would keep a thread for ever."""

        timeout = WAITS_S

        def handle(self) -> None:
            # Whoever says nothing, or leaves, is not worth a traceback.
            with suppress(OSError):
                super().handle()

    server.RequestHandlerClass = Impatient

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return int(server.server_port), stop
