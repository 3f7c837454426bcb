"""Tokens of the studio's provider are taken by its key set alone, whatever a token says of itself."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest

pytest.importorskip("cryptography")

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from masklet.errors import BadInputError
from masklet.scopes import Scope
from masklet_server.identity.caller import Identity, StaleTokenError
from masklet_server.identity.oidc import OidcTokens, read_key_set
from masklet_server.identity.oidc_settings import OidcSettings

ISSUER, AUDIENCE = "https://id.studio.example/realms/vfx", "masklet"
RSA_KEY = rsa.generate_private_key(65537, 2048)
OTHER_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()


def jwk(algorithm: Any, key: Any, **more: Any) -> dict[str, Any]:
    return {**json.loads(algorithm.to_jwk(key.public_key())), **more}


KEYS = [
    jwk(RSAAlgorithm, RSA_KEY, kid="rsa", use="sig"),
    jwk(RSAAlgorithm, OTHER_KEY, kid="enc", use="enc"),
    jwk(ECAlgorithm, EC_KEY, kid="ec", alg="ES256"),
    jwk(OKPAlgorithm, ED_KEY, kid="ed"),
    {"kty": "oct", "kid": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"},
    {"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"},
    {"kty": "new", "kid": "unknown"},
]


@pytest.fixture
def key_set(tmp_path: Path) -> Path:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": KEYS}))
    return path


def settings(key_set: Path, **more: Any) -> OidcSettings:
    return OidcSettings(key_set, ISSUER, AUDIENCE, **more)


def claims(**more: Any) -> dict[str, Any]:
    now_s = int(time.time())
    plain = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ann",
        "iat": now_s,
        "exp": now_s + 300,
        "scope": "openid masklet:track masklet:nonsense email",
    }
    return {name: value for name, value in {**plain, **more}.items() if value is not None}


def signed(content: dict[str, Any], key: Any = RSA_KEY, algorithm: str = "RS256", kid: str = "rsa") -> str:
    return jwt.encode(content, key, algorithm=algorithm, headers={"kid": kid})


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"),
    [(RSA_KEY, "RS256", "rsa"), (RSA_KEY, "PS384", "rsa"), (EC_KEY, "ES256", "ec"), (ED_KEY, "EdDSA", "ed")],
)
def test_a_token_that_the_provider_signed_names_its_user(
    key_set: Path, key: Any, algorithm: str, kid: str
) -> None:
    token = signed(claims(), key, algorithm, kid)

    assert OidcTokens(settings(key_set)).identity_of(token) == Identity(
        "ann", frozenset({Scope.READ, Scope.TRACK})
    )


def test_claims_are_called_as_the_provider_calls_them(key_set: Path) -> None:
    tokens = OidcTokens(
        settings(key_set, user_claim="preferred_username", tenant_claim="org", scope_claim="roles")
    )
    content = claims(
        preferred_username="Ann Müller", org="acme", roles=["masklet.export", 7, "masklet:admin"]
    )

    assert tokens.identity_of(signed(content)) == Identity(
        "Ann Müller", frozenset({Scope.READ, Scope.EXPORT, Scope.ADMIN}), "acme"
    )
    for missing in ("preferred_username", "org"):
        assert tokens.identity_of(signed({**content, missing: None})) is None
    assert tokens.identity_of(signed({**content, "org": "acme/other"})) is None


def test_who_has_no_scope_for_masklet_is_known_and_may_do_nothing(key_set: Path) -> None:
    for content in (claims(scope="openid"), claims(scope=None), claims(scope={"masklet:track": 1})):
        assert OidcTokens(settings(key_set)).identity_of(signed(content)) == Identity("ann", frozenset())


def test_a_public_key_never_verifies_an_hmac(key_set: Path) -> None:
    pem = RSA_KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    tokens = OidcTokens(settings(key_set))
    import base64
    import hashlib
    import hmac

    def part(content: object) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=")

    for secret in (pem, pem.strip(), KEYS[0]["n"].encode()):
        said = part({"alg": "HS256", "kid": "rsa", "typ": "JWT"}) + b"." + part(claims())
        mac = base64.urlsafe_b64encode(hmac.new(secret, said, hashlib.sha256).digest()).rstrip(b"=")
        assert tokens.identity_of((said + b"." + mac).decode()) is None
    for algorithm in ("none", "None", "NONE", ""):
        bare = part({"alg": algorithm, "kid": "rsa"}) + b"." + part(claims()) + b"."
        assert tokens.identity_of(bare.decode()) is None


def test_secrets_and_keys_that_encrypt_verify_nothing(key_set: Path) -> None:
    tokens = OidcTokens(settings(key_set))

    assert set(read_key_set(key_set)) == {"rsa", "ec", "ed"}
    assert tokens.identity_of(signed(claims(), OTHER_KEY, kid="enc")) is None
    assert tokens.identity_of(signed(claims(), "secret-secret-secret-secret-secret", "HS256", "oct")) is None


def test_a_key_that_says_its_algorithm_takes_no_other(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": [jwk(RSAAlgorithm, RSA_KEY, kid="rsa", alg="PS256")]}))
    tokens = OidcTokens(settings(path))

    assert tokens.identity_of(signed(claims(), algorithm="PS256")) is not None
    assert tokens.identity_of(signed(claims(), algorithm="RS256")) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://id.studio.example/realms/other"},
        {"iss": ISSUER + "/"},
        {"iss": None},
        {"aud": "another-service"},
        {"aud": None},
        {"aud": ["another-service", "third"]},
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "acme/ann"},
        {"sub": 7},
        {"exp": "soon"},
    ],
)
def test_a_token_for_others_or_without_what_it_needs_is_nobodys(key_set: Path, wrong: dict[str, Any]) -> None:
    content = {name: value for name, value in {**claims(), **wrong}.items() if value is not None}
    # Written by hand where PyJWT itself would not sign it.
    encoder = jwt.PyJWS()
    token = encoder.encode(json.dumps(content).encode(), RSA_KEY, algorithm="RS256", headers={"kid": "rsa"})

    assert OidcTokens(settings(key_set)).identity_of(token) is None


def test_one_of_several_audiences_is_enough(key_set: Path) -> None:
    assert OidcTokens(settings(key_set)).identity_of(signed(claims(aud=["account", AUDIENCE]))) is not None


def test_time_is_kept_to_two_minutes(key_set: Path) -> None:
    tokens, now_s = OidcTokens(settings(key_set)), int(time.time())

    assert tokens.identity_of(signed(claims(exp=now_s - 110))) is not None
    assert tokens.identity_of(signed(claims(nbf=now_s + 110))) is not None
    with pytest.raises(StaleTokenError, match="sign in again"):
        tokens.identity_of(signed(claims(exp=now_s - 130)))
    with pytest.raises(StaleTokenError, match="clock"):
        tokens.identity_of(signed(claims(nbf=now_s + 130)))


def test_another_key_under_the_same_id_is_refused(key_set: Path) -> None:
    tokens = OidcTokens(settings(key_set))

    assert tokens.identity_of(signed(claims(), OTHER_KEY)) is None
    assert tokens.identity_of(signed(claims(), kid="nobody")) is None
    # An expired one that is not the provider's is not even called expired.
    assert tokens.identity_of(signed(claims(exp=1), OTHER_KEY)) is None


def test_a_provider_that_turns_its_keys_is_followed(key_set: Path) -> None:
    tokens = OidcTokens(settings(key_set))
    key_set.write_text(json.dumps({"keys": [jwk(RSAAlgorithm, OTHER_KEY, kid="next")]}))
    tokens.refresh()

    assert tokens.identity_of(signed(claims(), OTHER_KEY, kid="next")) is not None
    assert tokens.identity_of(signed(claims())) is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is none"),
        ("[]", "is none"),
        ('{"keys": 3}', "is none"),
        ("[" * 9000, "is none"),
        ('{"keys": []}', "no key that verifies"),
        (json.dumps({"keys": KEYS[4:]}), "no key that verifies"),
        (json.dumps({"keys": [KEYS[0]] * 101}), "101 keys"),
    ],
)
def test_a_key_set_that_cannot_be_used_is_named(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(content)
    with pytest.raises(BadInputError, match=said):
        OidcTokens(settings(path))


def test_a_short_key_is_not_used(tmp_path: Path) -> None:
    short = rsa.generate_private_key(65537, 1024)
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": [jwk(RSAAlgorithm, short, kid="rsa")]}))
    with pytest.raises(BadInputError, match="2048 bits or more"):
        OidcTokens(settings(path))


@pytest.mark.parametrize("twin", ["andre\u0301", "andr\u00e9\ufe0f", "\u0430ndr\u00e9", "\uff41ndr\u00e9"])
def test_a_provider_that_has_another_spelling_of_a_users_name_lets_nobody_in_by_it(
    key_set: Path, twin: str
) -> None:
    tokens = OidcTokens(settings(key_set, user_claim="preferred_username"))

    known = tokens.identity_of(signed(claims(preferred_username="andr\u00e9")))
    assert known is not None
    assert known.user == "andr\u00e9"
    assert tokens.identity_of(signed(claims(preferred_username=twin))) is None


def test_nobody_is_called_as_everybody_without_a_name_is(key_set: Path) -> None:
    tokens = OidcTokens(settings(key_set, user_claim="preferred_username", tenant_claim="org"))

    for org, known in (("default", False), ("acme", True)):
        token = signed(claims(preferred_username="local", org=org))
        assert (tokens.identity_of(token) is not None) == known
