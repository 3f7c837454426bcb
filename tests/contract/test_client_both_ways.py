"""The client library over both transports: no shared disk, and sessions that come back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import masklet
from masklet.client import Server, connect, connect_through_helper
from masklet.errors import AccessDeniedError, BadInputError, ClipError
from masklet.transport.local_server import LocalServer
from masklet.types import FrameRange
from masklet_server.demo.clip_writer import DemoClip


@pytest.fixture(params=("grpc", "bridge"))
def server(request: pytest.FixtureRequest, process: LocalServer, tmp_path: Path) -> Iterator[Server]:
    """A client of the server, connected in one way and then in the other."""
    token_file = tmp_path / "token"
    token_file.write_text(f"{process.token}\n")
    made = (
        connect(process.address, token=process.token)
        if request.param == "grpc"
        else connect_through_helper(process.address, token_file=token_file, python=sys.executable)
    )
    with made:
        yield made


def test_frames_go_up_and_mattes_come_home_without_a_shared_disk(
    server: Server, clip: DemoClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame, x_px, y_px = clip.clicks[0]
    # A relative path means the host's folder, not the helper's.
    monkeypatch.chdir(clip.pattern.parent)
    session = server.open(clip.pattern.name, upload=True)
    monkeypatch.chdir(tmp_path)

    session.object("duck").click(frame=frame, x_px=x_px, y_px=y_px)
    for _ in session.track(frames=FrameRange(1001, 1002)):
        pass
    exported = session.export("mattes")
    session.close()

    assert session.clip.frames == FrameRange(1001, 1004)
    assert not server.is_own
    assert len(exported.files) == 2
    assert all((tmp_path / file).stat().st_size > 0 for file in exported.files)


def test_a_session_that_is_there_is_given_back_and_one_that_is_gone_is_made_again(
    server: Server, clip: DemoClip
) -> None:
    frame, x_px, y_px = clip.clicks[0]
    session = server.open(clip.pattern)
    session.object("duck").click(frame=frame, x_px=x_px, y_px=y_px)
    prompts = session.prompts()

    same = server.restore(session.session_id, clip.pattern, prompts)
    session.close()
    again = server.restore(session.session_id, clip.pattern, prompts)

    assert same.session_id == session.session_id
    assert again.session_id != session.session_id
    assert [item.clicks for item in again.prompts().prompts] == [item.clicks for item in prompts.prompts]
    again.close()


def test_a_session_whose_clip_is_gone_too_cannot_be_made_again(
    server: Server, clip: DemoClip, tmp_path: Path
) -> None:
    with pytest.raises(ClipError, match="gone"):
        server.restore("0" * 32, tmp_path / "gone.mov", masklet.types.PromptDocument())


def test_a_wrong_token_is_refused(process: LocalServer, tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    token_file.write_text("a token that nobody knows")

    with pytest.raises(AccessDeniedError):
        connect_through_helper(process.address, token_file=token_file, python=sys.executable)


def test_a_token_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"no-token cannot be read"):
        connect_through_helper("gpu1:7700", token_file=tmp_path / "no-token", python=sys.executable)
