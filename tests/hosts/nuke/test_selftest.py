"""The self-test for the real Nuke, on the stand-in: it finds nothing wrong, and finds what is wrong."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from fakes.nuke import FakeNuke, rotopaint
from fakes.nuke.nodes import FakeFormat, FakeNode
from masklet.interpolation import Interpolation
from masklet_nuke import example, selftest
from masklet_nuke.selftest import Check, check_all, table


@pytest.fixture
def nuke(monkeypatch: pytest.MonkeyPatch) -> FakeNuke:
    """A Nuke that reads the example at its size, and draws no pictures."""
    picture = FakeFormat(example.WIDTH_PX, example.HEIGHT_PX)
    plain = FakeNode.format
    monkeypatch.setattr(FakeNode, "format", lambda self: picture if self.kind == "Read" else plain(self))
    return FakeNuke(gui=False, major=15)


def by_what(checks: list[Check]) -> dict[str, Check]:
    return {check.what: check for check in checks}


def test_every_result_is_built_and_read_back(nuke: FakeNuke, tmp_path: Path) -> None:
    checks = check_all(nuke, rotopaint, tmp_path)

    assert [check for check in checks if check.verdict == "wrong"] == []
    # The stand-in renders nothing.
    assert [check.what for check in checks if check.verdict == "not done"] == ["Roto, rendered between keys"]
    assert len(table(checks).splitlines()) == len(checks) >= 15


def test_a_nuke_that_draws_straight_between_keys_is_found(
    nuke: FakeNuke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotopaint.AnimControlPoint, "rule", Interpolation.LINEAR)

    found = by_what(check_all(nuke, rotopaint, tmp_path))

    assert found["Roto, read back between keys"].verdict == "wrong"
    assert "drawn otherwise between keys" in found["Roto, read back between keys"].told
    assert found["Transform"].verdict == "good"


def test_a_nuke_that_renders_frames_without_a_matte_is_found(
    nuke: FakeNuke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeNuke, "_check_reads", lambda *args: None)

    found = by_what(check_all(nuke, rotopaint, tmp_path))

    assert found["a missing matte is an error"].told == "Nuke rendered a frame without a matte"


def test_only_what_lies_beside_masklet_was_brought_by_it(
    nuke: FakeNuke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder's name says nothing: a checkout is called masklet, and so may be a studio's environment."""
    import masklet

    def told_of_grpc_in(folder: Path) -> Check:
        grpc = types.ModuleType("grpc")
        grpc.__file__ = str(folder / "grpc/__init__.py")
        monkeypatch.setitem(sys.modules, "grpc", grpc)
        return by_what(check_all(nuke, rotopaint, tmp_path))["Python beside masklet"]

    assert told_of_grpc_in(tmp_path / "masklet/site-packages").verdict == "good"
    brought = told_of_grpc_in(Path(masklet.__file__).parents[1])
    assert (brought.verdict, brought.told) == ("wrong", "masklet brought grpc")


def test_a_nuke_without_cryptomatte_goes_on(
    nuke: FakeNuke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fakes.nuke import application

    monkeypatch.setattr(
        application,
        "CLASSES",
        {name: knobs for name, knobs in application.CLASSES.items() if name != "Cryptomatte"},
    )

    found = by_what(check_all(nuke, rotopaint, tmp_path))

    assert found["Cryptomatte"].verdict == "not done"
    assert found["Backdrop, and nothing twice"].verdict == "good"


def test_a_roto_that_is_rendered_is_measured(
    nuke: FakeNuke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures as Nuke would draw them are taken; those that lie beside are not."""
    import numpy as np

    from fakes.exchange_scenes import draw_paths, true_paths
    from masklet.mask import Mask

    beside = [0.0]

    def drawn(nuke: object, node: object, frame: int, shown: object) -> Mask:
        # Sixteen times as large, for the soft edges that Nuke draws.
        path = [
            tuple(16 * number for number in vertex) for vertex in true_paths(example.shapes(), frame)[0][1]
        ]
        width_px, height_px = example.WIDTH_PX, example.HEIGHT_PX
        fine = draw_paths([(False, path)], width_px=16 * width_px, height_px=16 * height_px)  # type: ignore[list-item]
        soft = fine.reshape(height_px, 16, width_px, 16).mean((1, 3))
        return Mask.from_array(np.roll(soft, int(beside[0]), 1).astype(np.float32))

    monkeypatch.setattr(selftest, "alpha_of", drawn)
    found = by_what(check_all(nuke, rotopaint, tmp_path))
    assert found["Roto, rendered between keys"].verdict == "good"

    beside[0] = 2.0
    found = by_what(check_all(FakeNuke(gui=False), rotopaint, tmp_path))
    assert "2.0" in found["Roto, rendered between keys"].told
    assert found["Roto, rendered between keys"].verdict == "wrong"
