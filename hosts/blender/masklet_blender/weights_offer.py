"""What is being fetched of better weights, for whoever draws it; nothing is fetched by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from masklet.hosting.work.weights_pull import WeightsPull


class WeightsOffer:
    """At most one download at a time."""

    def __init__(self) -> None:
        self.pull: WeightsPull | None = None

    @property
    def is_running(self) -> bool:
        """True while bytes come."""
        return self.pull is not None and self.pull.progress.is_running

    @property
    def problem(self) -> str:
        """Why the last one ended early, in a sentence; empty where it did not."""
        return "" if self.pull is None else self.pull.progress.problem


OFFER = WeightsOffer()
