"""Options that several commands share."""

from __future__ import annotations

import pytest

from masklet.clip_reading import ClipReading
from masklet.commands.options import reading_as_asked
from masklet.errors import BadInputError


@pytest.mark.parametrize(
    ("typed", "rate"), [("24", 24.0), ("23.976", 23.976), ("24000/1001", 24000 / 1001), (" 25 ", 25.0)]
)
def test_a_rate_is_a_number_or_a_fraction(typed: str, rate: float) -> None:
    assert reading_as_asked(ClipReading(), None, None, typed).frame_rate == rate


@pytest.mark.parametrize("typed", ["24p", "", "24/0", "0", "-25", "1e9", "inf", "nan"])
def test_a_rate_that_cannot_be_is_refused(typed: str) -> None:
    with pytest.raises(BadInputError, match="is no frame rate"):
        reading_as_asked(ClipReading(), None, None, typed)


def test_options_of_reading_go_before_the_document_and_leave_the_rest_of_it() -> None:
    saved = ClipReading("ACEScg", 1001, 25.0)

    assert reading_as_asked(saved, None, None, None) == saved
    assert reading_as_asked(saved, None, 0, None) == ClipReading("ACEScg", 0, 25.0)
    assert reading_as_asked(saved, "sRGB", None, "24") == ClipReading("sRGB", 1001, 24.0)
