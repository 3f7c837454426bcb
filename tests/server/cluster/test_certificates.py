"""A cluster that asks for certificates: artists, the front door and workers show theirs to each other."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import masklet
from fakes.authority import Authority
from fakes.clustered import GatewayThread
from fakes.kept import KeptServer, plates
from masklet.errors import BadInputError, ServerUnreachableError
from masklet.scopes import Scope
from masklet_server.cluster.joining import gateway_endpoint
from masklet_server.identity.caller import named
from masklet_server.identity.signed_tokens import make_token

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make certificates")
HOUR_S = 3600.0


def test_an_artist_works_through_the_front_door_and_nobody_without_a_certificate_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SERVER", "TOKEN", "TOKEN_FILE", "TLS_CA", "TLS_CERT", "TLS_KEY"):
        monkeypatch.delenv(f"MASKLET_{name}", raising=False)
    studio = Authority(tmp_path, "studio")
    certificate, key = studio.sign("server", "localhost")
    workers, workers_key = studio.sign("gpu0", "gpu0")
    anns, anns_key = studio.sign("ann", "ann")
    register, keeper = tmp_path / "tokens.json", tmp_path / "cluster.token"
    keeper.write_text(make_token(register, named("cluster", scopes=(Scope.ADMIN,)), HOUR_S)[0])
    keeper.chmod(0o600)
    ann = make_token(register, named("ann"), HOUR_S)[0]
    tls = {"tls_certificate": certificate, "tls_key": key, "tls_client_ca": studio.certificate}
    gateway = GatewayThread(tmp_path, signed_tokens=register, tls=tls)
    gateway.start()
    options = {
        "--gateway": gateway.address,
        "--worker": "gpu0",
        "--signed-tokens": register,
        "--gateway-token-file": keeper,
        "--gateway-ca": studio.certificate,
        "--gateway-cert": workers,
        "--gateway-key": workers_key,
        "--tls-cert": certificate,
        "--tls-key": key,
        "--tls-client-ca": studio.certificate,
    }
    worker = KeptServer(tmp_path, 0.0, [str(each) for pair in options.items() for each in pair])
    try:
        worker.start()
        authority = studio.certificate
        with masklet.connect(
            gateway.address, token=ann, tls_ca_file=authority, tls_cert_file=anns, tls_key_file=anns_key
        ) as client:
            session = client.open(plates(tmp_path / "clip", frames=4))
            session.object("hero").click(frame=2, x_px=8.0, y_px=9.0)
            assert len(list(session.track())) == 4
        for address in (gateway.address, worker.address):
            with pytest.raises(ServerUnreachableError):
                masklet.connect(address, token=ann, tls_ca_file=authority)
    finally:
        worker.kill()
        gateway.stop()


def test_a_certificate_for_the_front_door_comes_with_its_key() -> None:
    with pytest.raises(BadInputError, match="--gateway-key"):
        gateway_endpoint("gate:7700", None, None, Path("worker.pem"))
