"""A server of one's own behind a helper: it dies, the helper dies, and the artist's work goes on."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from masklet.client import connect_through_helper
from masklet.errors import ServerUnreachableError, SessionNotFoundError
from masklet.session import Session
from masklet.transport.bridge import BridgeTransport
from masklet.types import FrameRange
from masklet_server.demo.clip_writer import DemoClip
from platforms import KILL, needs_proc

pytestmark = needs_proc


def is_over(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def wait_until(is_so: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < end_s, "it did not come about"
        time.sleep(0.05)


def is_forgotten(session: Session) -> bool:
    """Whether a server answers that does not know the session; until then calls may find none at all."""
    try:
        session.info()
    except SessionNotFoundError:
        return True
    except ServerUnreachableError:
        return False
    return False


def server_below(helper_pid: int | None) -> int:
    """The server that a helper started from a thread of its own."""
    assert helper_pid is not None
    for task in Path(f"/proc/{helper_pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            return int(child)
    raise AssertionError("the helper has no server")


def test_prompts_outlive_the_server_and_the_helper(clip: DemoClip) -> None:
    server = connect_through_helper(python=sys.executable)
    transport = server._transport
    assert isinstance(transport, BridgeTransport)
    try:
        assert server.is_own
        session = server.open(clip.pattern)
        frame, x_px, y_px = clip.clicks[0]
        session.object("duck").click(frame=frame, x_px=x_px, y_px=y_px)
        session.object("duck").lock(first=1003, last=1003)
        prompts = session.prompts()

        def restored() -> Session:
            wait_until(lambda: is_forgotten(session))
            again = server.restore(session.session_id, clip.pattern, prompts)
            document = again.prompts()
            assert again.session_id != session.session_id
            assert [info.name for info in document.objects] == ["duck"]
            assert [item.clicks for item in document.prompts] == [item.clicks for item in prompts.prompts]
            assert [lock.frames for lock in document.locks] == [FrameRange(1003, 1003)]
            return again

        os.kill(server_below(transport.helper_pid), KILL)
        session = restored()
        assert server.restore(session.session_id, clip.pattern, prompts).session_id == session.session_id

        helper_pid, server_pid = transport.helper_pid, server_below(transport.helper_pid)
        assert helper_pid is not None
        os.kill(helper_pid, KILL)
        wait_until(lambda: is_over(server_pid))
        session = restored()
        assert len(list(session.track(frames=FrameRange(1001, 1002)))) == 2
        last_helper, last_server = transport.helper_pid, server_below(transport.helper_pid)
        assert last_helper is not None
    finally:
        server.close()
    wait_until(lambda: is_over(last_helper) and is_over(last_server))
