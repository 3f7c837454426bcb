"""What the doctor says of certificates, keys and tokens: what is wrong, and what helps."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from certificates import Issued, issue
from masklet.findings import Finding, Verdict
from masklet_server.doctor.access import examine_access, examine_certificate
from masklet_server.identity.caller import Identity
from masklet_server.identity.signed_tokens import make_token
from masklet_server.service.certificate import CertificateFacts, read_certificate
from masklet_server.service.settings import ServerSettings

NOW_S = 1_790_000_000.0
FILE = Path("server.pem")


def said(facts: CertificateFacts, *, host: str = "render1.studio") -> list[Finding]:
    return list(examine_certificate(facts, FILE, now_s=NOW_S, host=host))


def test_a_certificate_is_read_as_a_client_hears_it(tmp_path: Path) -> None:
    own = issue(tmp_path, "own", names="DNS:render1.studio,IP:10.0.0.7")

    facts = read_certificate(own.certificate, own.key)

    assert facts.names == ("render1.studio", "10.0.0.7")
    assert time.gmtime(facts.until_s)[:3] == (2099, 12, 31)
    assert facts.is_own_issuer
    assert not facts.is_trusted
    assert facts.chain == 1


def test_one_that_has_ended_or_not_begun_is_told_apart(tmp_path: Path) -> None:
    old = issue(tmp_path, "old", since="20200101000000Z", until="20210101000000Z")
    early = issue(tmp_path, "early", since="20900101000000Z", until="20910101000000Z")

    (expired,) = said(read_certificate(old.certificate, old.key))
    (unborn,) = said(read_certificate(early.certificate, early.key))

    assert expired.verdict is unborn.verdict is Verdict.BAD
    assert "has expired" in expired.cause
    assert "issued" in expired.repair
    assert "clock" in unborn.repair


def test_a_chain_of_the_studios_own_is_counted(tmp_path: Path) -> None:
    studio = issue(tmp_path, "studio", is_authority=True)
    server = issue(tmp_path, "server", by=studio)
    server.certificate.write_bytes(server.certificate.read_bytes() + studio.certificate.read_bytes())

    facts = read_certificate(server.certificate, server.key)

    assert (facts.chain, facts.is_own_issuer, facts.is_trusted) == (2, False, False)
    assert any("--tls-ca" in finding.repair for finding in said(facts))


def test_the_last_month_is_worth_a_note() -> None:
    facts = CertificateFacts(names=("render1",), until_s=NOW_S + 20 * 86400.0, is_trusted=True)

    assert said(facts)[0].verdict is Verdict.NOTE
    assert "20 days" in said(facts)[0].cause
    assert all(finding.verdict is Verdict.GOOD for finding in said(replace(facts, until_s=NOW_S + 1e8)))


@pytest.mark.parametrize(
    ("names", "host", "verdict"),
    [
        (("render1.studio",), "render1.studio", Verdict.GOOD),
        (("RENDER1",), "render1.studio", Verdict.GOOD),
        (("*.studio",), "render1.studio", Verdict.GOOD),
        (("*.studio",), "render1.other", Verdict.NOTE),
        ((), "render1.studio", Verdict.BAD),
    ],
)
def test_names_are_compared_as_clients_do(names: tuple[str, ...], host: str, verdict: Verdict) -> None:
    facts = CertificateFacts(names=names, until_s=NOW_S + 1e8, is_trusted=True)

    assert max((finding.verdict for finding in said(facts, host=host)), key=list(Verdict).index) is verdict


@pytest.mark.skipif(os.name != "posix", reason="modes say something on POSIX alone")
def test_a_key_that_everybody_may_read_is_noticed(tmp_path: Path) -> None:
    own = issue(tmp_path, "own")
    tokens = tmp_path / "tokens"
    tokens.write_text("ann:0123456789abcdef\n", encoding="utf-8")
    tokens.chmod(0o600)
    own.key.chmod(0o644)

    found = examine_access(settings_with(own, tokens))

    notes = {finding.subject: finding for finding in found if finding.verdict is Verdict.NOTE}
    assert "chmod" in notes["TLS key"].repair
    assert "token file" not in notes


@pytest.mark.skipif(os.name != "posix", reason="modes say something on POSIX alone")
def test_a_register_of_tokens_that_everybody_may_read_is_noticed(tmp_path: Path) -> None:
    register = tmp_path / "tokens.json"
    make_token(register, Identity("ann"), 3600.0)
    register.chmod(0o644)

    found = examine_access(ServerSettings(signed_tokens=register, address="127.0.0.1:0"))

    notes = {finding.subject: finding for finding in found if finding.verdict is Verdict.NOTE}
    assert "chmod" in notes["register of tokens"].repair


def test_where_certificates_say_who_calls_nobody_is_let_in_without_one(tmp_path: Path) -> None:
    own, authority = issue(tmp_path, "own"), issue(tmp_path, "clients", is_authority=True)
    settings = replace(settings_with(own, None), tls_client_ca=authority.certificate)

    (access,) = [finding for finding in examine_access(settings) if finding.subject == "access"]

    assert "certificate of the clients' authority" in access.cause
    assert "everybody" not in access.cause


def test_what_would_not_start_is_one_sentence(tmp_path: Path) -> None:
    own, other = issue(tmp_path, "own"), issue(tmp_path, "other")

    (finding,) = examine_access(settings_with(Issued(own.certificate, other.key), None))

    assert finding.verdict is Verdict.BAD
    assert "is not that of the certificate" in finding.cause


def settings_with(issued: Issued, tokens: Path | None) -> ServerSettings:
    return ServerSettings(
        tls_certificate=issued.certificate, tls_key=issued.key, token_file=tokens, address="127.0.0.1:0"
    )
