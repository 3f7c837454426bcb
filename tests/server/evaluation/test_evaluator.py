from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from fakes import annotated_sets as sets
from fakes.shift_tracker import load_drifting, load_nothing
from masklet.errors import BadInputError, OutputError, WeightsError
from masklet_server.evaluation.clips import AnnotatedClip
from masklet_server.evaluation.datasets import open_dataset
from masklet_server.evaluation.evaluator import Assignment, evaluate_clips
from masklet_server.evaluation.protocols import ProtocolName
from masklet_server.evaluation.report import ClipReport, Report, write_json
from masklet_server.evaluation.sheet import Tile, contact_sheet, write_sheet


@pytest.fixture
def clips(tmp_path: Path) -> list[AnnotatedClip]:
    return open_dataset(sets.write_davis_2017(tmp_path / "set"))


@pytest.fixture
def report(clips: list[AnnotatedClip], tmp_path: Path) -> Report:
    assignment = Assignment(ProtocolName.MASK, flicker=True, cache=tmp_path / "cache")
    reports = [report for report, _ in evaluate_clips(clips, assignment, load_drifting)]
    return Report("set", "mask", "drifting", tuple(reports))


def test_the_file_has_figures_overall_and_per_sequence_beside_the_baselines(
    report: Report, tmp_path: Path
) -> None:
    write_json(tmp_path / "report.json", report.as_json())

    content = json.loads((tmp_path / "report.json").read_text())
    assert set(content["sequences"]) == {"run", "walk"}
    overall = content["overall"]
    assert overall["j_and_f"] == pytest.approx((overall["j"] + overall["f"]) / 2, abs=0.002)
    assert overall["fps"] > 0
    assert 30 < overall["j"] < 100
    per_sequence = [one["j"] for one in content["sequences"].values()]
    assert overall["j"] == pytest.approx(np.mean(per_sequence), abs=0.002)
    for one in (overall, *content["sequences"].values()):
        assert {"j", "f", "j_and_f", "fps"} <= one.keys()
    assert set(content["baselines"]) == {"copy", "flow"}
    assert set(content["sequences"]["walk"]["objects"]) == {"1", "2"}
    assert overall["flicker"] > overall["flicker_of_truth"] >= 0


def test_objects_weigh_the_same_whatever_sequence_they_are_in(report: Report) -> None:
    first, second = report.clips
    single = replace(second.outcome, objects=second.outcome.objects[:1])
    uneven = replace(report, clips=(first, ClipReport("one", single)))

    objects = [*first.outcome.objects, single.objects[0]]
    assert uneven.overall.j == pytest.approx(100 * np.mean([one.j for one in objects]))


def test_two_processes_find_what_one_finds(
    clips: list[AnnotatedClip], report: Report, tmp_path: Path
) -> None:
    assignment = Assignment(ProtocolName.MASK, cache=tmp_path / "cache")

    both = [each for each, _ in evaluate_clips(clips, assignment, load_drifting, jobs=2)]

    assert [each.name for each in both] == [clip.name for clip in report.clips]
    assert [each.outcome.objects for each in both] == [clip.outcome.objects for clip in report.clips]


def test_weights_that_are_missing_are_told_from_a_process_too(clips: list[AnnotatedClip]) -> None:
    with pytest.raises(WeightsError, match="no such weights"):
        list(evaluate_clips(clips, Assignment(ProtocolName.MASK), load_nothing, jobs=2))


def test_the_sheet_shows_the_worst_frames(clips: list[AnnotatedClip], tmp_path: Path) -> None:
    assignment = Assignment(ProtocolName.MASK, baselines=False, tiles=True)

    (first, tiles), _ = evaluate_clips(clips, assignment, load_drifting)
    write_sheet(tmp_path / "sheet.png", tiles)

    worst = min(score.j for one in first.outcome.objects for score in one.frames.values())
    assert tiles[0].j == worst
    read = cv2.imread(str(tmp_path / "sheet.png"))
    assert read is not None
    assert read.shape == (320, 1440, 3)


def test_a_tile_marks_our_mask_and_outlines_the_truth() -> None:
    picture = np.full((60, 480, 3), 128, np.uint8)
    ours, truth = np.zeros((60, 480), np.bool_), np.zeros((60, 480), np.bool_)
    ours[30:50, 100:200] = True
    truth[30:50, 300:400] = True

    sheet = contact_sheet([Tile("clip 3", picture, ours, truth, 0.0)]).astype(int)

    assert sheet[40, 150, 0] - sheet[40, 150, 2] > 50, "inside our mask it turns orange"
    assert sheet[40, 300, 1] - sheet[40, 300, 0] > 50, "the border of the truth is green"
    assert (sheet[40, 350] == 128).all(), "the inside of the truth is left alone"


def test_a_report_that_cannot_be_written_is_told(report: Report, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"report\.json cannot be written"):
        write_json(tmp_path / "nowhere" / "report.json", report.as_json())


def test_an_error_in_one_clip_names_the_clip(clips: list[AnnotatedClip], tmp_path: Path) -> None:
    path = tmp_path / "set" / "Annotations" / "480p" / "run" / "00003.png"
    path.write_bytes(b"")

    with pytest.raises(BadInputError, match=r"run/00003\.png cannot be read"):
        list(evaluate_clips(clips, Assignment(ProtocolName.MASK, baselines=False), load_drifting))
