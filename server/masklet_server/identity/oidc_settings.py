"""What is known of the provider whose tokens are taken."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class OidcSettings:
    """What is known of the provider.

    Attributes:
        key_set: Its keys (JWKS) in a file.
        issuer: As its tokens name it, to the letter.
        audience: By which its tokens are meant for this server.
        user_claim: What names the user.
        tenant_claim: What names the tenant; None puts everybody into the default one.
        scope_claim: What holds the scopes, as words or a list: ``masklet:track`` and so on.
    """

    key_set: Path
    issuer: str
    audience: str
    user_claim: str = "sub"
    tenant_claim: str | None = None
    scope_claim: str = "scope"
