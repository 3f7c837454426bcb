from __future__ import annotations

import pytest

from masklet.errors import (
    AccessDeniedError,
    BadInputError,
    HelperError,
    MaskletError,
    NameTakenError,
    OutputError,
    ServerUnreachableError,
    VersionError,
    WeightsError,
)
from masklet.hosting.notices import (
    ChangedMeanwhileError,
    LessHeldError,
    PlateChangedError,
    PlateGoneError,
    Remedy,
    notice_of,
)


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (ServerUnreachableError, Remedy.RECONNECT),
        (HelperError, Remedy.RECONNECT),
        (AccessDeniedError, Remedy.RECONNECT),
        (VersionError, Remedy.RECONNECT),
        (PlateChangedError, Remedy.ACCEPT_PLATE),
        (LessHeldError, Remedy.TRACK),
        (PlateGoneError, Remedy.FIND_PLATE),
        (ChangedMeanwhileError, Remedy.OPEN_THEIRS),
        (WeightsError, Remedy.OTHER_WEIGHTS),
        (NameTakenError, Remedy.NONE),
        (OutputError, Remedy.NONE),
        (BadInputError, Remedy.NONE),
    ],
)
def test_the_button_below_a_sentence_goes_by_the_kind_of_error_whatever_it_says(
    error: type[MaskletError], remedy: Remedy
) -> None:
    notice = notice_of(error("Reconnect, Use This Plate, track again"))
    assert notice.remedy is remedy
    assert notice.is_alarm
