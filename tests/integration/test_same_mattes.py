"""The same prompts give the same mattes: a real server, the embedded model, real EXRs."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

import masklet
from masklet import cli
from masklet.prompts import Shot, from_json, read_shot, to_json
from masklet.session import Session
from masklet.types import FramePrompts, Mask, PromptDocument
from masklet_server.demo.clip_writer import DemoClip

Masks = dict[tuple[str, int], bytes]


def masks(session: Session) -> Masks:
    return {(update.object_name, update.frame): update.mask.alpha for update in session.masks()}


def track(session: Session, *, stale_only: bool = False) -> None:
    for _ in session.track(stale_only=stale_only):
        pass


def through_json(document: PromptDocument) -> PromptDocument:
    return from_json(to_json(Shot("duck", document))).document


def test_every_kind_of_correction_and_lock_comes_back_on_another_session(
    server: masklet.Server, session: Session, clip: DemoClip
) -> None:
    kinds = [session.object(kind) for kind in ("positive", "negative", "box", "mask", "stroke")]
    for item in kinds:
        for frame, x_px, y_px in clip.clicks:
            item.click(frame=frame, x_px=x_px, y_px=y_px)
    track(session)
    positive, negative, box, mask, stroke = kinds
    positive.click(frame=1004, x_px=240.0, y_px=345.0)
    negative.click(frame=1004, x_px=60.0, y_px=60.0, positive=False)
    box.box(frame=1004, left_px=150, top_px=200, right_px=420, bottom_px=420)
    stroke.scribble(frame=1004, points_px=[(240.0, 345.0), (300.0, 350.0)], width_px=9.0)
    drawn = np.zeros((480, 854), np.uint8)
    drawn[220:400, 180:380] = 255
    mask.mask(frame=1004, mask=Mask.from_array(drawn))
    positive.lock(first=1002, last=1003)
    track(session, stale_only=True)
    approved, document = masks(session), session.prompts()
    assert all(item.base is not None for item in document.prompts if item.frame == 1004)
    assert [kept.frame for kept in document.masks] == [1002, 1003]

    with server.open(clip.pattern) as again:
        again.load_prompts(through_json(document))
        assert masks(again)["positive", 1002] == approved["positive", 1002]
        track(again)
        assert masks(again) == approved
        again.undo()
        assert again.objects() == ()

    track(session)
    assert masks(session) == approved
    positive.remove()
    session.undo()
    assert masks(session) == approved


def test_a_click_that_is_typed_later_corrects_what_was_tracked_as_in_a_session(
    server: masklet.Server,
    session: Session,
    clip: DemoClip,
    environment: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frame, x_px, y_px = clip.clicks[0]
    duck = session.object("duck")
    duck.click(frame=frame, x_px=x_px, y_px=y_px)
    track(session)
    duck.click(frame=1004, x_px=240.0, y_px=345.0)
    track(session)

    common = ("roto", str(clip.pattern), "--prompts", "shot.json", "--object", "duck")
    run(monkeypatch, *common, "--out", "first", "--click", f"{frame}:{x_px},{y_px}")
    run(monkeypatch, *common, "--out", "second", "--click", "1004:240,345")
    run(
        monkeypatch,
        *(*common[:3], "at_once.json", *common[4:]),
        *("--out", "third", "--click", f"{frame}:{x_px},{y_px}", "--click", "1004:240,345"),
    )
    session.export(environment / "session")

    ways = [coverage(environment / folder) for folder in ("session", "second", "third")]
    assert all(np.array_equal(ways[0], other) for other in ways[1:])
    saved = read_shot(environment / "shot.json").document.prompts
    assert [item.base is None for item in saved] == [True, False]
    assert saved[1].base == session.prompts().prompts[1].base


def test_clearing_an_objects_only_prompt_leaves_no_mattes(session: Session, clip: DemoClip) -> None:
    frame, x_px, y_px = clip.clicks[0]
    duck = session.object("duck")
    duck.click(frame=frame, x_px=x_px, y_px=y_px)
    track(session)
    before = masks(session)

    duck.prompt(FramePrompts(duck.object_id, frame))
    assert masks(session) == {}
    session.undo()

    assert masks(session) == before


def test_what_is_locked_is_delivered_to_the_bit_as_before_whatever_happens_around(
    server: masklet.Server,
    session: Session,
    clip: DemoClip,
    environment: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frame, x_px, y_px = clip.clicks[0]
    duck = session.object("duck")
    duck.click(frame=frame, x_px=x_px, y_px=y_px)
    track(session)
    session.export(environment / "before")
    duck.lock(first=1002, last=1003)
    session.export(environment / "locked")
    assert np.array_equal(coverage(environment / "locked"), coverage(environment / "before"))

    duck.click(frame=1004, x_px=240.0, y_px=345.0)
    track(session)
    session.export(environment / "after")
    with server.open(clip.pattern) as again:
        again.load_prompts(through_json(session.prompts()))
        track(again)
        again.export(environment / "restored")
    shot = Shot(str(clip.pattern), session.prompts())
    (environment / "shot.json").write_text(to_json(shot))
    run(monkeypatch, "roto", str(clip.pattern), "--prompts", "shot.json", "--out", "again")

    after = coverage(environment / "after")
    # 1001 and 1004 lie around the locked frames, and came out otherwise.
    approved = coverage(environment / "before")
    assert np.array_equal(after[1:3], approved[1:3])
    assert not np.array_equal(after[3], approved[3])
    assert np.array_equal(coverage(environment / "restored"), after)
    assert np.array_equal(coverage(environment / "again"), after)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["masklet", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code


def coverage(folder: Path) -> np.ndarray:
    pictures = [oiio.ImageBuf(str(file)).get_pixels(oiio.FLOAT) for file in sorted(folder.glob("*.exr"))]
    assert len(pictures) == 5
    return np.stack(pictures)
