from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fakes.prompted_server import PromptedServer
from fakes.transport import RUN
from masklet.client import Server
from masklet.delivery_note import note_path, read_note
from masklet.events import MatteFormat
from masklet.hosting.matte_folders import Delivered, Owner
from masklet.hosting.plate_files import PlateSource
from masklet.hosting.work import plate_work
from masklet.hosting.work.jobs import Job
from masklet.hosting.work.plate_events import PlateRequest, ResultCame, TrackRequest
from masklet.hosting.work.plate_session import PlateSession
from masklet.publish.collected import collect
from masklet.publish.shot_record import ShotRecord, read_record
from masklet.said.documents import SaidObject
from masklet.types import Click, FramePrompts, FrameRange

CLICK = Click(20.0, 18.0)
HERO = SaidObject("u1", "hero", (FramePrompts(0, 1001, (CLICK,)),))
HAT = SaidObject("u2", "hat", (FramePrompts(0, 1001, (CLICK,)),))


@pytest.fixture
def server() -> Server:
    return Server(PromptedServer())


@pytest.fixture
def plate(tmp_path: Path) -> PlateSource:
    (tmp_path / "plate.1001.png").write_bytes(b"picture")
    return PlateSource("plate", str(tmp_path / "plate.%04d.png"), 64, 36)


@pytest.fixture
def session(plate: PlateSource, server: Server) -> PlateSession:
    session = PlateSession(PlateRequest(plate, (HERO, HAT), "", "", 64))
    ran(lambda job: plate_work.track(session, job, server, TrackRequest()))
    return session


def ran(work: Callable[[Job], Iterator[object]]) -> list[object]:
    events: list[object] = []
    Job("Working", work, on_event=events.append).run_here()
    return events


def delivered(
    session: PlateSession,
    server: Server,
    folder: Path,
    *uids: str,
    matte_format: MatteFormat = MatteFormat.EXR_PER_OBJECT,
) -> Delivered:
    def work(job: Job) -> Iterator[object]:
        return plate_work.export(
            session,
            job,
            server,
            folder,
            owner=Owner("p1", ""),
            earlier=(),
            uids=uids,
            matte_format=matte_format,
            base_name="plate",
        )

    (value,) = (event.value for event in ran(work) if isinstance(event, ResultCame))
    assert isinstance(value, Delivered)
    return value


def record_in(folder: Path) -> ShotRecord:
    return read_record(folder / "plate.shot.json")


def test_mattes_of_a_host_lie_beside_the_record_and_the_note_of_their_run(
    session: PlateSession, server: Server, plate: PlateSource, tmp_path: Path
) -> None:
    folder = delivered(session, server, tmp_path / "mattes", "u1", "u2").folder

    record = record_in(folder)
    assert record.plate.path == plate.path
    assert record.run == RUN
    assert record.mattes.frames == FrameRange(1001, 1012)
    assert (record.mattes.matte_format, record.mattes.objects) == ("exr-per-object", ("hero", "hat"))
    assert record.shot.document == session.session.prompts()
    collected = collect(folder)
    assert [(part.files, len(part.paths)) for part in collected.parts] == [
        ("hat/plate_hat.%04d.exr", 12),
        ("hero/plate_hero.%04d.exr", 12),
        ("plate.shot.json", 1),
    ]
    assert all(run.complete for part in collected.parts for run in part.past.runs)


def test_mattes_that_are_got_one_object_at_a_time_are_told_of_together(
    session: PlateSession, server: Server, tmp_path: Path
) -> None:
    folder = tmp_path / "mattes"
    delivered(session, server, folder, "u1")
    assert record_in(folder).mattes.objects == ("hero",)

    assert delivered(session, server, folder, "u2").beside == ("u1",)
    assert record_in(folder).mattes.objects == ("hat", "hero")
    assert len(collect(folder).pictures) == 2


def test_mattes_of_another_format_stay_and_are_not_told_of(
    session: PlateSession, server: Server, tmp_path: Path
) -> None:
    folder = tmp_path / "mattes"
    delivered(session, server, folder, "u1")
    delivered(session, server, folder, "u2", matte_format=MatteFormat.PNG16)

    assert record_in(folder).mattes.objects == ("hat",)
    assert set(read_note(note_path(folder, "plate"))) == {"hat/plate_hat.%04d.png", "plate.shot.json"}
    assert len(list(folder.rglob("*.exr"))) == 12


def test_mattes_of_an_object_that_is_gone_are_not_told_of(
    session: PlateSession, server: Server, plate: PlateSource, tmp_path: Path
) -> None:
    folder = tmp_path / "mattes"
    delivered(session, server, folder, "u1", "u2")
    session.request = PlateRequest(plate, (HERO,), "", "", 64)
    delivered(session, server, folder, "u1")

    assert record_in(folder).mattes.objects == ("hero",)
    assert [part.files for part in collect(folder).pictures] == ["hero/plate_hero.%04d.exr"]


def test_a_record_that_somebody_changed_stands_in_no_hosts_way(
    session: PlateSession, server: Server, tmp_path: Path
) -> None:
    folder = tmp_path / "mattes"
    delivered(session, server, folder, "u1")
    (folder / "plate.shot.json").write_text("{}")
    delivered(session, server, folder, "u1")

    assert record_in(folder).mattes.objects == ("hero",)
    (own,) = (part for part in collect(folder).parts if not part.is_pictures)
    assert own.past.sha256


def test_a_run_of_the_command_line_keeps_its_note_and_record(
    session: PlateSession, server: Server, tmp_path: Path
) -> None:
    folder = tmp_path / "mattes"
    folder.mkdir()
    note_path(folder, "plate").write_text("of the command line")
    made = delivered(session, server, folder, "u1")

    assert made.folder == tmp_path / "mattes-2"
    assert [file.name for file in folder.iterdir()] == ["plate.masklet.json"]
