"""Traces: a span for each call below its client's, one for each turn below that, and nothing unasked."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from fakes.service import SMALL, new_id, refusal, running
from masklet.errors import BadInputError
from masklet.v1 import prompt_pb2, track_pb2, values_pb2
from masklet_server.service.settings import ServerSettings
from masklet_server.service.tracing import Traces, open_traces

TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def in_memory() -> tuple[Traces, Any]:
    sdk = pytest.importorskip("opentelemetry.sdk.trace")
    export = pytest.importorskip("opentelemetry.sdk.trace.export")
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    provider, exporter = sdk.TracerProvider(), memory.InMemorySpanExporter()
    provider.add_span_processor(export.SimpleSpanProcessor(exporter))
    return Traces(provider), exporter


def test_a_call_is_a_span_below_its_clients_and_turns_are_spans_below_it(tmp_path: Path) -> None:
    traces, exporter = in_memory()
    request_id = new_id()

    async def run() -> tuple[str, int]:
        async with running(tmp_path, traces=traces) as server, server.client() as client:
            session_id, (hero,) = await client.clicked(server.root / "clip")
            click = prompt_pb2.AddClickRequest(
                session_id=session_id,
                request_id=request_id,
                object_id=hero,
                frame=2,
                click=values_pb2.Click(x_px=5, y_px=5, positive=True),
                mask_format=SMALL,
            )
            exporter.clear()
            metadata = (("traceparent", f"00-{TRACE_ID}-{SPAN_ID}-01"),)
            await client.prompts.AddClick(click, metadata=metadata)
            await refusal(client.click(session_id, hero + 7))
            request = track_pb2.TrackRequest(session_id=session_id, request_id=new_id(), mask_format=SMALL)
            async for _ in client.tracks.Track(request):
                pass
            return session_id, hero

    session_id, _ = asyncio.run(run())

    spans = exporter.get_finished_spans()
    calls = {span.attributes.get("masklet.request"): span for span in spans if span.name != "turn"}
    click = calls[request_id]
    assert click.name == "masklet.v1.PromptService/AddClick"
    assert f"{click.context.trace_id:032x}" == TRACE_ID
    assert f"{click.parent.span_id:016x}" == SPAN_ID
    assert click.attributes["masklet.session"] == session_id
    assert click.attributes["masklet.outcome"] == "ok"
    turns = [span for span in spans if span.name == "turn"]
    (mine,) = [span for span in turns if span.parent.span_id == click.context.span_id]
    assert mine.attributes["masklet.turn_class"] == "prompt"
    assert click.start_time <= mine.start_time <= mine.end_time <= click.end_time
    (failed,) = [span for span in spans if span.attributes.get("masklet.outcome") == "object-not-found"]
    assert failed.status.status_code.name == "ERROR"
    # Without a word from the client, a trace of its own.
    assert failed.parent is None
    (track,) = [span for span in spans if span.name.endswith("/Track")]
    below = [span for span in turns if span.parent.span_id == track.context.span_id]
    assert sum(span.attributes["masklet.turn_class"] == "shot" for span in below) == 8


def test_a_collector_gets_spans_over_http_and_only_the_one_that_was_named(tmp_path: Path) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    paths: list[str] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            assert body
            paths.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    http = HTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    settings = replace(ServerSettings(), traces=f"http://127.0.0.1:{http.server_port}/")

    async def run() -> None:
        async with running(tmp_path, settings=settings) as server, server.client() as client:
            await client.clicked(server.root / "clip")

    try:
        asyncio.run(run())
    finally:
        http.shutdown()
        http.server_close()
        thread.join()

    # What was left is sent when the server stops.
    assert set(paths) == {"/v1/traces"}


@pytest.mark.parametrize("address", ["localhost:4318", "ftp://collector", "http://", "collector"])
def test_what_is_no_address_of_a_collector_is_one_sentence(address: str) -> None:
    with pytest.raises(BadInputError, match="write one like http"):
        open_traces(address)


def test_without_a_collector_nothing_of_opentelemetry_is_loaded() -> None:
    code = (
        "import sys, masklet_server.service.server as s; from masklet_server.service.settings import "
        "ServerSettings; assert ServerSettings().traces is None; "
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
