from __future__ import annotations

import numpy as np
import pytest

from masklet.types import Presence
from masklet_server.engine.presence import CALIBRATIONS, Calibration, presence_of, steadiness


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


@pytest.mark.parametrize(
    ("presence_logit", "predicted_iou", "empty", "verdict"),
    [
        (8.0, 0.9, False, Presence.PRESENT),
        (8.0, 0.7, False, Presence.PRESENT),
        (5.0, 0.7, False, Presence.UNCERTAIN),
        (8.0, 0.7, True, Presence.UNCERTAIN),
        (-0.1, 0.99, False, Presence.ABSENT),
    ],
)
def test_a_measured_network_is_judged_by_its_measurements(
    presence_logit: float, predicted_iou: float, empty: bool, verdict: Presence
) -> None:
    measured = Calibration(offset=8.0, presence_weight=-1.0, quality_weight=-1.0, limit=0.0)

    assert presence_of(presence_logit, predicted_iou, empty=empty, calibration=measured) is verdict


def test_better_scores_never_make_a_mask_less_certain() -> None:
    for calibration in CALIBRATIONS.values():
        assert calibration.error_logit(3.0, 0.5) > calibration.error_logit(4.0, 0.5)
        assert calibration.error_logit(3.0, 0.5) > calibration.error_logit(3.0, 0.6)
        # Beyond what was measured a score says no more, whatever it is.
        assert calibration.error_logit(40.0, 1.0) == calibration.error_logit(400.0, 1.5)


def test_a_mask_is_steady_where_its_edge_is_steep() -> None:
    logits = np.full((8, 8), -9.0, np.float32)
    logits[2:6, 2:6] = 9.0
    assert steadiness(logits) == 1.0

    logits[0, :] = 0.5
    assert steadiness(logits) == 16 / 24
    assert steadiness(np.full((8, 8), -9.0, np.float32)) == 0.0
