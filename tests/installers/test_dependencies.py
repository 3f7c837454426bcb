"""The lock of a server's image fits what masklet asks for; what was not asked is not taken for clean."""

from __future__ import annotations

import http.server
import json
import re
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from installed_hosts import load_installer

dependencies = load_installer("dependencies")
lock = load_installer("lock")

AFFECTED = {
    "id": "GHSA-test",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "Pillow"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "13.0.1"}]}],
        }
    ],
}


def entry(name: str, events: list[dict[str, str]], **more: Any) -> dict[str, Any]:
    ranges = [{"type": "ECOSYSTEM", "events": events}]
    package = {"ecosystem": "PyPI", "name": name}
    return {"id": "GHSA-other", "affected": [{"package": package, "ranges": ranges}], **more}


def test_the_lock_has_what_is_asked_for_in_the_versions_that_are_tested_with_digests() -> None:
    assert lock.problems() == []
    assert len(dependencies.packages()) > 30


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ((r"^grpcio==.+?(?=^[a-z])", ""), "grpcio>=1.85 is not in the lock"),
        ((r"^grpcio==\S+", "grpcio==1.50.0"), "the lock has grpcio 1.50.0, pyproject.toml wants"),
        ((r"^rich==\S+", "rich==15.0.1"), "the lock has rich 15.0.1, constraints.txt has"),
        ((r"(^mdurl==\S+).+?(?=^[a-z])", r"\1\n"), "mdurl has no digest"),
    ],
)
def test_a_lock_that_does_not_fit_any_more_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: tuple[str, str], words: str
) -> None:
    text, changed = re.subn(*change, lock.LOCK.read_text(), count=1, flags=re.M | re.S)
    assert changed
    monkeypatch.setattr(lock, "LOCK", tmp_path / "server.lock")
    lock.LOCK.write_text(text)

    assert any(problem.startswith(words) for problem in lock.problems()), lock.problems()


def test_what_is_known_against_a_version_is_found_in_a_snapshot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("GHSA-test.json", json.dumps(AFFECTED))

    assert dependencies.main(["advisories", "--snapshot", str(tmp_path / "all.zip")]) == 1
    assert "pillow 13.0.0: GHSA-test  https://osv.dev/vulnerability/GHSA-test" in capsys.readouterr().out


@pytest.mark.parametrize(
    "clean",
    [
        entry("pillow", [{"introduced": "0"}, {"fixed": "13.0.0"}]),
        entry("pillow", [{"introduced": "13.0.1"}]),
        entry("pillow", [{"introduced": "0"}, {"last_affected": "12.9"}]),
        entry("pillow", [{"introduced": "0"}], withdrawn="2026-01-01"),
        entry("nobody", [{"introduced": "0"}]),
    ],
)
def test_what_is_known_against_other_versions_is_not(
    tmp_path: Path, clean: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "one.json").write_text(json.dumps(clean))

    assert dependencies.main(["advisories", "--snapshot", str(tmp_path)]) == 0
    assert re.search(r"\d\d packages were asked about, 0 advisories", capsys.readouterr().out)


def test_a_source_that_cannot_be_asked_is_no_clean_bill(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.zip").write_text("no zip")
    for words in (
        ["--address", "http://127.0.0.1:1/"],
        ["--snapshot", str(tmp_path / "empty")],
        ["--snapshot", str(tmp_path / "broken.zip")],
        ["--snapshot", str(tmp_path / "gone.zip")],
    ):
        assert dependencies.main(["advisories", *words]) == 2
        assert "NOTHING WAS CHECKED" in capsys.readouterr().out


class StandIn(http.server.BaseHTTPRequestHandler):
    """Stands in for OSV's batch interface, which tests cannot reach: knows one thing of one package."""

    def do_POST(self) -> None:
        queries = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        answers = [
            {"vulns": [{"id": "PYSEC-1", "modified": "2026-01-01"}]}
            if query == {"package": {"name": "numpy", "ecosystem": "PyPI"}, "version": query["version"]}
            else {}
            for query in queries
        ]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"results": answers}).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def osv() -> Iterator[str]:
    with http.server.HTTPServer(("127.0.0.1", 0), StandIn) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/querybatch"
        server.shutdown()


def test_osv_is_asked_about_every_package(osv: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert dependencies.main(["advisories", "--address", osv]) == 1
    assert re.search(r"numpy [\d.]+: PYSEC-1", capsys.readouterr().out)


def test_no_mend_that_is_known_is_missing_in_the_lock_or_inside_of_a_wheel(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert dependencies.main(["mends"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"^\d\d known mends were looked for, 0 are missing", told, re.M)
    assert {"openexr", "ffmpeg"} <= set(dependencies.libraries())


def test_a_mend_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = dependencies.LOCK.read_text()
    monkeypatch.setattr(dependencies, "LOCK", tmp_path / "server.lock")
    dependencies.LOCK.write_text(re.sub(r"^torch==\S+", "torch==2.9.1", text, flags=re.M))
    monkeypatch.setattr(dependencies, "libraries", lambda: {"openexr": dependencies.Version("3.4.11")})

    assert dependencies.main(["mends"]) == 1
    told = capsys.readouterr().out
    assert "torch 2.9.1: CVE-2026-24747 is mended in 2.10.0" in told
    assert "openexr 3.4.11: CVE-2026-45696 is mended in 3.4.12" in told
    assert "installed here: ffmpeg" in told


def test_every_package_that_is_installed_says_its_licence(capsys: pytest.CaptureFixture[str]) -> None:
    assert dependencies.main(["licences"]) == 0
    assert re.search(r"^grpcio +\S+ +Apache-2.0$", capsys.readouterr().out, re.M)
