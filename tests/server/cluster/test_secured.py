"""A cluster as other machines reach it: TLS, certificates of clients and tokens, at each of its doors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest

import masklet
from fakes.authority import Authority
from fakes.clustered import Certificates, Cluster, wait_until
from fakes.kept import KeptServer, plates
from masklet.errors import AccessDeniedError, BadInputError, ServerUnreachableError, SessionNotFoundError
from masklet.scopes import SHARED, Scope
from masklet.transport.endpoint import Endpoint
from masklet.types import MaskFormat
from masklet_server.cluster.joining import gateway_endpoint
from masklet_server.cluster.ports import Load, SessionFacts
from masklet_server.cluster.remote_roster import RemoteRoster
from masklet_server.identity.caller import named
from masklet_server.identity.signed_tokens import make_token

pytestmark = pytest.mark.skipif(os.name == "nt", reason="openssl and signals are of POSIX")

SMALL = MaskFormat(max_side_px=32)


@dataclass
class Studio:
    """A cluster, and what its people have."""

    cluster: Cluster
    authority: Authority
    tokens: dict[str, str]
    shown: tuple[Path, Path]
    clip: Path

    def alive(self) -> KeptServer:
        """A worker that has not been drained."""
        return next(
            worker for name, worker in self.cluster.workers.items() if self.cluster.state(name) == "alive"
        )

    def connect(self, address: str, who: str = "ann", **other: Any) -> masklet.Server:
        certificate, key = self.shown
        given = {
            "token": self.tokens.get(who),
            "tls_ca_file": self.authority.certificate,
            "tls_cert_file": certificate,
            "tls_key_file": key,
        }
        return masklet.connect(address, **{**given, **other})


@pytest.fixture(autouse=True)
def no_server_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the caller's environment says of servers."""
    for name in ("SERVER", "TOKEN", "TOKEN_FILE", "TLS_CA", "TLS_CERT", "TLS_KEY"):
        monkeypatch.delenv(f"MASKLET_{name}", raising=False)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("secured")
    try:
        authority = Authority(tmp_path_factory.mktemp("studio"), "studio")
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    register = folder / "tokens.json"
    tokens = {who: make_token(register, named(who, scopes=SHARED), 3600.0)[0] for who in ("ann", "eve")}
    tokens["cluster"] = make_token(register, named("cluster", scopes=(Scope.ADMIN,)), 3600.0)[0]
    worker_token = folder / "worker.token"
    worker_token.write_text(tokens["cluster"])
    worker_token.chmod(0o600)
    certificates = Certificates(*authority.sign("server", "localhost"), authority.certificate)
    cluster = Cluster(
        folder, 0.02, signed_tokens=register, worker_token=worker_token, certificates=certificates
    )
    with cluster:
        cluster.start("one", ["--sessions", "one"])
        cluster.start("two", ["--sessions", "two"])
        yield Studio(cluster, authority, tokens, authority.sign("artist", "artist"), plates(folder / "clip"))


def test_an_artist_is_known_at_the_front_door_and_at_the_worker_and_a_move_keeps_that(studio: Studio) -> None:
    cluster = studio.cluster
    with studio.connect(cluster.address) as client:
        session = client.open(studio.clip)
        session.object("hero").click(frame=10, x_px=8.0, y_px=9.0)
        home = cluster.at(session.session_id)
        for address in (cluster.address, cluster.workers[home].address):
            with studio.connect(address, "eve") as stranger:
                assert stranger.sessions() == ()
                with pytest.raises(SessionNotFoundError):
                    stranger.resume(session.session_id)
        # Nobody else reaches its folder: the journal is sent to the other one, over TLS as well.
        frames = []
        for update in session.track(mask_format=SMALL):
            frames.append(update.frame)
            if len(frames) == 3:
                cluster.gateway.directory.drain(home)
                wait_until(lambda: cluster.at(session.session_id) != home)
        assert sorted(frames) == list(range(1, 25))
        assert [each.name for each in session.info().objects] == ["hero"]
        away = cluster.at(session.session_id)
        assert away not in ("", home)
        assert (cluster.folder / away / session.session_id).is_dir()
        session.close()


def test_nobody_is_heard_without_a_token_a_certificate_or_tls(studio: Studio) -> None:
    for address in (studio.cluster.address, studio.alive().address):
        with pytest.raises(AccessDeniedError):
            studio.connect(address, "nobody")
        with pytest.raises(AccessDeniedError):
            studio.connect(address, token="x" * 40)
        for lacks in (
            {"tls_cert_file": None, "tls_key_file": None},
            {"tls_cert_file": None, "tls_key_file": None, "tls_ca_file": None},
        ):
            with pytest.raises(ServerUnreachableError, match="both ends use TLS or neither"):
                studio.connect(address, **lacks)


def test_a_worker_of_another_authority_hears_nothing(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKLET_PATIENCE_S", "0.3")
    rogue = Authority(tmp_path, "studio").sign("rogue", "localhost")
    heard: list[str] = []

    class Listening(grpc.GenericRpcHandler):
        def service(self, details: grpc.HandlerCallDetails) -> None:
            heard.append(details.method)

    false = grpc.server(ThreadPoolExecutor(1), handlers=(Listening(),))
    pair = ((rogue[1].read_bytes(), rogue[0].read_bytes()),)
    port = false.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(pair))
    false.start()
    certificate, key = studio.shown
    shown = {"tls_ca_file": studio.authority.certificate, "tls_cert_file": certificate, "tls_key_file": key}
    roster = RemoteRoster(Endpoint(studio.cluster.address, token=studio.tokens["cluster"], **shown))
    try:
        (one, *_) = roster.workers()
        membership = roster.join(replace(one.offer, name="rogue", endpoint=f"127.0.0.1:{port}"))
        roster.report(membership, Load(1, 1))
        roster.claim(membership, "ab" * 16, SessionFacts("ann"))
        with studio.connect(studio.cluster.address) as client, pytest.raises(ServerUnreachableError):
            client.resume("ab" * 16)
        roster.leave(membership)
    finally:
        roster.close()
        false.stop(None).wait()
    assert heard == []


def test_a_worker_listens_where_it_was_told_and_nowhere_else(studio: Studio) -> None:
    worker = studio.alive()
    process = psutil.Process(worker.process.pid)
    found = [
        (each.laddr.ip.removeprefix("::ffff:"), each.laddr.port)
        for one in (process, *process.children(recursive=True))
        for each in one.net_connections("inet")
        if each.status == psutil.CONN_LISTEN
    ]
    assert found == [("127.0.0.1", worker.port)]


def test_a_certificate_for_the_front_door_comes_with_its_key() -> None:
    with pytest.raises(BadInputError, match="--gateway-key"):
        gateway_endpoint("gate:7700", None, None, Path("worker.pem"))
