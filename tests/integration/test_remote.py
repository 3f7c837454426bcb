"""A server elsewhere: TLS, a token, no shared disk."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import masklet
from masklet.errors import AccessDeniedError, BadInputError, PathNotAllowedError, ServerUnreachableError
from masklet.types import FrameRange
from masklet_server.demo.clip_writer import DemoClip

TOKEN = "a token that is long enough"

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make certificates")


@dataclass(frozen=True)
class Remote:
    """Where the server is and what a client needs."""

    address: str
    ca_file: Path


def make_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        f"/CN={name}",
    ]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    """A server that opens no paths, over TLS and with a token."""
    folder = tmp_path_factory.mktemp("remote")
    certificate, key = make_certificate(folder, "server")
    (folder / "tokens").write_text(f"ann:{TOKEN}\n")
    command = [sys.executable, "-m", "masklet_server.cli", "serve", "--address", "127.0.0.1:0", "--announce"]
    command += ["--tls-cert", str(certificate), "--tls-key", str(key), "--token-file", str(folder / "tokens")]
    command += ["--stop-with-stdin"]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (folder / "log").read_text()
        yield Remote(json.loads(line)["address"], certificate)
        process.stdin.close()


def test_a_clip_is_sent_tracked_and_its_mattes_come_back(
    remote: Remote, clip: DemoClip, tmp_path: Path
) -> None:
    frame, x_px, y_px = clip.clicks[0]

    with masklet.connect(remote.address, token=TOKEN, tls_ca_file=remote.ca_file) as server:
        assert not server.info().opens_paths
        with server.open(clip.pattern) as session:
            session.object("duck").click(frame=frame, x_px=x_px, y_px=y_px)
            masks = list(session.track(frames=FrameRange(1001, 1002)))
            exported = session.export(tmp_path / "mattes")

    assert [update.frame for update in masks] == [1001, 1002]
    assert len(exported.files) == 2
    assert all(file.stat().st_size > 0 for file in exported.files)


def test_paths_stay_closed_when_sending_was_ruled_out(remote: Remote, clip: DemoClip) -> None:
    with (
        masklet.connect(remote.address, token=TOKEN, tls_ca_file=remote.ca_file) as server,
        pytest.raises(PathNotAllowedError),
    ):
        server.open(clip.pattern, upload=False)


def test_a_wrong_token_is_refused_over_tls(remote: Remote) -> None:
    with pytest.raises(AccessDeniedError):
        masklet.connect(remote.address, token="another token, not known", tls_ca_file=remote.ca_file)


def test_a_client_without_tls_is_told_to_look_at_it(remote: Remote) -> None:
    with pytest.raises(ServerUnreachableError, match="TLS"):
        masklet.connect(remote.address, token=TOKEN)


def test_a_server_with_a_foreign_certificate_is_not_trusted(remote: Remote, tmp_path: Path) -> None:
    other, _ = make_certificate(tmp_path, "other")

    with pytest.raises(ServerUnreachableError, match="TLS"):
        masklet.connect(remote.address, token=TOKEN, tls_ca_file=other)


def test_a_certificate_that_cannot_be_read_is_named(remote: Remote, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"missing\.pem cannot be read"):
        masklet.connect(remote.address, token=TOKEN, tls_ca_file=tmp_path / "missing.pem")
