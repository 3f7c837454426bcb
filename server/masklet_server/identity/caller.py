"""Whoever calls: a user of a tenant, with what that one may do."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from masklet.errors import AccessDeniedError, BadInputError
from masklet.names import without_unseen
from masklet.scopes import SHARED, Scope

LOCAL_USER = "local"
"""Everybody, on a server that asks nobody."""
DEFAULT_TENANT = "default"
"""Of users that are named without one."""
MAX_NAME_CHARACTERS = 128
_ALIKE = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "COPTIC", "CHEROKEE", "LISU"})
"""Alphabets, as Unicode calls their letters, some of which look like letters of another."""


@dataclass(frozen=True)
class Identity:
    """A user of a tenant.

    Attributes:
        user: Its name, unique in the tenant.
        scopes: What it may do.
        tenant: Users of one know nothing of those of another.
        token_id: Of a signed token, to find it again in a list; empty for others.
    """

    user: str
    scopes: frozenset[Scope] = SHARED
    tenant: str = DEFAULT_TENANT
    token_id: str = ""

    @property
    def account(self) -> str:
        """The user as everything but identity knows it: sessions, uploads and journals belong to accounts."""
        return account_of(self.tenant, self.user)


EVERYBODY = Identity(LOCAL_USER, frozenset(Scope))
"""On a server that asks nobody, which only this machine reaches."""


class StaleTokenError(AccessDeniedError):
    """A token is somebody's, and does not count any more, or not yet. Nobody guessed it.

    Attributes:
        is_first: False where this was told a moment ago: not worth a line in a log.
    """

    is_first = True


class ExpiredTokenError(StaleTokenError):
    """A token's time has run out, and nobody has taken it back."""


class Source(Protocol):
    """Knows some tokens."""

    def identity_of(self, token: str) -> Identity | None:
        """Whose a token is; None for nobody's.

        Raises:
            ExpiredTokenError: It is somebody's, and its time has run out.
            StaleTokenError: It is somebody's, and was taken back or does not count yet.
        """
        ...

    def refresh(self) -> None:
        """Read files that have changed; off the event loop."""
        ...


def account_of(tenant: str, user: str) -> str:
    """``user``, or ``tenant/user`` for those of another tenant than the default one."""
    return user if tenant == DEFAULT_TENANT else f"{tenant}/{user}"


def tenant_of(account: str) -> str:
    """The tenant in an account."""
    tenant, slash, _ = account.rpartition("/")
    return tenant if slash else DEFAULT_TENANT


def user_of(account: str) -> str:
    """The user in an account, as others of the tenant know it."""
    return account.rpartition("/")[2]


def named(text: str, *, scopes: Iterable[Scope] = SHARED) -> Identity:
    """The user that ``user`` or ``tenant/user`` names.

    Raises:
        BadInputError: It names none.
    """
    tenant, slash, user = text.rpartition("/")
    tenant = check_name(tenant, "tenant") if slash else DEFAULT_TENANT
    return Identity(check_name(user, "user"), frozenset(scopes), tenant)


def named_by_others(identity: Identity) -> Identity:
    """An identity that a provider or an authority of certificates named.

    Raises:
        BadInputError: Its account is the one of everybody without a name, which is not counted and whose
            sessions are nobody's own; or a name could be taken for somebody else's.
    """
    if identity.account == LOCAL_USER:
        raise BadInputError(f"no user can be called {LOCAL_USER}: that is everybody without a name")
    check_unmistakable(identity)
    return identity


def as_typed(name: str) -> str:
    """A name that a person typed, with its accents in one piece: some systems take them apart."""
    return unicodedata.normalize("NFC", name)


def check_unmistakable(identity: Identity) -> None:
    """See that a user who is new here has names of which there is no other spelling.

    A name that is spelled throughout in another alphabet, where its letters look the same, is not found.
    Sources: the profile of PRECIS for names of users (RFC 8265) and Unicode's mechanisms for security
    (UTS 39), of both the part that needs no table.

    Raises:
        BadInputError: One could be taken for another.
    """
    for name, what in ((identity.user, "user"), (identity.tenant, "tenant")):
        alphabets = {unicodedata.name(sign, "").partition(" ")[0] for sign in name if sign.isalpha()}
        # Wide letters, ligatures, accents apart, signs that show nothing; then letters of two alphabets.
        if name != unicodedata.normalize("NFKC", without_unseen(name)) or len(alphabets & _ALIKE) > 1:
            raise BadInputError(
                f"the name of this {what} could be taken for another one: spell it with plain letters of one "
                "alphabet"
            )


def check_name(name: str, what: str) -> str:
    """A name that a user or a tenant can have.

    Raises:
        BadInputError: It is none; the message says what they are made of.
    """
    usable = name.isprintable() and name == name.strip() and "/" not in name and "=" not in name
    if not name or len(name) > MAX_NAME_CHARACTERS or not usable:
        raise BadInputError(
            f"this is no name of a {what}: use up to {MAX_NAME_CHARACTERS} characters that can be printed, "
            "without / and ="
        )
    return name
