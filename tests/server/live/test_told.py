from __future__ import annotations

from fakes.streams import SAID
from masklet.clip_reading import ClipReading
from masklet.matte_settings import MatteSettings
from masklet.policies import MemoryPolicy
from masklet.prompts import Shot
from masklet.types import ObjectInfo, ObjectMatte, ObjectPolicy, PromptDocument
from masklet_server.live.told import Told, not_used


def test_frames_that_did_not_come_are_named_and_so_are_prompts_on_them() -> None:
    told = Told(SAID)
    for frame in (1001, 1002, 1005, 1006):
        told.note(frame, 0.1)
    names = {1: "hero", 2: "dog"}
    assert told.frames == 4
    gaps, unused = told.lacking(names)
    assert gaps == "frames without a matte, dropped or never whole: 1003-1004"
    assert "the prompts of dog on 1004 were not used" in unused


def test_what_is_kept_of_a_run_does_not_grow_with_its_gaps() -> None:
    told = Told(SAID[:1])
    for frame in range(1001, 7001, 2):
        told.note(frame, 0.1)
    assert told.frames == 3000
    assert max(map(len, (told.delays_s, told.gaps, told.used))) <= 1000
    (words,) = told.lacking({1: "hero"})
    assert words.endswith(", 1040, and 2979 gaps more")


def test_a_frame_of_another_size_is_left_out_and_named() -> None:
    told = Told(SAID[:1])
    for frame, width_px in ((1001, 96), (1002, 96), (1003, 48), (1004, 96)):
        if told.fits(frame, width_px, 54):
            told.note(frame, 0.1)

    assert told.frames == 3
    assert "frames left out, as they are not 96 x 54 as the first one is: 1003" in list(
        told.lacking({1: "hero"})
    )


def test_what_a_document_says_and_a_stream_has_no_use_for_is_told() -> None:
    said = PromptDocument(
        (ObjectInfo(1, "hero"),),
        SAID[:1],
        mattes=(ObjectMatte(1, MatteSettings(exclusive=True)),),
        policies=(ObjectPolicy(1, MemoryPolicy.PATHS),),
    )
    shot = Shot("plate", said, reading=ClipReading(colour_space="ACEScg"))

    sentences = list(not_used(shot, is_raw=True))
    assert [words in " ".join(sentences) for words in ("matte settings", "ACEScg", "100 earlier frames")] == [
        True
    ] * 3
    assert list(not_used(Shot("plate", PromptDocument(said.objects, said.prompts)), is_raw=True)) == []
