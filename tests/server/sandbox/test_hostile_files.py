"""Whatever a file makes of the process that reads it, that process can do no harm, and others go on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fakes.hostile_nursery import ALONE, HARM, frame_of
from generated_media import scene, write_picture
from masklet.clip_reading import AS_FILES_SAY
from masklet.errors import ClipError, DeviceError, FrameMissingError, MaskletError
from masklet_server.fence import Fence
from masklet_server.media.limits import Limits
from masklet_server.sandbox.clip import SandboxedClip
from masklet_server.sandbox.confinement import Bounds
from masklet_server.sandbox.decoders import Decoders
from masklet_server.sandbox.opening import Opening
from processes import is_running

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="decoders are confined on Linux")

BOUNDS = Bounds(memory_bytes=512 << 20, answer_s=0.7)


@dataclass
class Plate:
    folder: Path
    decoders: Decoders

    def open(self) -> SandboxedClip:
        return SandboxedClip(
            Opening(self.folder / "plate.%04d.png", Fence.around([self.folder]), Limits(), AS_FILES_SAY),
            self.decoders,
            BOUNDS,
        )


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plate]:
    folder = tmp_path_factory.mktemp("plate")
    for frame in (1, ALONE, ALONE + 1, *HARM):
        write_picture(folder / f"plate.{frame:04d}.png", scene(frame=frame))
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(Path(__file__).parents[2]), before)))
    decoders = Decoders(nursery="fakes.hostile_nursery")
    try:
        yield Plate(folder, decoders)
    finally:
        decoders.close()
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def told(clip: SandboxedClip, harm: str) -> str:
    return told_of(clip, frame_of(harm))


def told_of(clip: SandboxedClip, frame: int) -> str:
    with pytest.raises(MaskletError) as caught:
        clip.read(frame)
    return str(caught.value)


@pytest.mark.parametrize(
    ("harm", "refused"),
    [
        *[(harm, "EPERM") for harm in ("connect", "send_udp", "unix_socket", "execute", "fork")],
        *[(harm, "EACCES") for harm in ("read_outside", "read_memory_of_the_server", "list_outside")],
        *[(harm, "EACCES") for harm in ("write_inside",)],
        *[(harm, "EPERM") for harm in ("remove_inside", "kill_parent", "trace_parent")],
        ("thread", "threads are allowed"),
    ],
)
def test_what_a_decoder_may_not_do_is_refused_by_the_system(hostile: Plate, harm: str, refused: str) -> None:
    with hostile.open() as clip:
        assert told(clip, harm) == f"_{harm}: {refused}"
        assert clip.read(1).shape == (64, 96, 3)
    assert sorted(hostile.folder.iterdir())[0].name == "plate.0001.png"
    assert not (hostile.folder / "written").exists()


def test_a_decoder_cannot_give_itself_more(hostile: Plate) -> None:
    with hostile.open() as clip, pytest.raises(RuntimeError, match=r"not allowed to raise|Operation not"):
        clip.read(frame_of("raise_limits"))


def test_a_picture_that_takes_too_much_memory_is_refused_and_the_next_is_read(hostile: Plate) -> None:
    with hostile.open() as clip:
        assert "takes more than the 0.5 GiB of memory" in told(clip, "allocate")
        assert clip.read(1).shape == (64, 96, 3)


def test_a_picture_that_never_ends_costs_its_own_call_alone(hostile: Plate) -> None:
    with hostile.open() as clip, hostile.open() as other:
        process = clip._decoder.process if clip._decoder else 0
        started_s = time.perf_counter()
        assert "could not be decoded within" in told(clip, "hang")
        assert time.perf_counter() - started_s < 3.0
        assert gone(process)
        assert other.read(1).shape == clip.read(1).shape
        assert frame_of("hang") in clip.info.missing


def gone(process: int, *, within_s: float = 5.0) -> bool:
    deadline_s = time.perf_counter() + within_s
    while is_running(process) and time.perf_counter() < deadline_s:
        time.sleep(0.02)
    return not is_running(process)


def test_a_picture_that_nobody_has_asked_for_yet_does_no_harm(hostile: Plate) -> None:
    with hostile.open() as clip:
        # The decoder goes on to the one that never ends.
        clip.read(ALONE)
        clip.read(ALONE + 1)
        assert clip.read(1).shape == (64, 96, 3)
        assert ALONE + 2 not in clip.info.missing
        clip.read(ALONE)
        clip.read(ALONE + 1)
        assert clip._decoder is not None
        # It ends by itself, though nobody asks any more.
        assert gone(clip._decoder.process)
        assert "could not be decoded within" in told_of(clip, ALONE + 2)
        assert clip.read(ALONE).shape == (64, 96, 3)


def test_a_disk_that_does_not_answer_leaves_the_frame_in_the_clip(hostile: Plate) -> None:
    with hostile.open() as clip:
        assert "disk has not answered" in told(clip, "sleep")
        assert frame_of("sleep") not in clip.info.missing


@pytest.mark.parametrize("harm", ["die", "abort", "talk_nonsense", "promise_too_much", "lie_deeply"])
def test_a_picture_that_ends_its_decoder_twice_is_left_out_with_a_sentence(hostile: Plate, harm: str) -> None:
    with hostile.open() as clip:
        assert "ended the process that reads it, twice" in told(clip, harm)
        assert clip.read(1).shape == (64, 96, 3)
        with pytest.raises(FrameMissingError, match="twice"):
            clip.read(frame_of(harm))


def test_a_decoder_that_ends_once_is_replaced_and_nobody_notices(hostile: Plate) -> None:
    # A nursery of its own: harm is done by its first decoder alone.
    decoders = Decoders(nursery="fakes.hostile_nursery")
    try:
        with Plate(hostile.folder, decoders).open() as clip:
            assert clip.read(frame_of("die_once")).shape == (64, 96, 3)
    finally:
        decoders.close()


def test_a_server_that_is_killed_leaves_no_decoder_behind(hostile: Plate) -> None:
    decoders = Decoders(nursery="fakes.hostile_nursery")
    clip = Plate(hostile.folder, decoders).open()
    assert clip._decoder is not None
    process = clip._decoder.process
    decoders.close()
    assert gone(process)
    # The clip finds others.
    assert clip.read(1).shape == (64, 96, 3)
    clip.close()
    decoders.close()


def test_a_clip_that_changed_meanwhile_is_not_taken_for_the_same(tmp_path: Path, hostile: Plate) -> None:
    write_picture(tmp_path / "plate.0001.png", scene())
    with Plate(tmp_path, hostile.decoders).open() as clip:
        clip.close()
        write_picture(tmp_path / "plate.0001.png", scene(48, 32))
        with pytest.raises(ClipError, match="has changed since it was opened"):
            clip.read(1)


def test_a_machine_without_room_for_a_process_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **words: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", full)
    with pytest.raises(DeviceError, match="cannot start a process to read pictures in: try again"):
        Decoders().hatch()
