"""Lines of the log that programs read: who asked for what, in which session, and how it ended."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.service import SMALL, new_id, refusal, running
from masklet.v1 import prompt_pb2, track_pb2, values_pb2
from masklet_server.service.call_watch import CALLS_LOGGER, Call, current_call
from masklet_server.service.log_lines import JsonLines, set_up_log


class Lines(logging.Handler):
    """Keeps lines as they would be written."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonLines())
        self.found: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(json.loads(self.format(record)))


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, calls = Lines(), logging.getLogger(CALLS_LOGGER)
    before, root = calls.level, logging.getLogger("masklet_server")
    calls.setLevel(logging.INFO)
    root.addHandler(handler)
    yield handler
    root.removeHandler(handler)
    calls.setLevel(before)


def test_every_call_has_a_line_with_its_request_session_and_user(tmp_path: Path, lines: Lines) -> None:
    request_id = new_id()

    async def run() -> str:
        async with running(tmp_path) as server, server.client() as client:
            session_id, (hero,) = await client.clicked(server.root / "clip")
            click = prompt_pb2.AddClickRequest(
                session_id=session_id,
                request_id=request_id,
                object_id=hero,
                frame=2,
                click=values_pb2.Click(x_px=5, y_px=5, positive=True),
                mask_format=SMALL,
            )
            await client.prompts.AddClick(click)
            await refusal(client.click(session_id, hero + 7))
            await client.is_serving()
            return session_id

    session_id = asyncio.run(run())

    ended = [line for line in lines.found if line["logger"] == CALLS_LOGGER]
    (mine,) = [line for line in ended if line.get("request") == request_id]
    assert mine["session"] == session_id
    assert mine["user"] == "local"
    assert mine["method"] == "/masklet.v1.PromptService/AddClick"
    assert mine["outcome"] == "ok"
    assert mine["sent_bytes"] > 0
    assert mine["duration_s"] > 0
    (failed,) = [line for line in ended if line["outcome"] == "object-not-found"]
    assert failed["session"] == session_id
    # Who opens a session has none yet: its line tells the one that was made.
    (opened,) = [line for line in ended if line["method"].endswith("OpenSession")]
    assert opened["session"] == session_id
    assert not any("health" in line["message"] for line in ended)


def test_a_client_that_leaves_is_no_error(tmp_path: Path, lines: Lines) -> None:
    async def run() -> None:
        async with running(tmp_path) as server, server.client() as client:
            server.engine.frame_s = 0.2
            session_id, _ = await client.clicked(server.root / "clip")
            request = track_pb2.TrackRequest(session_id=session_id, request_id=new_id(), mask_format=SMALL)
            track = client.tracks.Track(request)
            await track.read()
            track.cancel()
            async with asyncio.timeout(10):
                while not any(line.get("outcome") == "left" for line in lines.found):
                    await asyncio.sleep(0.02)

    asyncio.run(run())


def test_what_the_device_logs_names_the_call_it_works_for(tmp_path: Path, lines: Lines) -> None:
    def broken(call: str, frame: int) -> Exception | None:
        logging.getLogger("masklet_server.engine").warning("looking at frame %d", frame)
        return None

    async def run() -> str:
        async with running(tmp_path) as server, server.client() as client:
            server.engine.fail = broken
            session_id, _ = await client.clicked(server.root / "clip")
            return session_id

    session_id = asyncio.run(run())

    (line,) = [line for line in lines.found if line["message"] == "looking at frame 1"]
    assert line["session"] == session_id
    assert line["method"].endswith("AddClick")


def test_a_name_cannot_break_out_of_its_line() -> None:
    lines = JsonLines()
    token = current_call.set(Call("/m", user='eve"\n{"level":"error"}\u202e'))
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "said %s", ("a\nb",), None)
    try:
        text = lines.format(record)
    finally:
        current_call.reset(token)

    assert "\n" not in text
    assert text.isascii()
    assert json.loads(text)["user"].startswith("eve")


def test_an_incident_brings_its_story() -> None:
    lines = JsonLines()
    try:
        int("nobody foresaw this")
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "incident", (), info)

    assert "nobody foresaw this" in json.loads(lines.format(record))["exception"]


def test_people_are_not_told_of_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = logging.getLogger(CALLS_LOGGER)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    level = calls.level
    try:
        set_up_log(as_json=False)
        assert not calls.isEnabledFor(logging.INFO)
        set_up_log(as_json=True)
        assert calls.isEnabledFor(logging.INFO)
    finally:
        calls.setLevel(level)
