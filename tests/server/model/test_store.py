from __future__ import annotations

import errno
import hashlib
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from typer.testing import CliRunner

from fakes.weights_site import Site, weights_site
from masklet.errors import WeightsError
from masklet_server.model import download
from masklet_server.model.command import add_commands
from masklet_server.model.config import EMBEDDED
from masklet_server.model.download import OFFICIAL_NAMES, official_address, pull_weights
from masklet_server.model.store import (
    add_weights,
    describe_weights,
    digest_of,
    find_weights,
    list_weights,
    verify_weights,
)

_NAME = "sam2.1_hiera_tiny"


@pytest.fixture
def site() -> Iterator[Site]:
    with weights_site() as site:
        yield site


def test_a_checkpoint_is_fetched_with_its_digest_on_record(site: Site, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []

    info = pull_weights(
        _NAME, folder=tmp_path, base_address=site.address, progress=lambda *step: seen.append(step)
    )

    path = tmp_path / f"{_NAME}.pt"
    assert path.read_bytes() == site.content
    assert site.requests == [(f"/092824/{_NAME}.pt", None)]
    assert info.sha256 == digest_of(path)
    assert info.licence == "Apache-2.0"
    assert seen[-1] == (len(site.content), len(site.content))
    assert list_weights(tmp_path)[0] == info
    assert not list(tmp_path.glob("*.part*"))


def test_a_broken_connection_is_taken_up_where_it_ended(site: Site, tmp_path: Path) -> None:
    site.break_after_bytes = [1_000_000, 700_000]

    pull_weights(_NAME, folder=tmp_path, base_address=site.address, pause_s=0)

    assert (tmp_path / f"{_NAME}.pt").read_bytes() == site.content
    assert [asked for _, asked in site.requests] == [None, "bytes=1000000-", "bytes=1700000-"]


def test_a_later_pull_goes_on_from_an_interrupted_one(site: Site, tmp_path: Path) -> None:
    site.break_after_bytes = [500_000, 0]

    with pytest.raises(WeightsError, match="what is already here is kept"):
        pull_weights(_NAME, folder=tmp_path, base_address=site.address, attempts=1, pause_s=0)
    pull_weights(_NAME, folder=tmp_path, base_address=site.address)

    assert (tmp_path / f"{_NAME}.pt").read_bytes() == site.content
    assert site.requests[-1][1] == "bytes=500000-"


def test_a_file_that_changed_in_between_is_fetched_from_its_start(site: Site, tmp_path: Path) -> None:
    site.break_after_bytes = [500_000, 0]
    with pytest.raises(WeightsError):
        pull_weights(_NAME, folder=tmp_path, base_address=site.address, attempts=1, pause_s=0)
    site.content, site.tag = b"new" * 400_000, '"two"'

    pull_weights(_NAME, folder=tmp_path, base_address=site.address)

    assert (tmp_path / f"{_NAME}.pt").read_bytes() == site.content


def test_another_file_than_expected_is_thrown_away(site: Site, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="not the file that was expected"):
        pull_weights(_NAME, folder=tmp_path, base_address=site.address, sha256="0" * 64)

    assert [each.name for each in tmp_path.iterdir()] == [f".{_NAME}.pt.lock"]
    digest = hashlib.sha256(site.content).hexdigest()
    pull_weights(_NAME, folder=tmp_path, base_address=site.address, sha256=digest.upper())


def test_a_page_that_a_proxy_gives_instead_is_thrown_away(site: Site, tmp_path: Path) -> None:
    site.content = b"<html>please log in</html>"

    def check(file: Path) -> None:
        assert file.read_bytes() == site.content
        raise WeightsError("a damaged file")

    with pytest.raises(WeightsError, match=r"no weights \(0.0 MB\): a proxy or a login page"):
        pull_weights(_NAME, folder=tmp_path, base_address=site.address, check=check)

    assert [each.name for each in tmp_path.iterdir()] == [f".{_NAME}.pt.lock"]


def test_two_programs_never_add_to_one_file(site: Site, tmp_path: Path) -> None:
    def another(*_: object) -> None:
        # Its own descriptor is what another process would have.
        with pytest.raises(WeightsError, match="is being fetched by another program"):
            pull_weights(_NAME, folder=tmp_path, base_address=site.address)

    pull_weights(_NAME, folder=tmp_path, base_address=site.address, progress=another)

    assert (tmp_path / f"{_NAME}.pt").read_bytes() == site.content
    assert len(site.requests) == 1


def test_a_server_that_sends_on_to_another_machine_is_not_followed(site: Site, tmp_path: Path) -> None:
    site.sends_on_to = "http://127.0.0.1:9/elsewhere"

    with pytest.raises(WeightsError, match=r"sends on to http://127\.0\.0\.1:9, which was not asked for"):
        pull_weights(_NAME, folder=tmp_path, base_address=site.address, pause_s=0)

    site.sends_on_to = f"{site.address}/092824/moved.pt"
    pull_weights(_NAME, folder=tmp_path, base_address=site.address)
    assert site.requests[-1][0] == "/092824/moved.pt"


def test_too_little_room_is_told_before_the_disk_is_full(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))

    with pytest.raises(
        WeightsError, match="3 MB are to come and the disk of the weights folder has 1 MB free"
    ):
        pull_weights(_NAME, folder=tmp_path, base_address=site.address)


def test_a_disk_that_is_full_on_the_way_keeps_what_came(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*step: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(WeightsError, match="the room on its disk"):
        pull_weights(_NAME, folder=tmp_path, base_address=site.address, progress=full)

    pull_weights(_NAME, folder=tmp_path, base_address=site.address)
    assert site.requests[-1][1] == f"bytes={1 << 20}-"


def test_the_proxy_of_the_environment_is_used(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", site.address)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)

    pull_weights(_NAME, folder=tmp_path, base_address="http://weights.example.invalid")

    # A proxy is asked for the whole address.
    assert site.requests == [(f"http://weights.example.invalid/092824/{_NAME}.pt", None)]


def test_hosts_get_lines_of_json(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("masklet_server.model.checkpoint.read_checkpoint", lambda path: None)
    app = typer.Typer()
    add_commands(app)

    words = ["weights", "pull", _NAME, "--folder", str(tmp_path), "--address", site.address, "--json"]
    result = CliRunner().invoke(app, words)

    told = [json.loads(line) for line in result.output.splitlines()]
    assert told[-2] == {"done_bytes": len(site.content), "total_bytes": len(site.content)}
    assert told[-1]["sha256"] == hashlib.sha256(site.content).hexdigest()


def test_a_refusal_is_told_and_leaves_nothing(site: Site, tmp_path: Path) -> None:
    site.status = 404

    with pytest.raises(WeightsError, match="status 404"):
        pull_weights(_NAME, folder=tmp_path, base_address=site.address)

    assert list_weights(tmp_path) == list_weights(tmp_path / "none")


def test_a_server_that_nobody_reaches_is_told(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="check the connection and pull again"):
        pull_weights(_NAME, folder=tmp_path, base_address="http://127.0.0.1:9", pause_s=0)


def test_only_official_names_have_an_address() -> None:
    assert official_address("sam2_hiera_large").endswith("/072824/sam2_hiera_large.pt")
    assert official_address("sam2.1_hiera_large").endswith("/092824/sam2.1_hiera_large.pt")
    assert len(OFFICIAL_NAMES) == 8
    with pytest.raises(WeightsError, match="choose"):
        official_address(EMBEDDED.name)


def test_added_weights_are_found_by_name_and_verified(tmp_path: Path) -> None:
    source = tmp_path / "studio.pt"
    source.write_bytes(b"weights")
    folder = tmp_path / "store"

    info = add_weights(source, name="show", licence="proprietary", folder=folder)

    assert find_weights("show", folder) == folder / "show.pt"
    assert verify_weights("show", folder) == info
    assert (info.name, info.licence, info.size_bytes) == ("show", "proprietary", 7)


def test_changed_bytes_do_not_pass_verification(tmp_path: Path) -> None:
    source = tmp_path / "studio.pt"
    source.write_bytes(b"weights")
    add_weights(source, folder=tmp_path / "store")
    (tmp_path / "store" / "studio.pt").write_bytes(b"weighty")

    with pytest.raises(WeightsError, match="not what was stored"):
        verify_weights("studio", tmp_path / "store")


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden"])
def test_names_stay_inside_the_folder(tmp_path: Path, name: str) -> None:
    source = tmp_path / "studio.pt"
    source.write_bytes(b"weights")

    with pytest.raises(WeightsError, match="without slashes"):
        add_weights(source, name=name, folder=tmp_path / "store")
    with pytest.raises(WeightsError):
        find_weights(name, tmp_path / "store")


def test_a_file_that_lies_there_without_a_record_is_listed_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "copied.pt").write_bytes(b"by hand")

    (info,) = (each for each in list_weights(tmp_path) if each.name == "copied")

    assert info.licence == "unknown"
    assert info.sha256 == digest_of(tmp_path / "copied.pt")


def test_the_command_refuses_a_file_that_is_no_network(tmp_path: Path) -> None:
    app = typer.Typer()
    app.callback()(lambda: None)
    add_commands(app)
    (tmp_path / "noise.pt").write_bytes(b"noise")

    runner = CliRunner()
    refused = runner.invoke(
        app, ["weights", "add", str(tmp_path / "noise.pt"), "--folder", str(tmp_path / "w")]
    )
    listed = runner.invoke(app, ["weights", "list", "--folder", str(tmp_path)])

    assert isinstance(refused.exception, WeightsError)
    assert not (tmp_path / "w").exists()
    assert listed.exit_code == 0
    assert "noise" in listed.stdout


@pytest.mark.parametrize(
    "header",
    [
        b"[" * 100_000,
        b'{"__metadata__": {"licence": 5}}',
        b'{"__metadata__": 5}',
        b"\xff\xfe{",
        b'{"a": ' * 50_000,
    ],
)
def test_a_hostile_header_or_record_is_listed_as_of_unknown_licence(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "odd.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    for record in (None, "[" * 100_000, '{"licence": {"a": 1}, "size_bytes": "many", "sha256": 7}'):
        if record is not None:
            (tmp_path / "odd.safetensors.json").write_text(record)

        assert describe_weights(path).licence == "unknown"
