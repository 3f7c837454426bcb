"""What is made again is looked at as closely as it was."""

from __future__ import annotations

import pytest

from masklet.commands.rebuild import check_quality, quality_in
from masklet.deliveries import ExportPlan, RunMark
from masklet.errors import BadInputError


def plan(settings: str) -> ExportPlan:
    return ExportPlan("sh", RunMark("", "tiny", "0" * 64, settings), ())


@pytest.mark.parametrize(
    ("settings", "quality"),
    [
        ('{"profile": "editor", "quality": "best"}', "best"),
        ('{"profile": "editor"}', "own"),
        ("", "own"),
        ("[]", "own"),
    ],
)
def test_a_record_that_names_no_quality_is_of_what_the_model_was_trained_for(
    settings: str, quality: str
) -> None:
    assert quality_in(settings) == quality


def test_a_server_that_looks_otherwise_is_refused_with_what_helps() -> None:
    check_quality(plan('{"quality": "fast"}'), "fast")
    check_quality(None, "fast")
    with pytest.raises(BadInputError, match="works with own: use one that was started with --quality fast"):
        check_quality(plan('{"profile": "editor"}'), "fast")
