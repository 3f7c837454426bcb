"""Traces for OpenTelemetry: a span for each call, and below it one for each turn of the device.

Nothing of OpenTelemetry is imported, and nothing leaves the machine, unless a collector was named (decision
0059).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from masklet.errors import BadInputError
from masklet.version import VERSION
from masklet_server.service.call_watch import LEFT, Call, Metadata
from masklet_server.service.meter import GOOD
from masklet_server.sessions.device_call import EndedCall

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider

SERVICE_NAME = "masklet-server"
EXPORT_S = 5.0
"""A collector that takes longer loses some spans, and nobody waits for it."""

_call_span: ContextVar[Context | None] = ContextVar("masklet_call_span", default=None)


class Traces:
    """Makes spans of calls and turns.

    Args:
        provider: Where they go.
    """

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("masklet", VERSION)

    @contextmanager
    def call(self, call: Call, metadata: Metadata) -> Iterator[None]:
        """Bracket a call with a span, below the one that its client names in ``traceparent``."""
        from opentelemetry.context import get_current
        from opentelemetry.trace import SpanKind, Status, StatusCode
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        carrier = {key: value for key, value in metadata if isinstance(value, str)}
        service, _, method = call.method.strip("/").partition("/")
        with self._tracer.start_as_current_span(
            f"{service}/{method}",
            context=TraceContextTextMapPropagator().extract(carrier),
            kind=SpanKind.SERVER,
            attributes={"rpc.system": "grpc", "rpc.service": service, "rpc.method": method},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            call.trace_id = f"{span.get_span_context().trace_id:032x}"
            token = _call_span.set(get_current())
            try:
                yield
            finally:
                _call_span.reset(token)
                named = {
                    "enduser.id": call.user,
                    "masklet.session": call.session_id,
                    "masklet.request": call.request_id,
                    "masklet.outcome": call.outcome,
                }
                span.set_attributes({name: value for name, value in named.items() if value})
                span.set_attribute("masklet.received_bytes", call.received_bytes)
                span.set_attribute("masklet.sent_bytes", call.sent_bytes)
                if call.outcome not in (GOOD, LEFT):
                    # The kind alone: sentences name files, and a collector may be anybody's.
                    span.set_status(Status(StatusCode.ERROR, call.outcome))

    def turn(self, ended: EndedCall) -> None:
        """Make a span of a call of the engine that is over; none where no call of a client asked for it."""
        from opentelemetry.trace import Status, StatusCode

        parent = ended.context.get(_call_span)
        if parent is None:
            return
        end_ns = time.time_ns()
        span = self._tracer.start_span(
            "turn",
            context=parent,
            start_time=end_ns - int(ended.took_s * 1e9),
            attributes={
                "masklet.turn_class": ended.turn_class.name.lower(),
                "masklet.waited_s": ended.waited_s,
                "masklet.device_s": ended.device_s,
            },
        )
        if ended.failed:
            span.set_status(Status(StatusCode.ERROR))
        span.end(end_ns)

    def close(self) -> None:
        """Send what is left, for some seconds at most."""
        self._provider.shutdown()


def open_traces(collector: str) -> Traces:
    """Traces to a collector that speaks OTLP over HTTP.

    Args:
        collector: Its address, such as ``http://127.0.0.1:4318``.

    Raises:
        BadInputError: It is no address, or OpenTelemetry is not installed.
    """
    parts = urlsplit(collector)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadInputError(
            f"{collector!r} is no address of a collector: write one like http://127.0.0.1:4318"
        )
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise BadInputError(
            "traces need packages that are not installed: pip install 'masklet[traces]', or leave "
            "--traces out"
        ) from error
    provider = TracerProvider(resource=Resource({"service.name": SERVICE_NAME, "service.version": VERSION}))
    exporter = OTLPSpanExporter(endpoint=f"{collector.rstrip('/')}/v1/traces", timeout=EXPORT_S)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Traces(provider)
