"""How many calls a user, and a tenant, may make: buckets that fill again as time goes by."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from masklet.errors import BusyError
from masklet_server.identity.caller import LOCAL_USER, Identity

BURST_CALLS_S = 2.0
"""So many seconds' worth of calls may come at once."""
BURST_OPENS_S = 60.0
_TOLD_EVERY_S = 10.0
_MOST_BUCKETS = 65_536


@dataclass(frozen=True)
class RateSettings:
    """What is allowed; 0 sets no limit.

    Attributes:
        user_calls_per_s: Calls of one user.
        tenant_calls_per_s: Calls of all users of a tenant together.
        user_opens_per_min: Sessions and uploads of one user.
        tenant_opens_per_min: The same of a tenant.
    """

    user_calls_per_s: float = 200.0
    tenant_calls_per_s: float = 0.0
    user_opens_per_min: float = 60.0
    tenant_opens_per_min: float = 0.0


class TooManyCallsError(BusyError):
    """More calls than are allowed: a little later they are.

    Attributes:
        is_first: False where somebody was told a moment ago: not worth a line in a log.
    """

    is_first = True


@dataclass
class _Bucket:
    left: float
    at_s: float
    told_s: float = -_TOLD_EVERY_S


class Rates:
    """Counts calls. On the event loop.

    Attributes:
        settings: What is allowed, from now on.

    Args:
        settings: What is allowed.
        clock_s: An argument for tests.
    """

    def __init__(self, settings: RateSettings, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self.settings = settings
        self._clock_s = clock_s
        self._buckets: OrderedDict[tuple[str, str], _Bucket] = OrderedDict()

    def take(self, identity: Identity, *, opens: bool = False) -> None:
        """Count a call.

        Args:
            identity: Who makes it. Tokens without a user's name are everybody's, and not counted.
            opens: It opens a session or sends a clip.

        Raises:
            TooManyCallsError: There were too many; the message says when the next may come.
        """
        if identity.account == LOCAL_USER:
            return
        settings, tenant, account = self.settings, identity.tenant, identity.account
        self._take(
            "calls", account, settings.user_calls_per_s, BURST_CALLS_S, "you may make", "calls a second"
        )
        self._take(
            "calls of",
            tenant,
            settings.tenant_calls_per_s,
            BURST_CALLS_S,
            "all of you may make",
            "calls a second",
        )
        if opens:
            for whose, name, per_min, may in (
                ("opens", account, settings.user_opens_per_min, "you may open or send"),
                ("opens of", tenant, settings.tenant_opens_per_min, "all of you may open or send"),
            ):
                self._take(whose, name, per_min / 60.0, BURST_OPENS_S, may, "clips a minute", shown=per_min)

    def _take(
        self,
        kind: str,
        who: str,
        per_s: float,
        burst_s: float,
        may: str,
        what: str,
        *,
        shown: float | None = None,
    ) -> None:
        if per_s <= 0:
            return
        now_s, most = self._clock_s(), max(1.0, per_s * burst_s)
        bucket = self._buckets.get((kind, who))
        if bucket is None:
            bucket = self._buckets[kind, who] = _Bucket(most, now_s)
        self._buckets.move_to_end((kind, who))
        while len(self._buckets) > _MOST_BUCKETS:
            self._buckets.popitem(last=False)
        bucket.left = min(most, bucket.left + (now_s - bucket.at_s) * per_s)
        bucket.at_s = now_s
        if bucket.left >= 1.0:
            bucket.left -= 1.0
            return
        wait_s = (1.0 - bucket.left) / per_s
        error = TooManyCallsError(
            f"{may} {shown or per_s:g} {what} on this server: try again in {max(0.1, wait_s):.1f} seconds"
        )
        error.is_first = now_s - bucket.told_s >= _TOLD_EVERY_S
        if error.is_first:
            bucket.told_s = now_s
        raise error
