"""Prompt documents of movies that belong at 1001, in a real Blender, which counts movies from 0."""

from __future__ import annotations

from pathlib import Path

import pytest

from generated_media import numbered_picture, write_movie
from masklet.clip_reading import ClipReading
from masklet.prompts import Shot, from_json, to_json
from masklet.types import Click, FramePrompts, ObjectInfo, PromptDocument
from real_blender import ROOT, blender_wheel

DOCUMENT = PromptDocument((ObjectInfo(1, "hero", (1003,)),), (FramePrompts(1, 1003, (Click(20.5, 18.0),)),))


@pytest.mark.parametrize("version", ["4.2", "5.2"])
def test_a_document_that_counts_from_1001_comes_in_from_0_and_goes_out_from_1001(
    tmp_path: Path, version: str
) -> None:
    blender = blender_wheel(version)
    write_movie(tmp_path / "plate.mov", [numbered_picture(number) for number in range(6)])
    reading = ClipReading("ACEScg", first_frame=1001, frame_rate=24000 / 1001)
    shot = Shot("plate.mov", DOCUMENT, reading=reading)
    (tmp_path / "shot.prompts.json").write_text(to_json(shot))

    answer = blender.run(
        Path(__file__).parent / "scripts/movie_prompts.py", tmp_path, ROOT, user_folder=tmp_path / "user"
    )

    assert answer["in the file"] == [[2]], answer["import"]
    assert answer["to the server"] == ["ACEScg", None, None]
    again = from_json((tmp_path / "again.prompts.json").read_text())
    assert again.document == DOCUMENT
    assert again.reading == reading
    assert again.plate is not None
    assert (again.plate.frames.first, again.plate.frames.last) == (1001, 1006)
