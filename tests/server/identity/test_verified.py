"""A token that was verified is known until it ends, and no other with it."""

from __future__ import annotations

from masklet_server.identity.caller import Identity
from masklet_server.identity.verified import VerifiedTokens

ANN = Identity("ann")


def test_a_verified_token_is_known_until_its_end_and_no_other_is() -> None:
    now_s = [100.0]
    tokens = VerifiedTokens(clock_s=lambda: now_s[0])
    tokens.add("token-of-ann", ANN, 200.0)

    assert tokens.identity_of("token-of-ann") is ANN
    for other in ("token-of-anm", "token-of-ann ", "", "\ud800"):
        assert tokens.identity_of(other) is None
    now_s[0] = 200.0
    assert tokens.identity_of("token-of-ann") is None


def test_it_holds_no_tokens_and_no_more_than_some_thousands() -> None:
    tokens = VerifiedTokens(clock_s=lambda: 0.0)
    for number in range(5000):
        tokens.add(f"token-{number}", ANN, 1.0)

    assert tokens.identity_of("token-0") is None
    assert tokens.identity_of("token-4999") is ANN
    assert len(tokens._known) == 4096
    assert all(len(key) == 32 for key in tokens._known)
