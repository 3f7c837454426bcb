"""Quality in an artist's words, as sides of the square that a network looks at.

A network of this family takes any side that is a multiple of 32. A smaller one is faster and sees less.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from types import MappingProxyType
from typing import Final

from masklet.errors import BadInputError
from masklet_server.model.config import EMBEDDED, PRESETS
from masklet_server.model.network import Network


class Quality(str, Enum):
    """How closely pictures are looked at."""

    OWN = "own"  # As the model was trained.
    FAST = "fast"
    BALANCED = "balanced"
    BEST = "best"


SIDES_PX: Final = MappingProxyType(
    {
        **{
            name: MappingProxyType({Quality.FAST: 512, Quality.BALANCED: 768, Quality.BEST: 1024})
            for name in PRESETS
        },
        EMBEDDED.name: MappingProxyType({Quality.FAST: 384, Quality.BALANCED: 480, Quality.BEST: 640}),
    }
)
"""By the name of the network's configuration. What each side costs and gives nobody has measured yet:
``server/benchmarks/bench_quality.py`` does."""


def quality_named(word: str) -> Quality:
    """The quality of that name.

    Raises:
        BadInputError: There is none.
    """
    try:
        return Quality(word)
    except ValueError:
        known = ", ".join(one.value for one in Quality)
        raise BadInputError(f"there is no quality {word}: it is one of {known}") from None


def with_quality(network: Network, quality: Quality) -> Network:
    """The same network, changed in place to look at pictures so.

    Networks of no preset keep their side.
    """
    sides_px = SIDES_PX.get(network.config.name)
    if sides_px is not None and quality in sides_px:
        with_side(network, sides_px[quality])
    return network


def with_side(network: Network, side_px: int) -> Network:
    """The same network, changed in place to look at squares of that side: a multiple of 32."""
    network.config = replace(network.config, image_side_px=side_px)
    return network
