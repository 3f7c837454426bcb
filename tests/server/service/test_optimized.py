"""``python -O`` takes assertions out of a server, and nothing that keeps bad input away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

import masklet
from fakes.kept import KeptServer, plates
from masklet.errors import BadInputError, FrameMissingError, SessionNotFoundError
from masklet.types import FrameRange
from masklet.v1 import prompt_pb2, session_pb2, values_pb2


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeptServer]:
    monkeypatch.setenv("PYTHONOPTIMIZE", "1")
    kept = KeptServer(tmp_path)
    kept.start()
    yield kept
    kept.kill()


def test_bad_input_is_refused_by_a_server_without_assertions_as_well(
    tmp_path: Path, server: KeptServer
) -> None:
    clip = plates(tmp_path / "clip", frames=4)
    with masklet.connect(server.address) as client:
        session = client.open(clip)
        hero = session.object("hero")
        for x_px in (float("nan"), float("inf"), -9.0, 1e9):
            with pytest.raises(BadInputError):
                hero.click(frame=1, x_px=x_px, y_px=5.0)
        with pytest.raises(FrameMissingError):
            hero.click(frame=99, x_px=8.0, y_px=9.0)
        hero.click(frame=1, x_px=8.0, y_px=9.0)
        with pytest.raises(BadInputError):
            list(session.track(frames=FrameRange(0, 99)).events())
        with grpc.insecure_channel(server.address) as channel:
            opening = session_pb2.OpenSessionRequest(request_id="a", path="/etc/passwd").SerializeToString()
            with pytest.raises(grpc.RpcError) as refused:
                channel.unary_unary("/masklet.v1.SessionService/OpenSession")(opening, timeout=10.0)
            assert refused.value.code() == grpc.StatusCode.PERMISSION_DENIED
            call = channel.unary_unary("/masklet.v1.PromptService/AddClick")
            for message in (
                b"\xff" * 40,
                b"",
                prompt_pb2.AddClickRequest(session_id="0" * 32).SerializeToString(),
                prompt_pb2.AddClickRequest(
                    session_id=session.session_id, frame=-5, click=values_pb2.Click()
                ).SerializeToString(),
            ):
                with pytest.raises(grpc.RpcError) as refused:
                    call(message, timeout=10.0)
                assert refused.value.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND)
        # All of that has cost nothing.
        assert len(list(session.track().events())) > 4
        session.close()
        with pytest.raises(SessionNotFoundError):
            hero.click(frame=1, x_px=8.0, y_px=9.0)
