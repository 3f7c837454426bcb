"""Whose a session is, and who else may do what in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from masklet.errors import BadInputError, NotPermittedError, SessionNotFoundError
from masklet.scopes import SHARED, Scope, in_order
from masklet.types import Share

MAX_SHARES = 200


@dataclass(frozen=True)
class Access:
    """Who gets into a session. Nobody else learns that it exists.

    Attributes:
        owner: An account: ``user``, or ``tenant/user``.
        shares: What others of the owner's tenant may do, by account.
    """

    owner: str
    shares: Mapping[str, frozenset[Scope]] = field(default_factory=dict)

    def rights_of(self, account: str) -> frozenset[Scope] | None:
        """What an account may do here; None where it may not know of the session."""
        return SHARED if account == self.owner else self.shares.get(account)

    def check(self, account: str, needed: Scope | None) -> None:
        """See that an account may do something here.

        Args:
            account: Whoever calls.
            needed: What the call belongs to; None for what is the owner's alone.

        Raises:
            SessionNotFoundError: It may not know of the session.
            NotPermittedError: It knows of it, and may not do this.
        """
        rights = self.rights_of(account)
        if rights is None:
            raise not_found()
        if account == self.owner or needed in rights:
            return
        whose = self.owner.rpartition("/")[2]
        if needed is None:
            raise NotPermittedError(f"this session is {whose}'s, who alone can do this: ask {whose}")
        told = ", ".join(scope.value for scope in in_order(rights))
        raise NotPermittedError(
            f"{whose} shares this session with you for {told}, and this needs {needed.value}: ask {whose} "
            "for it"
        )

    def check_still(self, account: str, needed: Scope | None) -> None:
        """See that an account that was let in may go on with what it does.

        Raises:
            NotPermittedError: That was taken back meanwhile.
        """
        if self.rights_of(account) is None:
            whose = self.owner.rpartition("/")[2]
            raise NotPermittedError(
                f"{whose} no longer shares this session with you, and this was stopped: ask {whose} for it"
            )
        self.check(account, needed)

    def shared_with(self, account: str, rights: frozenset[Scope]) -> Access:
        """The same with another user let in.

        Raises:
            BadInputError: It is the owner, or there are too many already.
        """
        if account == self.owner:
            raise BadInputError("the session is yours already: share it with somebody else")
        shares = {**self.shares, account: rights}
        if len(shares) > MAX_SHARES:
            raise BadInputError(f"a session is shared with {MAX_SHARES} users at most: take some back first")
        return replace(self, shares=shares)

    def kept_from(self, account: str) -> Access:
        """The same without another user; fine where nothing was shared."""
        return replace(self, shares={each: own for each, own in self.shares.items() if each != account})

    def told(self) -> tuple[Share, ...]:
        """With whom it is shared, for people of the owner's tenant."""
        return tuple(
            Share(account.rpartition("/")[2], in_order(rights))
            for account, rights in sorted(self.shares.items())
        )


def not_found() -> SessionNotFoundError:
    """The refusal of a session that is not there, or is somebody else's: the same sentence in all cases."""
    return SessionNotFoundError(
        "the server holds no such session: it was closed, or nobody has used it for too long. "
        "Open the clip again; your prompts are all it takes"
    )
