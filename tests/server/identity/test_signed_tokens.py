"""Tokens that the keeper makes are somebody's until they expire or are taken back, and nobody else's."""

from __future__ import annotations

import base64
import json
import os
import stat
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from typer.testing import CliRunner

from masklet.errors import BadInputError
from masklet.scopes import SHARED, Scope
from masklet_server import cli
from masklet_server.identity.caller import ExpiredTokenError, Identity, StaleTokenError, named
from masklet_server.identity.register import Register
from masklet_server.identity.signed_tokens import (
    CLOCK_LEEWAY_S,
    SignedTokens,
    make_token,
    revoke_token,
    rotate_key,
)

ANN = Identity("ann", SHARED, "acme")
HOUR_S = 3600.0


@pytest.fixture
def register(tmp_path: Path) -> Path:
    return tmp_path / "tokens.json"


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def signed(register: Path, claims: dict[str, Any], **header: Any) -> str:
    key = Register.read(register).keys[-1]
    return jwt.encode(claims, key.secret, algorithm="HS256", headers={"kid": key.key_id, **header})


def test_a_token_names_its_user_tenant_and_scopes(register: Path) -> None:
    token, made = make_token(register, Identity("ann", frozenset({Scope.READ, Scope.TRACK}), "acme"), HOUR_S)
    identity = SignedTokens(register).identity_of(token)

    assert identity == Identity("ann", frozenset({Scope.READ, Scope.TRACK}), "acme", made.token_id)
    assert identity.account == "acme/ann"


def test_the_register_holds_no_token_and_is_for_its_user_alone(register: Path) -> None:
    token, _ = make_token(register, ANN, HOUR_S)

    assert token.rpartition(".")[2] not in register.read_text()
    if os.name == "posix":
        assert stat.S_IMODE(register.stat().st_mode) == 0o600


def test_a_revoked_token_is_refused_while_the_server_runs(register: Path) -> None:
    token, made = make_token(register, ANN, HOUR_S)
    other, _ = make_token(register, named("bob"), HOUR_S)
    tokens = SignedTokens(register)
    assert tokens.identity_of(token) is not None

    revoke_token(register, made.token_id[:8])
    tokens.refresh()

    with pytest.raises(StaleTokenError, match="taken back"):
        tokens.identity_of(token)
    assert tokens.identity_of(other) == Identity("bob", token_id=claims_of(other)["jti"])


def test_clocks_may_differ_by_two_minutes_and_no_more(register: Path) -> None:
    token, _ = make_token(register, ANN, HOUR_S)
    claims, now_s = claims_of(token), int(time.time())
    leeway_s = int(CLOCK_LEEWAY_S)
    tokens = SignedTokens(register)

    assert tokens.identity_of(signed(register, {**claims, "exp": now_s - leeway_s + 5})) is not None
    assert tokens.identity_of(signed(register, {**claims, "iat": now_s + leeway_s - 5})) is not None
    with pytest.raises(StaleTokenError, match="expired"):
        tokens.identity_of(signed(register, {**claims, "exp": now_s - leeway_s - 5}))
    with pytest.raises(StaleTokenError, match="clock"):
        tokens.identity_of(signed(register, {**claims, "iat": now_s + leeway_s + 5}))
    with pytest.raises(StaleTokenError, match="clock"):
        tokens.identity_of(signed(register, {**claims, "nbf": now_s + leeway_s + 5}))


def test_a_token_that_was_taken_back_stays_so_when_its_time_runs_out(register: Path) -> None:
    token, made = make_token(register, ANN, HOUR_S)
    old = signed(register, {**claims_of(token), "exp": int(time.time() - CLOCK_LEEWAY_S) - 5})
    tokens = SignedTokens(register)
    with pytest.raises(ExpiredTokenError, match="expired"):
        tokens.identity_of(old)

    revoke_token(register, made.token_id)
    tokens.refresh()

    with pytest.raises(StaleTokenError, match="taken back") as refused:
        tokens.identity_of(old)
    assert not isinstance(refused.value, ExpiredTokenError)


def test_what_nobody_signed_is_nobodys(register: Path) -> None:
    token, _ = make_token(register, ANN, HOUR_S)
    claims = claims_of(token)
    tokens = SignedTokens(register)
    head, body, signature = token.split(".")
    key_id = Register.read(register).keys[-1].key_id

    def part(content: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    forged = part({**claims, "sub": "root"})
    with pytest.warns(UserWarning, match="HMAC key"):
        another_algorithm = jwt.encode(
            claims, Register.read(register).keys[-1].secret, algorithm="HS512", headers={"kid": key_id}
        )
    wrong = [
        f"{head}.{forged}.{signature}",
        f"{head}.{body}.",
        f"{part({'alg': 'none', 'kid': key_id})}.{body}.",
        f"{part({'alg': 'None', 'kid': key_id})}.{forged}.{signature}",
        f"{part({'alg': 'HS256', 'kid': 'other'})}.{body}.{signature}",
        jwt.encode(claims, b"another secret of thirty-two bytes", algorithm="HS256", headers={"kid": key_id}),
        signed(register, {**claims, "iss": "elsewhere"}),
        signed(register, {**claims, "aud": "elsewhere"}),
        signed(register, {name: value for name, value in claims.items() if name != "exp"}),
        signed(register, {name: value for name, value in claims.items() if name != "jti"}),
        another_algorithm,
        "",
        ".",
        "..",
        "a.b.c",
        "[" * 5000,
        f"{base64.urlsafe_b64encode(b'[' * 3000).decode()}.{body}.{signature}",
    ]
    for each in wrong:
        assert tokens.identity_of(each) is None, each[:60]
    assert tokens.identity_of(token) is not None


def test_a_token_that_the_register_does_not_have_does_not_count_however_well_it_is_signed(
    register: Path,
) -> None:
    token, _ = make_token(register, ANN, HOUR_S)
    with pytest.raises(StaleTokenError):
        SignedTokens(register).identity_of(signed(register, {**claims_of(token), "jti": "ffffffffffff"}))


def test_more_than_was_given_cannot_be_claimed(register: Path) -> None:
    token, _ = make_token(register, named("bob", scopes={Scope.READ}), HOUR_S)
    more = {**claims_of(token), "scope": "admin", "tenant": "acme", "sub": "ann"}
    identity = SignedTokens(register).identity_of(signed(register, more))

    assert identity is not None
    assert (identity.account, identity.scopes) == ("bob", {Scope.READ})


def test_a_fresh_key_signs_and_the_old_one_goes_with_its_last_token(register: Path) -> None:
    before, made = make_token(register, ANN, HOUR_S)
    rotate_key(register)
    after, _ = make_token(register, ANN, HOUR_S)
    tokens = SignedTokens(register)
    assert tokens.identity_of(before) is not None
    assert tokens.identity_of(after) is not None
    assert len(Register.read(register).keys) == 2

    revoke_token(register, made.token_id)
    rotate_key(register)

    assert len(Register.read(register).keys) == 2, "the first key verifies nothing any more"
    tokens.refresh()
    assert tokens.identity_of(before) is None
    assert tokens.identity_of(after) is not None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 1, "keys": [{}], "tokens": []}', "[" * 9000])
def test_a_damaged_register_is_refused_with_its_name(register: Path, content: str) -> None:
    register.write_text(content)
    register.chmod(0o600)
    with pytest.raises(BadInputError, match=r"tokens\.json is damaged"):
        SignedTokens(register)


def test_a_register_of_a_later_version_is_refused(register: Path) -> None:
    register.write_text('{"format": 2, "keys": [], "tokens": []}')
    with pytest.raises(BadInputError, match="a later masklet"):
        SignedTokens(register)


def test_tokens_are_made_listed_and_revoked_on_the_command_line(tmp_path: Path, register: Path) -> None:
    run, where = CliRunner(), ["--signed-tokens", str(register)]
    made = run.invoke(cli.app, ["token", "make", "acme/ann", "--scope", "track", "--days", "1", *where])
    file = tmp_path / "bob.token"
    run.invoke(cli.app, ["token", "make", "bob", "--file", str(file), *where])
    listed = run.invoke(cli.app, ["token", "list", *where], env={"COLUMNS": "200"})
    ann, bob = Register.read(register).tokens
    gone = run.invoke(cli.app, ["token", "revoke", ann.token_id, *where])

    token = made.stdout.strip()
    assert SignedTokens(register).identity_of(file.read_text().strip()) == Identity(
        "bob", token_id=bob.token_id
    )
    assert "acme/ann" in listed.stdout
    assert "read track" in listed.stdout
    assert token not in listed.stdout
    assert f"revoked {ann.token_id} of acme/ann" in gone.stdout
    with pytest.raises(StaleTokenError):
        SignedTokens(register).identity_of(token)
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["make", "a/b/c"], "no name of a tenant"),
        (["make", "a=b"], "no name of a user"),
        (["make", "ann", "--scope", "everything"], "no scope 'everything'"),
        (["revoke", "abc"], "there is no register"),
    ],
)
def test_what_cannot_be_made_is_said_in_a_sentence(register: Path, words: list[str], said: str) -> None:
    ran = CliRunner().invoke(cli.app, ["token", *words, "--signed-tokens", str(register)])

    assert isinstance(ran.exception, BadInputError)
    assert said in str(ran.exception)
