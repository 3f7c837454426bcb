"""Who has signed in to the page: cookies that say nothing, kept in memory and gone with the server."""

from __future__ import annotations

import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

LASTS_S = 12 * 3600.0
MAX_VISITS = 256


@dataclass(frozen=True)
class Visit:
    """Somebody's browser.

    Attributes:
        visit_id: In the cookie.
        token: With which that one signed in, asked for again at each request; empty where nobody is asked.
        form_key: In every form of the page, so that no other page can send one.
    """

    visit_id: str
    token: str
    until_s: float
    form_key: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    def sent(self, form_key: str) -> bool:
        """True for a form that this page made for this browser."""
        return hmac.compare_digest(self.form_key.encode(), form_key.encode(errors="replace"))


class Visits:
    """All browsers that are signed in.

    Args:
        clock_s: An argument for tests.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._visits: OrderedDict[str, Visit] = OrderedDict()

    def begin(self, token: str) -> Visit:
        """A new one; the oldest goes where there are too many."""
        visit = Visit(secrets.token_urlsafe(32), token, self._clock_s() + LASTS_S)
        self._visits[visit.visit_id] = visit
        while len(self._visits) > MAX_VISITS:
            self._visits.popitem(last=False)
        return visit

    def find(self, visit_id: str) -> Visit | None:
        """The one of a cookie; None where it has ended."""
        visit = self._visits.get(visit_id)
        if visit is not None and visit.until_s <= self._clock_s():
            del self._visits[visit_id]
            return None
        return visit

    def end(self, visit_id: str) -> None:
        """Sign out."""
        self._visits.pop(visit_id, None)
