"""Numbers for Prometheus as it reads them, on a port of their own, without names of users or clips."""

from __future__ import annotations

import asyncio
import re
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.service import SMALL, new_id, refusal, running
from masklet.errors import BadInputError
from masklet.v1 import track_pb2
from masklet_server.service import metrics
from masklet_server.service.meter import BUCKETS_S, Durations, Meter
from masklet_server.service.settings import ServerSettings

DASHBOARD = Path(__file__).parents[3] / "docs" / "masklet-grafana.json"
SETTINGS = replace(ServerSettings(), metrics_port=0)


def test_durations_fall_into_the_first_bucket_that_is_long_enough() -> None:
    durations = Durations()
    for duration_s in (0.001, 0.01, 0.011, 100.0):
        durations.note(duration_s)

    assert durations.counts[:2] == [2, 1]
    assert durations.counts[len(BUCKETS_S)] == 1
    assert durations.sum_s == pytest.approx(100.022)


def test_calls_are_counted_by_how_they_end() -> None:
    meter = Meter()
    meter.note("click", "ok", 0.02)
    meter.note("click", "limit", 0.5)

    assert meter.outcomes == {("click", "ok"): 1, ("click", "limit"): 1}
    # How long a refusal takes is no artist's wait.
    assert sum(meter.durations["click"].counts) == 1


def test_prometheus_reads_what_a_server_does(tmp_path: Path) -> None:
    parser = pytest.importorskip("prometheus_client.parser")

    async def run() -> str:
        async with running(tmp_path, settings=SETTINGS) as server, server.client() as client:
            session_id, (hero,) = await client.clicked(server.root / "clip")
            request = track_pb2.TrackRequest(session_id=session_id, request_id=new_id(), mask_format=SMALL)
            async for _ in client.tracks.Track(request):
                pass
            await refusal(client.click(session_id, hero + 7))
            url = f"http://127.0.0.1:{server.server.metrics_port}/metrics"
            answer = await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=10).read())
            return bytes(answer).decode()

    text = asyncio.run(run())

    values = {
        (sample.name, *sample.labels.values()): sample.value
        for family in parser.text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert values["masklet_sessions",] == 1
    # A plan, the click, and nine frames.
    # A track that waited for its reader takes its turn once more.
    assert values["masklet_turns_total", "shot"] >= 9
    assert values["masklet_turns_total", "prompt"] >= 2
    assert values["masklet_calls_total", "/masklet.v1.PromptService/AddClick", "ok"] == 1
    assert values["masklet_calls_total", "/masklet.v1.PromptService/AddClick", "object-not-found"] == 1
    assert values["masklet_call_seconds_count", "/masklet.v1.PromptService/AddClick"] == 1
    assert values["masklet_memory_bytes", "memories"] > 0
    assert values["masklet_device_hung_turns",] == 0
    assert values["masklet_frames_total", "shot"] == 9
    assert values["masklet_wire_bytes_total", "sent"] > values["masklet_wire_bytes_total", "received"] > 0
    # The dashboard asks for nothing that is not told.
    told = {family.name for family in parser.text_string_to_metric_families(text)}
    asked = set(re.findall(r"masklet_[a-z_]+", DASHBOARD.read_text(encoding="utf-8")))
    assert {re.sub(r"_(total|bucket)$", "", name) for name in asked} <= told
    assert "clip" not in text
    assert "hero" not in text


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nhost: localhost\r\n"])
def test_a_connection_without_a_request_is_closed_and_not_worth_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], said: bytes
) -> None:
    pytest.importorskip("prometheus_client")
    monkeypatch.setattr(metrics, "WAITS_S", 0.1)

    async def run() -> None:
        async with running(tmp_path, settings=SETTINGS) as server:
            assert server.server.metrics_port is not None
            reader, writer = await asyncio.open_connection(metrics.HOST, server.server.metrics_port)
            writer.write(said)
            async with asyncio.timeout(20.0):
                assert await reader.read() == b""
            writer.close()

    asyncio.run(run())
    assert "Traceback" not in capfd.readouterr().err


def test_a_port_that_is_taken_is_one_sentence(tmp_path: Path) -> None:
    pytest.importorskip("prometheus_client")

    async def run() -> None:
        async with running(tmp_path, settings=SETTINGS) as server:
            other = replace(SETTINGS, metrics_port=server.server.metrics_port)
            with pytest.raises(BadInputError, match="choose another --metrics-port"):
                async with running(tmp_path, settings=other):
                    pass

    asyncio.run(run())
