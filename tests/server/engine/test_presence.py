from __future__ import annotations

import pytest

from masklet.types import Presence
from masklet_server.engine.presence import presence_of


@pytest.mark.parametrize(
    ("presence_logit", "predicted_iou", "empty", "verdict"),
    [
        (6.0, 0.9, False, Presence.PRESENT),
        (2.0, 0.5, False, Presence.PRESENT),
        (1.9, 0.9, False, Presence.UNCERTAIN),
        (6.0, 0.49, False, Presence.UNCERTAIN),
        (6.0, 0.9, True, Presence.UNCERTAIN),
        (0.0, 0.9, False, Presence.ABSENT),
        (-4.0, 0.9, True, Presence.ABSENT),
    ],
)
def test_the_verdict_follows_both_scores(
    presence_logit: float, predicted_iou: float, empty: bool, verdict: Presence
) -> None:
    assert presence_of(presence_logit, predicted_iou, empty=empty) is verdict
