"""Plates without a document: prompts are found, or carried from a neighbour, before the job is made."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from fakes.farm_shots import write_document, write_plate
from masklet.carrying import Carried
from masklet.commands import farm_prompts
from masklet.commands.farm_prompts import Prompted, prompted
from masklet.errors import BadInputError


def _prompted(*shots: Path, find_every: int | None = None, carry_from: Path | None = None) -> Prompted:
    return prompted(shots, find_every=find_every, carry_from=carry_from, weights=None, device=None)


def test_documents_stay_and_plates_get_one_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = write_plate(tmp_path / "plates")
    own = write_document(tmp_path / "shot.masklet.json", str(clip))
    asked: list[object] = []

    def find(clip: str, *, every: int, prompts: Path, **others: object) -> None:
        asked.append((clip, every, others))
        write_document(prompts, clip)

    monkeypatch.setattr(farm_prompts, "find", find)
    made = _prompted(own, clip, find_every=24)
    assert made.documents == [own, clip.parent / "plate.masklet.json"]
    assert asked == [(str(clip), 24, {"weights": None, "device": None})]
    with pytest.raises(BadInputError, match=r"plate\.masklet\.json lies beside .* submit that document"):
        _prompted(clip, find_every=24)


def test_objects_of_a_neighbouring_shot_are_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = write_plate(tmp_path / "next")
    write_plate(tmp_path)
    neighbour = write_document(tmp_path / "before.masklet.json", "plate.%04d.png")
    asked: list[object] = []

    def carry(clip: str, to: str, *, prompts: Path, out: Path, **others: object) -> tuple[Carried, ...]:
        asked.append((clip, to, prompts))
        write_document(out, to)
        return Carried("hero", ()), Carried("ball", (), "what was taken for ball is 4 times as large")

    monkeypatch.setattr(farm_prompts, "carry", carry)
    made = _prompted(clip, carry_from=neighbour)
    # What is doubtful goes along, for whoever looks at the results.
    assert made.doubts == {made.documents[0]: {"ball": "what was taken for ball is 4 times as large"}}
    assert asked == [(str(tmp_path / "plate.%04d.png"), str(clip), neighbour)]


def test_a_neighbour_is_found_from_here_and_what_carrying_lists_stays_out_of_standard_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = write_plate(tmp_path / "next")
    write_plate(tmp_path / "before")
    (tmp_path / "documents").mkdir()
    neighbour = write_document(tmp_path / "documents" / "before.masklet.json", "before/plate.%04d.png")
    monkeypatch.chdir(tmp_path)
    asked: list[str] = []

    def carry(clip: str, to: str, *, out: Path, **others: object) -> tuple[Carried, ...]:
        asked.append(clip)
        typer.echo("hero\t1\t0.90\t1001:1.0,1.0")
        write_document(out, to)
        return ()

    monkeypatch.setattr(farm_prompts, "carry", carry)
    _prompted(clip, carry_from=neighbour)
    assert asked == [str(tmp_path / "before" / "plate.%04d.png")]
    told = capsys.readouterr()
    assert told.out == ""
    assert "hero" in told.err


def test_a_plate_without_prompts_says_what_to_add(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="is a plate without prompts: name its document, or add --find"):
        _prompted(write_plate(tmp_path))
