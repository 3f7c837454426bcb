from __future__ import annotations

import pytest

from masklet import find_codec
from masklet.errors import BadInputError
from masklet.found import FindProgress, FindRequest, Look
from masklet.types import MaskFormat
from masklet.v1 import find_pb2

_LOOK = Look("a_model", 4, bytes(range(16)), 0.25)


@pytest.mark.parametrize(
    "request_",
    [
        FindRequest(1001),
        FindRequest(-3, limit=7, per_side=16, layers=2, least_share=0.125, mask_format=MaskFormat(64, True)),
        FindRequest(5, like=_LOOK),
        FindRequest(5, object_id=3),
        FindRequest(5, words="a red car"),
    ],
)
def test_a_request_comes_back_as_it_was(request_: FindRequest) -> None:
    assert find_codec.request_from_wire(find_codec.request_to_wire("it", request_)) == request_


def test_progress_comes_back() -> None:
    progress = FindProgress(3, 9)
    assert find_codec.event_from_wire(find_codec.event_to_wire(progress)) == progress


@pytest.mark.parametrize(
    "damage",
    [
        {"width": 0},
        {"width": 3},
        {"cells": b""},
        {"width": 4, "cells": bytes(8 * 300)},
        {"side_share": float("nan")},
        {"side_share": 2.0},
        {"model": "x" * 200},
    ],
)
def test_a_damaged_look_is_refused(damage: dict[str, object]) -> None:
    message = find_codec.look_to_wire(_LOOK)
    for name, value in damage.items():
        setattr(message, name, value)
    with pytest.raises(BadInputError, match="damaged"):
        find_codec.look_from_wire(message)


@pytest.mark.parametrize("wrong", [{"limit": 1000}, {"per_side": 100}, {"layers": 9}, {"words": "x" * 201}])
def test_a_request_out_of_bounds_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadInputError, match=r"\d"):
        find_codec.request_from_wire(find_pb2.FindRequest(session_id="it", frame=1, **wrong))  # type: ignore[arg-type]
