"""A folder as a run leaves it: small mattes with headers, note, record, a script for Nuke, and a plate."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from fakes.small_exr import write_exr
from masklet.deliveries import Delivery, Existing, ExportPlan, RunMark
from masklet.delivery_folder import DeliveryFolder
from masklet.prompts import PlateShape, Shot
from masklet.prompts_digest import prompts_sha256
from masklet.publish.shot_record import (
    MatteRequest,
    ObjectStates,
    PlateRecord,
    ShotRecord,
    record_name,
    write_record,
)
from masklet.types import Click, FramePrompts, FrameRange, FrameState, ObjectInfo, PromptDocument

WIDTH_PX, HEIGHT_PX = 16, 8
FRAMES = FrameRange(1001, 1005)
PRESENT = frozenset({FrameState.PRESENT})
UNCERTAIN = frozenset({FrameState.UNCERTAIN})


@dataclass(frozen=True)
class ShotOnDisk:
    """Where everything lies."""

    plate: Path
    mattes: Path

    def matte(self, frame: int) -> Path:
        """The matte of a frame."""
        return self.mattes / f"shot_mattes.{frame:04d}.exr"

    @property
    def script(self) -> Path:
        """For Nuke."""
        return self.mattes / "shot.nk"


def document() -> PromptDocument:
    """One object, one click."""
    return PromptDocument(
        (ObjectInfo(1, "hero", (1001,)),), (FramePrompts(1, 1001, (Click(4.0, 4.0),)),), (), (), ()
    )


def write_matte(path: Path, run: RunMark, **other: object) -> None:
    """One matte with the headers of a run."""
    words = {
        "masklet/promptsSha256": run.prompts_sha256,
        "masklet/weightsSha256": run.weights_sha256,
        "masklet/settings": run.settings,
        "colorInteropID": "data",
    }
    given = {"width_px": WIDTH_PX, "height_px": HEIGHT_PX, "layers": ["hero"], "words": words, **other}
    write_exr(path, **given)  # type: ignore[arg-type]


def run_of(prompts: PromptDocument) -> RunMark:
    """The mark of a run with these prompts."""
    return RunMark(prompts_sha256(prompts), "tiny", "0" * 64, '{"profile": "editor"}')


def make_shot(
    folder: Path,
    *,
    states: tuple[ObjectStates, ...] = (ObjectStates("hero", FRAMES, PRESENT),),
    holes: tuple[dict[str, object], ...] = (),
    frames_written: tuple[int, ...] = (1001, 1002, 1003, 1004, 1005),
    mattes: str = "mattes",
) -> ShotOnDisk:
    """Write all of it below a folder; the plate is an hour older than the mattes."""
    plate = folder / "plate"
    plate.mkdir(parents=True)
    for frame in range(FRAMES.first, FRAMES.last + 1):
        picture = plate / f"plate.{frame:04d}.exr"
        write_exr(picture, width_px=WIDTH_PX, height_px=HEIGHT_PX, layers=["rgba"], words={})
        earlier = picture.stat().st_mtime - 3600
        os.utime(picture, (earlier, earlier))
    shot = ShotOnDisk(plate, folder / mattes)
    shot.mattes.mkdir()
    said = document()
    run = run_of(said)
    names = ("shot_mattes.%04d.exr", "shot.nk", record_name("shot"))
    plan = ExportPlan(
        "shot",
        run,
        (
            Delivery(names[0], "exr", ("hero",), WIDTH_PX, HEIGHT_PX, FRAMES),
            Delivery(names[1], "nuke", ("hero",), 0, 0, FRAMES),
            Delivery(names[2], "record", ("hero",), 0, 0, FRAMES),
        ),
    )
    place = DeliveryFolder(shot.mattes, plan, Existing.KEEP)
    for frame in frames_written:
        place.about_to_write(shot.matte(frame).name)
        write_matte(shot.matte(frame), run)
        place.wrote(shot.matte(frame).name, "")
    place.about_to_write(names[1])
    text = f'Read {{\n file "{shot.mattes.as_posix()}/shot_mattes.%04d.exr"\n raw true\n}}\n'.encode()
    shot.script.write_bytes(text)
    place.wrote(names[1], hashlib.sha256(text).hexdigest())
    record = ShotRecord(
        PlateRecord(
            "plate.%04d.exr",
            (plate / "plate.%04d.exr").as_posix(),
            WIDTH_PX,
            HEIGHT_PX,
            FRAMES,
            colour_space="ACEScg",
        ),
        MatteRequest(FRAMES),
        run,
        Shot("plate.%04d.exr", said, FRAMES, plate=PlateShape(WIDTH_PX, HEIGHT_PX, FRAMES)),
        states=states,
        holes=holes,
    )
    place.about_to_write(names[2])
    data = write_record(shot.mattes / names[2], record)
    place.wrote(names[2], hashlib.sha256(data).hexdigest())
    place.finish()
    return shot
