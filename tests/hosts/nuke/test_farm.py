"""A render reads mattes from disk: no server, no black, a sentence and an error for what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.nuke import FakeNuke
from fakes.nuke.nodes import FakeNode
from masklet_nuke.farm import MissingMatteError
from masklet_nuke.inside import Mattes, show_mattes
from masklet_nuke.masklet_node import make_node
from masklet_nuke.registration import start
from nuke_scripts import new_read


class Farm:
    """``nuke -x``: a script with mattes on disk, a Write below, and no window."""

    def __init__(self, files: Path, mattes: Path, *, shift: int = 0) -> None:
        self.nuke = FakeNuke(gui=False)
        self.read = new_read(self.nuke, files)
        if shift:
            self.read["frame_mode"].setValue("offset")
            self.read["frame"].setValue(str(shift))
        self.node: FakeNode = make_node(self.nuke)  # type: ignore[assignment]
        self.node.setInput(0, self.read)
        for frame in range(1001, 1013):
            (mattes / f"hero.{frame}.exr").write_bytes(b"matte")
        self.mattes = Mattes("hero", (mattes / "hero.%04d.exr").as_posix(), 1001, 1012, shift)
        self.write = self.nuke.nodes.Write(inputs=[self.node])

    def show(self) -> None:
        show_mattes(self.nuke, self.node, {"u1": self.mattes})  # type: ignore[arg-type]


@pytest.fixture
def mattes(tmp_path: Path) -> Path:
    folder = tmp_path / "mattes"
    folder.mkdir()
    return folder


def test_a_render_reads_the_mattes_and_asks_nobody(
    files: Path, mattes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from masklet_nuke import runtime

    def refuse(*args: object) -> None:
        raise AssertionError("a farm render makes no connection")

    monkeypatch.setattr(runtime, "Runtime", refuse)
    farm = Farm(files, mattes)
    farm.show()
    start(farm.nuke)

    farm.nuke.execute(farm.write, 1001, 1012)

    assert farm.nuke.printed == []
    assert set(farm.nuke.callbacks) == {"beforeFrameRender"}


@pytest.mark.parametrize("with_masklet", [True, False])
def test_a_missing_matte_ends_the_render_with_masklet_and_without_it(
    files: Path, mattes: Path, with_masklet: bool
) -> None:
    farm = Farm(files, mattes)
    farm.show()
    if with_masklet:
        start(farm.nuke)
    (mattes / "hero.1007.exr").unlink()

    with pytest.raises(RuntimeError, match=r"hero\.1007\.exr"):
        farm.nuke.execute(farm.write, 1001, 1012)

    assert farm.nuke.current_frame == 1007
    if with_masklet:
        assert farm.nuke.printed[0].startswith("masklet: Masklet1 has no matte of hero on frame 1007")


@pytest.mark.parametrize("with_masklet", [True, False])
def test_beyond_the_mattes_no_neighbour_is_held(files: Path, mattes: Path, with_masklet: bool) -> None:
    farm = Farm(files, mattes)
    farm.show()
    if with_masklet:
        start(farm.nuke)

    with pytest.raises(RuntimeError, match=r"hero\.1013\.exr"):
        farm.nuke.execute(farm.write, 1012, 1014)


def test_frames_of_the_script_find_the_pictures_own_numbers(files: Path, mattes: Path) -> None:
    farm = Farm(files, mattes, shift=-1000)
    farm.show()
    start(farm.nuke)
    farm.nuke.execute(farm.write, 1, 12)

    later = farm.nuke.nodes.TimeOffset(inputs=[farm.node], time_offset=50)
    farm.write.setInput(0, later)
    (mattes / "hero.1003.exr").unlink()
    farm.nuke.current_frame = 53

    with pytest.raises(MissingMatteError, match="on frame 3 "):
        farm.nuke.call_back("beforeFrameRender", farm.write)


def test_a_node_without_mattes_says_what_to_do(files: Path, mattes: Path) -> None:
    farm = Farm(files, mattes)
    start(farm.nuke)

    with pytest.raises(MissingMatteError, match=r"Masklet1 has no mattes yet: .* press Get Mattes"):
        farm.nuke.execute(farm.write, 1001, 1001)


def test_other_writes_render_as_ever(files: Path, mattes: Path) -> None:
    farm = Farm(files, mattes)
    start(farm.nuke)
    farm.write.setInput(0, farm.read)

    farm.nuke.execute(farm.write, 1001, 1012)
