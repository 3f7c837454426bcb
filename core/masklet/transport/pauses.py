"""How long a client waits between tries of a server whose connection broke."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Final

from masklet.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PATIENCE_SETTING: Final = "MASKLET_PATIENCE_S"
"""Environment variable: seconds of pauses in all, before a client gives a server up."""
PATIENCE_S: Final = 42.0
"""A server that is restarted loads its model, for many seconds on a slow disk."""
_FIRST_S: Final = (0.2, 0.5, 1.0)
_LATER_S: Final = 2.0


def read_patience_s(environment: Mapping[str, str] | None = None) -> float:
    """What ``MASKLET_PATIENCE_S`` says, 42 seconds where it says nothing; 0 gives up at once.

    Raises:
        BadInputError: It is no number of seconds.
    """
    text = (os.environ if environment is None else environment).get(PATIENCE_SETTING, "").strip()
    if not text:
        return PATIENCE_S
    try:
        patience_s = float(text)
    except ValueError:
        patience_s = math.nan
    if not 0 <= patience_s < math.inf:
        raise BadInputError(f"{PATIENCE_SETTING} is {text!r}: write seconds, {PATIENCE_S:.0f} for example")
    return patience_s


def pauses(patience_s: float) -> Iterator[float]:
    """Seconds to wait before each further try: short ones first, no more than ``patience_s`` in all."""
    left_s = patience_s
    index = 0
    while True:
        pause_s = _FIRST_S[index] if index < len(_FIRST_S) else _LATER_S
        if pause_s > left_s:
            return
        yield pause_s
        left_s -= pause_s
        index += 1
