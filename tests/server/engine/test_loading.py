from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fakes.tracking import TINY, DiscClip, Shelf
from masklet.errors import BadInputError, WeightsError
from masklet.types import Click, FramePrompts
from masklet_server.engine import load_tracker_factory, quality
from masklet_server.model.checkpoint import save_network
from masklet_server.model.network import build_network


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "small.safetensors"
    save_network(build_network(TINY), path, licence="CC0-1.0")
    return path


def test_weights_give_trackers_and_say_what_they_are(weights: Path) -> None:
    make_tracker, info = load_tracker_factory(str(weights), device="cpu")

    tracker = make_tracker(DiscClip(), Shelf())
    result = tracker.prompt(FramePrompts(1, 1001, clicks=(Click(20.0, 27.0),)))

    assert (info.name, info.licence, info.size_bytes) == ("small", "CC0-1.0", weights.stat().st_size)
    assert result.logits.shape == (16, 16)


def test_trackers_of_one_factory_share_nothing_but_the_network(weights: Path) -> None:
    make_tracker, _ = load_tracker_factory(str(weights), device="cpu")
    one, other = make_tracker(DiscClip(), Shelf()), make_tracker(DiscClip(), Shelf())

    one.prompt(FramePrompts(1, 1001, clicks=(Click(20.0, 27.0),)))

    assert one.memory_bytes > 0
    assert other.memory_bytes == 0


@pytest.mark.parametrize(
    ("device", "profile", "message"),
    [
        ("abacus", "editor", "abacus is no device"),
        ("cuda:99", "editor", "there is no cuda:99 here"),
        ("meta", "editor", "does not run on meta"),
        ("cpu", "fastest", "there is no profile fastest"),
    ],
)
def test_unknown_devices_and_profiles_are_named(
    weights: Path, device: str, profile: str, message: str
) -> None:
    with pytest.raises(BadInputError, match=message):
        load_tracker_factory(str(weights), device, profile)


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="nowhere"):
        load_tracker_factory(str(tmp_path / "nowhere.safetensors"), "cpu")


def test_importing_the_engine_does_not_import_torch() -> None:
    code = "import sys, masklet_server.engine; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_quality_is_a_side_of_the_networks_square(monkeypatch: pytest.MonkeyPatch, weights: Path) -> None:
    monkeypatch.setattr(
        quality, "SIDES_PX", {TINY.name: {quality.Quality.FAST: 32, quality.Quality.BEST: 128}}
    )
    sides = {}
    for word in ("own", "fast", "best"):
        make_tracker, _ = load_tracker_factory(str(weights), device="cpu", quality=word)
        result = make_tracker(DiscClip(), Shelf()).prompt(FramePrompts(1, 1001, clicks=(Click(20.0, 27.0),)))
        sides[word] = result.logits.shape[0]

    assert sides == {"own": 16, "fast": 8, "best": 32}


def test_qualities_are_named_where_there_is_no_such(weights: Path) -> None:
    with pytest.raises(BadInputError, match="own, fast, balanced, best"):
        load_tracker_factory(str(weights), device="cpu", quality="superb")
    with pytest.raises(BadInputError, match="leave quality out"):
        load_tracker_factory(str(weights), device="cpu", quality="fast", runtime="openvino")


def test_every_preset_has_three_qualities() -> None:
    for name, sides in quality.SIDES_PX.items():
        assert sorted(sides.values()) == list(sides.values()), name
        assert all(side % 32 == 0 for side in sides.values())
