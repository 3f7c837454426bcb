"""No call of the protocol leads to what runs a client's bytes, starts a program or opens a connection."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.protocol import bearer, methods
from fakes.service import SMALL, new_id, running
from masklet.v1 import export_pb2, prompt_pb2, track_pb2
from masklet_server.service.settings import ServerSettings

TOKEN = "a-token-of-sixteen"
NEVER = frozenset(
    {
        *("pickle.find_class", "marshal.load", "marshal.loads", "os.system", "subprocess.Popen", "os.exec"),
        *("os.posix_spawn", "os.spawn", "pty.spawn", "urllib.Request", "ctypes.dlopen"),
        *("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "code.__new__"),
    }
)
ENDING = ("/CloseSession", "/RemoveObject", "Document", "/UndoPrompt")
"""What the other calls need would be gone after one of these."""
_heard: list[str] | None = None


def _hear(event: str, _: tuple[object, ...]) -> None:
    if _heard is not None and event in NEVER:
        _heard.append(event)


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """What Python's own audit tells of these; hooks cannot be taken away, so there is one for all tests."""
    global _heard
    if not getattr(sys, "_masklet_hears", False):
        sys.addaudithook(_hear)
        sys._masklet_hears = True  # type: ignore[attr-defined]
    _heard = []
    yield _heard
    _heard = None


def test_a_session_from_its_first_call_to_its_last_reaches_nothing_of_the_kind(
    tmp_path: Path, heard: list[str]
) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text(f"ann:{TOKEN}\n")
    tokens.chmod(0o600)

    async def run() -> None:
        async with (
            running(tmp_path, settings=ServerSettings(token_file=tokens)) as server,
            server.client(token=TOKEN) as client,
        ):
            session_id, _ = await client.clicked(server.root / "clip")
            known = {"session_id": session_id, "object_id": 1, "request_id": new_id()}
            for _ in range(2):
                # The first round imports what it needs.
                heard.clear()
                for method in methods():
                    if not method.path.endswith(
                        ("/CloseSession", "/RemoveObject", "Document", "/UndoPrompt")
                    ):
                        await method.answer(client.channel, method.message(**known), bearer(TOKEN))
                request = track_pb2.TrackRequest(session_id=session_id, mask_format=SMALL)
                async for _ in client.tracks.Track(request, metadata=bearer(TOKEN)):
                    pass
                folder = export_pb2.ExportMattesRequest(
                    session_id=session_id, folder=str(server.root / "out")
                )
                async for _ in client.exports.ExportMattes(folder, metadata=bearer(TOKEN)):
                    pass
                asking = prompt_pb2.GetPromptDocumentRequest(session_id=session_id)
                await client.prompts.GetPromptDocument(asking)
            assert heard == []

    asyncio.run(run())


def test_what_is_listened_for_is_heard(heard: list[str]) -> None:
    import pickle

    pickle.loads(pickle.dumps(Path("x")))

    assert "pickle.find_class" in heard
