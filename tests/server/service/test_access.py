from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import grpc
import pytest

from fakes.service import FakeClient, Running, new_id, refusal, running
from masklet.errors import BadInputError, PathNotAllowedError
from masklet.transport import grpc_channel
from masklet.v1 import export_pb2, server_pb2, session_pb2
from masklet_server.service import listen
from masklet_server.service.listen import Access, Address
from masklet_server.service.roots import Roots
from masklet_server.service.settings import ServerSettings
from platforms import make_link

OPENSSL = (
    "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost "
    "-addext subjectAltName=DNS:localhost,IP:127.0.0.1"
)
ANN, BOB = "ann-has-a-long-token", "bob-has-a-long-token"
Work = Callable[[Running, FakeClient], Coroutine[Any, Any, None]]


def serve(folder: Path, work: Work) -> None:
    async def run() -> None:
        async with running(folder) as server, server.client() as client:
            await work(server, client)

    asyncio.run(run())


def opening(path: object) -> session_pb2.OpenSessionRequest:
    return session_pb2.OpenSessionRequest(request_id=new_id(), path=str(path))


def an_upload() -> list[session_pb2.UploadClipRequest]:
    content = b"first frame"
    commit = session_pb2.UploadCommit(files=1, sha256=hashlib.sha256(content).digest())
    start = session_pb2.UploadFileStart(frame=1, suffix=".exr", size_bytes=len(content))
    return [
        session_pb2.UploadClipRequest(
            header=session_pb2.UploadHeader(request_id=new_id(), clip_name="plate.####.exr")
        ),
        session_pb2.UploadClipRequest(file=start),
        session_pb2.UploadClipRequest(chunk=content),
        session_pb2.UploadClipRequest(commit=commit),
    ]


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.write_text(f"# artists\nann:{ANN}\nbob:{BOB}\n")
    return path


def test_paths_outside_the_roots_are_refused_without_telling_whether_they_exist(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        secret = tmp_path / "secret"
        secret.mkdir()
        make_link(server.root / "link", secret)
        paths = [
            secret,
            tmp_path / "nothing",
            server.root / ".." / "secret",
            server.root / "link",
            server.root / "link" / "plate.%04d.exr",
            str(server.root) + "-beside",
            "/etc/passwd",
        ]
        for path in paths:
            status, kind, message = await refusal(client.sessions.OpenSession(opening(path)))

            assert (status, kind) == (grpc.StatusCode.PERMISSION_DENIED, "path-not-allowed")
            assert str(tmp_path) not in message
        assert server.opener.opened == []

    serve(tmp_path, work)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take both spellings for one folder")
def test_a_folder_that_looks_like_a_root_is_none(tmp_path: Path) -> None:
    root, twin = tmp_path / "caf\u00e9", tmp_path / "cafe\u0301"
    for folder in (root, twin):
        (folder / "clip").mkdir(parents=True)
    roots = Roots([root])

    assert roots.clip(str(root / "clip")) == root / "clip"
    for other in (twin / "clip", tmp_path / "CAF\u00c9" / "clip", tmp_path / "caf\u00e9\u200b" / "clip"):
        with pytest.raises(PathNotAllowedError):
            roots.clip(str(other))


@pytest.mark.parametrize("path", ["/proc/self/environ", "/proc/self/cwd/clip", "/dev/fd/0", "/dev/stdin"])
def test_what_the_system_shows_of_the_server_itself_is_outside(tmp_path: Path, path: str) -> None:
    with pytest.raises(PathNotAllowedError):
        Roots([tmp_path]).clip(path)


def test_a_frame_that_links_out_of_the_roots_is_refused(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        secret = tmp_path / "secret.exr"
        secret.touch()
        (server.root / "clip" / "plate.0001.exr").touch()
        make_link(server.root / "clip" / "plate.0002.exr", secret)
        make_link(server.root / "clip" / "plate.0003.exr", server.root / "clip" / "plate.0001.exr")

        refused = await refusal(client.sessions.OpenSession(opening(server.root / "clip" / "plate.%04d.exr")))
        other = await refusal(client.sessions.OpenSession(opening(server.root / "clip" / "plate.%04d.png")))

        assert refused[1] == "path-not-allowed"
        assert "plate.0002.exr is a link" in refused[2]
        assert other[1] == "clip"

    serve(tmp_path, work)


@pytest.mark.parametrize("name", ["x" * 256, "x" * 256 + "/plate.%04d.exr", "clip/" + "x" * 3000, "猫" * 90])
def test_a_name_that_no_file_can_have_is_bad_input_for_clips_and_folders(tmp_path: Path, name: str) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        status, kind, message = await refusal(client.sessions.OpenSession(opening(server.root / name)))
        session_id, _ = await client.clicked(server.root / "clip")
        request = export_pb2.ExportMattesRequest(session_id=session_id, folder=str(server.root / name))
        refused = await refusal(client.exports.ExportMattes(request))

        assert (status, kind) == (grpc.StatusCode.INVALID_ARGUMENT, "bad-input")
        assert "no file is called that" in message
        assert refused == (status, kind, message)

    serve(tmp_path, work)


def test_a_peer_that_is_gone_is_noticed_after_25_seconds_by_both_ends() -> None:
    # Measured through a proxy that stops passing bytes on: 24.5 s, and 79.5 s without the ping's own limit.
    for options in (dict(listen.OPTIONS), dict(grpc_channel.OPTIONS)):
        waits = {options["grpc.keepalive_timeout_ms"], options["grpc.http2.ping_timeout_ms"]}
        assert options["grpc.keepalive_time_ms"] + max(waits) == 25_000


@pytest.mark.parametrize("path", ["", "plate.%04d.exr", "a\0b", "/" + "x" * 5000])
def test_what_is_no_full_path_is_bad_input(tmp_path: Path, path: str) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        status, kind, message = await refusal(client.sessions.OpenSession(opening(path)))

        assert (status, kind) == (grpc.StatusCode.INVALID_ARGUMENT, "bad-input")
        assert "full path" in message

    serve(tmp_path, work)


def test_without_a_token_only_health_answers(tmp_path: Path, token_file: Path) -> None:
    async def run() -> None:
        async with running(tmp_path, settings=ServerSettings(token_file=token_file)) as server:
            almost = (ANN + "x", ANN[:-1], ANN[1:], ANN[:16], ANN.upper(), f"ann:{ANN}")
            for token in (None, "wrong-wrong-wrong-wrong", "", *almost):
                async with server.client(token=token) as client:
                    call = client.server.GetServerInfo(server_pb2.GetServerInfoRequest())
                    status, kind, message = await refusal(call)
                    assert (status, kind) == (grpc.StatusCode.UNAUTHENTICATED, "access-denied")
                    assert "token" in message
                    assert await client.is_serving()
            async with server.client(token=ANN) as client:
                assert (await client.server.GetServerInfo(server_pb2.GetServerInfoRequest())).version

    asyncio.run(run())


def test_sessions_and_uploads_belong_to_whose_token_made_them(tmp_path: Path, token_file: Path) -> None:
    async def run() -> None:
        settings = ServerSettings(token_file=token_file)
        async with (
            running(tmp_path, settings=settings) as server,
            server.client(token=ANN) as ann,
            server.client(token=BOB) as bob,
        ):
            session = await ann.open(server.root / "clip")
            asking = session_pb2.GetSessionRequest(session_id=session.session_id)

            stolen = await refusal(bob.sessions.GetSession(asking))
            await bob.sessions.CloseSession(session_pb2.CloseSessionRequest(session_id=session.session_id))

            assert stolen[1] == "session-not-found"
            assert (await ann.sessions.GetSession(asking)).session == session

            as_ann = (("authorization", f"Bearer {ANN}"),)
            sent = await ann.sessions.UploadClip(iter(an_upload()), metadata=as_ann)
            taking = session_pb2.OpenSessionRequest(request_id=new_id(), upload_id=sent.upload_id)

            assert (await refusal(bob.sessions.OpenSession(taking)))[1] == "bad-input"
            # And it is still there for its owner.
            assert (await ann.sessions.OpenSession(taking)).session.clip.name == "plate.####.exr"

    asyncio.run(run())


@pytest.mark.parametrize(
    ("text", "loopback"),
    [
        ("127.0.0.1:0", True),
        ("localhost:7700", True),
        ("[::1]:7700", True),
        ("127.8.8.8:1", True),
        ("0.0.0.0:7700", False),
        ("[::]:7700", False),
        ("192.168.1.4:7700", False),
        ("studio:1", False),
    ],
)
def test_only_loopback_may_be_open_to_all(text: str, loopback: bool, token_file: Path) -> None:
    assert Address.parse(text).is_loopback == loopback
    settings = ServerSettings(address=text)
    if loopback:
        Access.of(settings)
        return
    with pytest.raises(BadInputError, match="TLS and a token file are missing"):
        Access.of(settings)
    with pytest.raises(BadInputError, match="TLS is missing"):
        Access.of(ServerSettings(address=text, token_file=token_file))


@pytest.mark.parametrize("text", ["7700", "localhost", "host:", "host:x", "host:70000", ":1"])
def test_what_is_no_address_is_said_so(text: str) -> None:
    with pytest.raises(BadInputError, match="not an address"):
        Address.parse(text)


@pytest.mark.parametrize(
    ("content", "words"), [("", "no token"), ("# nothing\n", "no token"), ("short\n", "at least 16")]
)
def test_unusable_token_files_are_refused(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "tokens"
    path.write_text(content)
    with pytest.raises(BadInputError, match=words):
        Access.of(ServerSettings(token_file=path))


def test_a_token_file_in_another_encoding_is_refused_with_its_repair(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text(f"ann:{ANN}\n", encoding="utf-16")
    with pytest.raises(BadInputError, match="not UTF-8 text: save it as UTF-8"):
        Access.of(ServerSettings(token_file=path))

    path.write_text(f"ann:{ANN}\n", encoding="utf-8-sig")  # as Notepad does
    assert Access.of(ServerSettings(token_file=path)).tokens is not None


def test_a_missing_token_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="cannot be read"):
        Access.of(ServerSettings(token_file=tmp_path / "none"))


def test_a_taken_port_is_said_so(tmp_path: Path) -> None:
    async def run() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            with pytest.raises(BadInputError, match="the port is taken"):
                async with running(tmp_path, settings=ServerSettings(address=address)):
                    pass

    asyncio.run(run())


def test_two_servers_never_share_a_port(tmp_path: Path) -> None:
    async def run() -> None:
        (tmp_path / "second").mkdir()
        async with running(tmp_path) as first:
            with pytest.raises(BadInputError, match="the port is taken"):
                async with running(tmp_path / "second", settings=ServerSettings(address=first.address)):
                    pass

    asyncio.run(run())


@pytest.mark.skipif(os.name == "nt", reason="needs openssl")
def test_tls_with_a_token_lets_in_and_plaintext_does_not(tmp_path: Path, token_file: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    try:
        subprocess.run(
            [*OPENSSL.split(), "-keyout", str(key), "-out", str(certificate)],
            check=True,
            capture_output=True,
        )
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    settings = ServerSettings(
        address="0.0.0.0:0", token_file=token_file, tls_certificate=certificate, tls_key=key
    )

    async def run() -> None:
        async with running(tmp_path, settings=settings) as server:
            local = server.on("127.0.0.1")
            trusted = grpc.ssl_channel_credentials(certificate.read_bytes())
            async with local.client(token=ANN, credentials=trusted) as client:
                assert (await client.server.GetServerInfo(server_pb2.GetServerInfoRequest())).version
            for credentials in (None, grpc.ssl_channel_credentials()):
                async with local.client(token=ANN, credentials=credentials) as client:
                    call = client.server.GetServerInfo(server_pb2.GetServerInfoRequest(), timeout=5)
                    assert (await refusal(call))[0] == grpc.StatusCode.UNAVAILABLE

    asyncio.run(run())
