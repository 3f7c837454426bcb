"""What ``masklet roto`` writes besides mattes, and what ``masklet review`` lists, without a server."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from fakes.transport import CLIP, RUN, FakeTransport
from masklet.anchors import Absence, AnchorKind
from masklet.commands.extra_words import parse_extra_exports
from masklet.commands.progress import Progress
from masklet.commands.review import listed
from masklet.deliveries import Delivery, Existing, ExportPlan
from masklet.errors import BadInputError, ExistingFilesError, OutputError
from masklet.events import MatteFormat
from masklet.exchange.nuke import check_folder
from masklet.holes import Hole, HoleReason
from masklet.interpolation import Interpolation
from masklet.matte_files import Exported
from masklet.outputs.extra_exports import ExtraExports, matte_sequences, write_extra_exports
from masklet.outputs.output import Output
from masklet.outputs.writing import assuming_a_rate
from masklet.session import Session
from masklet.types import FrameRange, Presence, SessionInfo, StateRange

PLAN = ExportPlan(
    "plate", RUN, (Delivery("plate_mattes.%04d.exr", "exr", ("hero", "ghost"), 4, 2, CLIP.frames),)
)


RECORDS = ["plate_json.record.json", "plate_nuke.record.json"]


def extraed(**words: Any) -> ExtraExports:
    plain: dict[str, Any] = {
        "shapes": False,
        "tolerance_px": 1.0,
        "anchors": None,
        "absence": Absence.HOLD,
        "tools": None,
    }
    return parse_extra_exports(**{**plain, **words})


def test_extras_are_checked_word_by_word_before_any_work() -> None:
    made = extraed(shapes=True, anchors="similarity, box,box", tools="nuke,json")

    assert made.anchors == (AnchorKind.SIMILARITY, AnchorKind.BOX)
    assert made.tools == ("nuke", "json")
    assert not made.is_nothing
    assert extraed().is_nothing
    assert extraed(anchors="top").tools == ("json",)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"anchors": "middle"}, "'middle' is no anchor: choose from centroid"),
        ({"anchors": "point"}, "needs the point"),
        ({"tools": "shake"}, "'shake' is no tool that is known: choose from nuke"),
        ({"tolerance_px": 0.0}, "pixels above 0"),
        ({"tolerance_px": float("nan")}, "pixels above 0"),
    ],
)
def test_extras_that_cannot_be_met_are_refused(words: dict[str, object], message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        extraed(**words)


def tracked_session() -> tuple[Session, FakeTransport]:
    transport = FakeTransport()
    transport.add_object("s1", "hero")
    transport.add_object("s1", "ghost")
    transport.states = [StateRange(1, FrameRange(1001, 1003), Presence.PRESENT, prompted=False)]
    return Session(transport, SessionInfo("s1", CLIP)), transport


def test_shapes_anchors_and_states_of_objects_with_masks_are_written(tmp_path: Path) -> None:
    session, transport = tracked_session()
    wanted = extraed(shapes=True, anchors="similarity", absence=Absence.FADE, tools="json,nuke")
    mattes = Exported(tuple(tmp_path / f"plate_mattes.{frame}.exr" for frame in (1001, 1002)), plan=PLAN)

    files = write_extra_exports(
        session, wanted, tmp_path, frames=None, name="plate", mattes=mattes, progress=Progress()
    )

    assert sorted(file.name for file in files) == ["plate.json", "plate.nk", *RECORDS]
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == ["plate.json", "plate.masklet.json", "plate.nk", *RECORDS]
    content = json.loads((tmp_path / "plate.json").read_text())
    assert [shapes["object"] for shapes in content["shapes"]] == ["hero"]
    assert [track["name"] for track in content["anchors"]] == ["hero_similarity"]
    (found,) = content["mattes"]
    assert (found["folder"], found["files"]) == (tmp_path.as_posix(), "plate_mattes.%04d.exr")
    assert (found["layers"], found["frames"]) == (["hero", "ghost"], [[1001, 1002]])
    assert transport.anchored[0].absence is Absence.FADE
    assert transport.raw_shapes == [False, False]


def test_text_that_somebody_works_on_is_never_written_over(tmp_path: Path) -> None:
    session, _ = tracked_session()

    def write(tools: str, existing: Existing = Existing.KEEP, **words: Any) -> None:
        write_extra_exports(
            session,
            extraed(tools=tools, **words),
            tmp_path,
            frames=None,
            name="plate",
            mattes=Exported(plan=PLAN),
            existing=existing,
            progress=Progress(),
        )

    write("json,nuke")
    write("json,nuke")
    with pytest.raises(ExistingFilesError, match=r"plate\.nk is there already: made with other settings"):
        write("nuke", anchors="top")
    write("nuke", Existing.REPLACE, anchors="top")
    (tmp_path / "plate.nk").write_text("an artist's comp")
    for existing in Existing:
        with pytest.raises(
            ExistingFilesError, match=r"plate\.nk is there already and is not as masklet wrote"
        ):
            write("nuke", existing, anchors="top")

    assert (tmp_path / "plate.nk").read_text() == "an artist's comp"


def test_every_object_with_files_of_its_own_is_a_sequence_of_the_frames_that_were_written() -> None:
    plan = replace(
        PLAN,
        deliveries=tuple(
            Delivery(f"{name}/plate_{name}.%04d.png", "png16", (), 4, 2, CLIP.frames) for name in ("a", "b")
        ),
    )
    folder = Path("/jobs/100%d #1")
    files = [folder / "a" / f"plate_a.{frame}.png" for frame in (1001, 1002, 1005)]

    sequences = matte_sequences(Exported((*files, folder / "b" / "plate_b.-012.png"), plan=plan))

    assert [(one.folder, one.files, one.kind) for one in sequences] == [
        ("/jobs/100%d #1/a", "plate_a.%04d.png", "png16"),
        ("/jobs/100%d #1/b", "plate_b.%04d.png", "png16"),
    ]
    assert (sequences[0].first_frame, sequences[0].last_frame) == (1001, 1005)
    assert sequences[0].missing == (FrameRange(1003, 1004),)
    assert sequences[1].first_file == "/jobs/100%d #1/b/plate_b.-012.png"


def test_what_was_not_exported_is_not_mentioned(tmp_path: Path) -> None:
    session, _ = tracked_session()

    write_extra_exports(
        session,
        extraed(tools="json"),
        tmp_path,
        frames=FrameRange(1002, 1002),
        name="plate",
        mattes=Exported((tmp_path / "plate_mattes.1002.exr",), plan=PLAN),
        progress=Progress(),
    )

    content = json.loads((tmp_path / "plate.json").read_text())
    assert content["mattes"][0]["first_file"].endswith("/plate_mattes.1002.exr")
    assert [(one["first_frame"], one["last_frame"]) for one in content["states"]] == [(1002, 1002)]


def test_shapes_have_raw_edges_where_the_mattes_have_them(tmp_path: Path) -> None:
    session, transport = tracked_session()

    write_extra_exports(
        session,
        extraed(shapes=True),
        tmp_path,
        frames=None,
        name="plate",
        mattes=Exported(),
        raw_edges=True,
        progress=Progress(),
    )

    assert transport.raw_shapes == [True]


def test_a_second_look_is_told_in_one_line_that_counts_up() -> None:
    progress, written = Progress(), io.StringIO()
    progress.console = Console(file=written, force_terminal=True, highlight=False, width=80)

    for done in range(201):
        progress.looking("left [hand]", done, 200)

    lines = written.getvalue().splitlines()
    assert len(lines) == 101
    assert lines[50] == "second look, left [hand], frame 100 of 200"
    assert written.getvalue().endswith("frame 200 of 200\n")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    session, _ = tracked_session()
    wanted = extraed(tools="json")

    with pytest.raises(OutputError, match="cannot be written"):
        write_extra_exports(
            session,
            wanted,
            tmp_path / "gone" / "out",
            frames=None,
            name="a",
            mattes=Exported(),
            progress=Progress(),
        )


def test_a_review_lists_runs_of_frames_and_stars_those_worth_a_look() -> None:
    states = [
        StateRange(1, FrameRange(-3, 0), Presence.PRESENT, prompted=False),
        StateRange(1, FrameRange(1, 1), Presence.PRESENT, prompted=True),
        StateRange(1, FrameRange(2, 5), Presence.UNCERTAIN, prompted=False, stale=True),
        StateRange(1, FrameRange(6, 7), Presence.UNCERTAIN, prompted=False, locked=True),
    ]

    assert listed(states, {1: "hero"}) == [
        "hero\t-3\t0\tpresent",
        "hero\t1\t1\tpresent,corrected",
        "hero\t2\t5\tuncertain,stale\t*",
        "hero\t6\t7\tuncertain,locked",
    ]


def test_a_review_lists_frames_without_a_matte_and_why() -> None:
    states = [StateRange(1, FrameRange(1001, 1046), Presence.PRESENT, prompted=True)]
    holes = [
        Hole(1, "hero", FrameRange(1047, 1060), HoleReason.BEHIND_CUT, 1047),
        Hole(1, "hero", FrameRange(1000, 1000), HoleReason.NO_PICTURE),
    ]

    assert listed(states, {1: "hero"}, holes) == [
        "hero\t1000\t1000\tthe plate has no picture",
        "hero\t1001\t1046\tpresent,corrected",
        "hero\t1047\t1060\tbehind the cut at 1047: not tracked\t*",
    ]


@pytest.mark.parametrize(
    ("tools", "rules"),
    [
        ("nuke", [Interpolation.NUKE_SMOOTH]),
        ("fusion,ae", [Interpolation.LINEAR]),
        ("fusion,nuke,json", [Interpolation.LINEAR, Interpolation.NUKE_SMOOTH]),
        ("otio", [Interpolation.LINEAR]),
        (None, [Interpolation.LINEAR]),
    ],
)
def test_shapes_are_fitted_once_under_each_curve_that_a_tool_draws(
    tmp_path: Path, tools: str | None, rules: list[Interpolation]
) -> None:
    session, transport = tracked_session()

    write_extra_exports(
        session,
        extraed(shapes=True, tools=tools),
        tmp_path,
        frames=None,
        name="plate",
        mattes=Exported(plan=PLAN),
        progress=Progress(),
    )

    assert transport.rules == rules
    for tool in ("nuke", "fusion"):
        if tool in (tools or ""):
            record = json.loads((tmp_path / f"plate_{tool}.record.json").read_text())
            (motion,) = [entry for entry in record["entries"] if entry["what"] == "motion"]
            # Made of the fit under its own curve: nothing had to be rewritten.
            assert motion["outcome"] == "kept"
            assert ("smooth curve" in motion["words"]) == (tool == "nuke")


@pytest.mark.parametrize("folder", ["/shots/%04d/out", "/shots/%d", "/a/####/b", "/views/%V", "/views/%v/x"])
def test_a_folder_in_which_nuke_would_fill_something_in_is_refused(folder: str) -> None:
    with pytest.raises(BadInputError, match="choose another folder, or leave nuke out"):
        check_folder(folder)


@pytest.mark.parametrize("folder", ["/shots/50%/out", "/shots/100% done", "/a/b"])
def test_a_percent_sign_that_means_nothing_to_nuke_is_one(folder: str) -> None:
    check_folder(folder)


@pytest.mark.parametrize(
    ("tools", "overlays", "told"),
    [
        ("nuke", (), ""),
        ("nuke,ae", (), "files for After Effects"),
        ("nuke", (Path("a.mp4"),), "the movie to look at"),
        (
            "ae,otio",
            (Path("a.mp4"),),
            "files for After Effects and files for OpenTimelineIO and the movie to look at",
        ),
    ],
)
def test_all_that_counts_on_a_rate_that_nobody_said_is_told_in_one_sentence(
    tools: str, overlays: tuple[Path, ...], told: str
) -> None:
    output = Output(
        Path("a"), MatteFormat.EXR_LAYERS, None, False, extraed(tools=tools), bool(overlays), Existing.KEEP
    )

    assert assuming_a_rate(output, overlays) == told
