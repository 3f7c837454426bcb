"""Calls over a connection that breaks, and answers that are errors."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import grpc
import pytest

import masklet
from masklet.errors import (
    AccessDeniedError,
    BadInputError,
    BusyError,
    LimitError,
    ObjectNotFoundError,
    ServerFaultError,
    ServerUnreachableError,
    VersionError,
)
from masklet.transport import grpc_channel
from masklet.transport.endpoint import Endpoint, ServerChoice, is_loopback
from masklet.transport.grpc import GrpcTransport
from masklet.transport.grpc_channel import ERROR_KIND_KEY, Channel
from masklet.transport.interface import ExportRequest
from masklet.transport.opening import open_transport
from masklet.v1 import (
    export_pb2,
    export_pb2_grpc,
    server_pb2,
    server_pb2_grpc,
    session_pb2,
    session_pb2_grpc,
    values_pb2,
)
from masklet.version_fit import check_versions


class Answers(
    server_pb2_grpc.ServerServiceServicer,
    session_pb2_grpc.SessionServiceServicer,
    export_pb2_grpc.ExportServiceServicer,
):
    """A server that fails as it is told and remembers request ids.

    Attributes:
        failures: Status, detail and kind of the next answers; then it succeeds.
        request_ids: Of every call to add an object.
        exports: How many were asked for.
        endings: As ``failures``, of exports behind their first file.
    """

    def __init__(self) -> None:
        self.failures: list[tuple[grpc.StatusCode, str, str | None]] = []
        self.request_ids: list[str] = []
        self.exports = 0
        self.endings: list[tuple[grpc.StatusCode, str, str | None]] = []

    def GetServerInfo(self, request, context):  # type: ignore[no-untyped-def]
        self._fail_if_told(context)
        return server_pb2.GetServerInfoResponse(version=masklet.__version__)

    def AddObject(self, request, context):  # type: ignore[no-untyped-def]
        self.request_ids.append(request.request_id)
        self._fail_if_told(context)
        return session_pb2.AddObjectResponse(object=values_pb2.ObjectInfo(object_id=1, name=request.name))

    def ExportMattes(self, request, context):  # type: ignore[no-untyped-def]
        self.exports += 1
        self._fail_if_told(context)
        for name in ("a.1.exr", "a.2.exr"):
            written = export_pb2.FileWritten(relative_name=name, size_bytes=9)
            yield export_pb2.ExportMattesResponse(event=export_pb2.ExportEvent(written=written))
            self._fail(self.endings, context)

    def _fail_if_told(self, context: grpc.ServicerContext) -> None:
        self._fail(self.failures, context)

    @staticmethod
    def _fail(failures: list[tuple[grpc.StatusCode, str, str | None]], context: grpc.ServicerContext) -> None:
        if failures:
            status, detail, kind = failures.pop(0)
            if kind is not None:
                context.set_trailing_metadata(((ERROR_KIND_KEY, kind),))
            context.abort(status, detail)


def start(answers: Answers, port: int = 0) -> tuple[grpc.Server, int]:
    server = grpc.server(ThreadPoolExecutor(2), options=[("grpc.so_reuseport", 0)])
    server_pb2_grpc.add_ServerServiceServicer_to_server(answers, server)
    session_pb2_grpc.add_SessionServiceServicer_to_server(answers, server)
    export_pb2_grpc.add_ExportServiceServicer_to_server(answers, server)
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server, port


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def address(answers: Answers) -> Iterator[str]:
    server, port = start(answers)
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


@pytest.fixture
def transport(address: str) -> Iterator[GrpcTransport]:
    channel = Channel(Endpoint(address, plaintext=True), why_dead=lambda: None)
    yield GrpcTransport(channel)
    channel.close()


def test_a_lost_call_is_made_again_under_the_same_id(answers: Answers, transport: GrpcTransport) -> None:
    transport.server_info()
    answers.failures = [(grpc.StatusCode.UNAVAILABLE, "gone", None)] * 2

    assert transport.add_object("s1", "hero").name == "hero"

    assert len(answers.request_ids) == 3
    assert len(set(answers.request_ids)) == 1


def test_the_first_contact_is_not_tried_again(answers: Answers, transport: GrpcTransport) -> None:
    answers.failures = [(grpc.StatusCode.UNAVAILABLE, "gone", None)] * 2

    with pytest.raises(ServerUnreachableError, match="no server answers"):
        transport.server_info()

    assert len(answers.failures) == 1


def test_what_the_server_refuses_is_not_tried_again(answers: Answers, transport: GrpcTransport) -> None:
    transport.server_info()
    answers.failures = [(grpc.StatusCode.NOT_FOUND, "no object 7", "object-not-found")]

    with pytest.raises(ObjectNotFoundError, match="no object 7"):
        transport.add_object("s1", "hero")

    assert len(answers.request_ids) == 1


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "limit", LimitError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "busy", BusyError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, None, BusyError),
        (grpc.StatusCode.INVALID_ARGUMENT, "a kind of the future", BadInputError),
        (grpc.StatusCode.DATA_LOSS, None, ServerFaultError),
    ],
)
def test_errors_arrive_as_what_they_were(
    answers: Answers,
    transport: GrpcTransport,
    status: grpc.StatusCode,
    kind: str | None,
    expected: type[Exception],
) -> None:
    answers.failures = [(status, "the reason", kind)]

    with pytest.raises(expected, match="the reason") as caught:
        transport.server_info()

    assert type(caught.value) is expected


def test_a_fresh_token_is_taken_up_also_by_the_last_try(
    answers: Answers, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKLET_PATIENCE_S", "0.8")
    file = tmp_path / "token"
    file.write_text("a-token-of-sixteen-2\n")
    endpoint = Endpoint(address, token="a-token-of-sixteen-1", token_file=file, plaintext=True)
    channel = Channel(endpoint, why_dead=lambda: None)
    transport = GrpcTransport(channel)
    transport.server_info()
    lost = (grpc.StatusCode.UNAVAILABLE, "gone", None)
    answers.failures = [lost, lost, (grpc.StatusCode.UNAUTHENTICATED, "an old token", None)]

    assert transport.server_info().version == masklet.__version__
    channel.close()


def test_a_stream_that_has_begun_is_not_made_again_with_a_fresh_token(
    answers: Answers, address: str, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("a-token-of-sixteen-2\n")
    endpoint = Endpoint(address, token="a-token-of-sixteen-1", token_file=file, plaintext=True)
    channel = Channel(endpoint, why_dead=lambda: None)
    transport = GrpcTransport(channel)
    ended = (grpc.StatusCode.UNAUTHENTICATED, "your token has ended", "access-denied")
    answers.failures = [ended]

    # Before anything has come it is, and after that it would bring all files once more.
    written = list(transport.export_mattes("s1", ExportRequest()))
    assert len(written) == answers.exports == 2
    file.write_text("a-token-of-sixteen-3\n")
    answers.endings = [ended]
    with pytest.raises(AccessDeniedError, match="your token has ended"):
        list(transport.export_mattes("s1", ExportRequest()))
    assert answers.exports == 3
    # The next one takes the fresh token up.
    assert len(list(transport.export_mattes("s1", ExportRequest()))) == 2
    channel.close()


def test_a_restart_of_the_server_is_survived(answers: Answers) -> None:
    server, port = start(answers)
    channel = Channel(Endpoint(f"127.0.0.1:{port}", plaintext=True), why_dead=lambda: None)
    transport = GrpcTransport(channel)
    transport.server_info()
    server.stop(None).wait()
    restarted: list[grpc.Server] = []

    def start_again() -> None:
        time.sleep(0.6)
        restarted.append(start(answers, port)[0])

    thread = threading.Thread(target=start_again)
    thread.start()
    assert transport.server_info().version == masklet.__version__

    thread.join()
    channel.close()
    restarted[0].stop(None).wait()


def test_a_dead_server_of_ones_own_is_not_waited_for(answers: Answers) -> None:
    server, port = start(answers)
    channel = Channel(Endpoint(f"127.0.0.1:{port}", plaintext=True), why_dead=lambda: "it stopped")
    transport = GrpcTransport(channel)
    transport.server_info()
    server.stop(None).wait()

    started_s = time.monotonic()
    with pytest.raises(ServerUnreachableError, match="it stopped"):
        transport.server_info()

    assert time.monotonic() - started_s < 2
    channel.close()


@pytest.mark.parametrize("address", ["gpu1", "gpu1:", "http://gpu1:7700", "gpu1:7700/x", ""])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(BadInputError, match="write host:port"):
        Channel(Endpoint(address, plaintext=True), why_dead=lambda: None)


@pytest.mark.parametrize("token", ["two\nlines", "s\0e\0c\0r\0e\0t", "für-alle"])
def test_a_token_that_cannot_be_sent_is_refused(address: str, token: str) -> None:
    with pytest.raises(BadInputError, match="no token can have: copy it again"):
        Channel(Endpoint(address, token=token, plaintext=True), why_dead=lambda: None)


def test_only_this_machine_is_loopback() -> None:
    assert is_loopback("127.0.0.1:7700")
    assert is_loopback("[::1]:7700")
    assert is_loopback("localhost:7700")
    assert not is_loopback("gpu1:7700")
    assert not is_loopback("192.168.0.1:7700")


def first_bytes_sent_to(host: str) -> bytes:
    """What a client with a token says first to a server of that name, which is this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        transport, own = open_transport(ServerChoice(f"{host}:{port}", token="a-secret-of-sixteen"))
        assert own is None
        asking = threading.Thread(target=lambda: suppress_all(transport.server_info), daemon=True)
        asking.start()
        listening.settimeout(20)
        connection, _ = listening.accept()
        with connection:
            connection.settimeout(20)
            said = connection.recv(4096)
        transport.close()
        asking.join(20)
    return said


def suppress_all(call: Callable[[], object]) -> None:
    # The listener answers nothing, so the call cannot succeed.
    with suppress(masklet.errors.MaskletError):
        call()


@pytest.mark.skipif(os.name == "nt", reason="Windows does not connect to 0.0.0.0")
def test_a_token_goes_to_another_machine_under_tls_only() -> None:
    # This machine to the system, but not by an address that only this machine can have.
    assert not is_loopback("0.0.0.0:7700")

    assert first_bytes_sent_to("0.0.0.0")[:2] == b"\x16\x03"  # a TLS handshake
    assert first_bytes_sent_to("127.0.0.1").startswith(b"PRI * HTTP/2")


def test_a_machine_of_a_cluster_that_hangs_is_not_waited_for_until_it_takes_a_call() -> None:
    # The system takes the connection, as it does for a process that was stopped, and nobody reads from it.
    with socket.create_server(("127.0.0.1", 0)) as door:
        options = [*grpc_channel.OPTIONS, *grpc_channel.WORKER_OPTIONS]
        with grpc.insecure_channel(f"127.0.0.1:{door.getsockname()[1]}", options=options) as channel:
            stub = server_pb2_grpc.ServerServiceStub(channel)
            with pytest.raises(grpc.RpcError) as caught:
                stub.GetServerInfo(server_pb2.GetServerInfoRequest(), timeout=18.0)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_versions_fit_up_to_the_number_that_may_break() -> None:
    check_versions("0.1.9", "0.1.0")
    check_versions("1.7.0", "1.0.3")

    with pytest.raises(VersionError, match=r"0\.2\.0 and this client 0\.1\.0: update"):
        check_versions("0.2.0", "0.1.0")
    with pytest.raises(VersionError):
        check_versions("2.0.0", "1.9.0")
