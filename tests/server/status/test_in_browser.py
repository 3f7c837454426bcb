"""The page in Chromium: read and used by keyboard without JavaScript, without barriers, and nothing runs."""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fakes.operated import FakeKeys, FakeOperated, session_row
from masklet_server.status.serving import StatusServer
from real_browser import browser

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

PICTURES_VARIABLE = "MASKLET_STATUS_PICTURES"
"""A folder that gets the pictures, for whoever wants to look at them."""


def test_people_can_use_it(tmp_path: Path) -> None:
    from masklet_server.status.app import StatusPage

    chromium = browser()
    server = FakeOperated()
    evil = "<img src=x onerror=alert(1)>"
    rows = (*server.shown.sessions, session_row(5, evil, "<script>alert(2)</script>.mov", "idle", objects=1))
    server.shown = replace(server.shown, sessions=rows, max_sessions=8)

    async def run() -> Any:
        page = StatusServer(StatusPage(server, FakeKeys(), secure=False).app, "127.0.0.1", 0, None)
        port = await page.start()
        try:
            script = Path(__file__).with_name("inside_browser.py")
            return await asyncio.to_thread(chromium.visit, script, f"http://127.0.0.1:{port}", tmp_path)
        finally:
            await page.stop()

    found = asyncio.run(run())
    kept = os.environ.get(PICTURES_VARIABLE)
    if kept:
        shutil.copytree(
            tmp_path,
            kept,
            ignore=lambda _, names: [n for n in names if not n.endswith(".png")],
            dirs_exist_ok=True,
        )

    for name in ("light", "dark", "narrow"):
        assert found[name] == {"barriers": [], "scrolls sideways": False}, name
    keyboard = found["keyboard"]
    assert "sh010_comp_v012" in keyboard["text"]
    assert evil in keyboard["text"]
    assert keyboard["reached"][0] == "Skip to the content"
    assert keyboard["question"] == "Remove the session of bob on sh020.mov?"
    assert keyboard["told"] == "The session is gone for good."
    assert keyboard["complaints"] == []
    assert server.done == [("remove", server.shown.sessions[1].session_id, "this machine")]
    assert found["scripts"] == {"complaints": [], "ran": [], "margin": "0px", "scripts": 0}
