"""What is tracked to make mattes again: the run's frames, and those whose masks calmed them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fakes.published_shot import PRESENT, make_shot
from masklet.commands.rebuild import with_calming
from masklet.publish.shot_record import ObjectStates, read_record, record_name
from masklet.types import FrameRange


@pytest.mark.parametrize(
    ("had_masks", "tracked"),
    [
        ({"hero": (1001, 1010)}, (1003, 1008)),
        ({"hero": (1005, 1007)}, (1005, 1007)),
        ({"hero": (1001, 1010), "duck": (1004, 1006)}, (1004, 1006)),
        ({}, (1005, 1006)),
    ],
)
def test_frames_beside_the_runs_own_are_tracked_where_all_its_objects_had_masks(
    tmp_path: Path, had_masks: dict[str, tuple[int, int]], tracked: tuple[int, int]
) -> None:
    record = read_record(make_shot(tmp_path).mattes / record_name("shot"))
    states = tuple(ObjectStates(name, FrameRange(*frames), PRESENT) for name, frames in had_masks.items())
    mattes = replace(record.mattes, frames=FrameRange(1005, 1006))
    assert with_calming(replace(record, mattes=mattes, states=states)) == FrameRange(*tracked)
