"""Configurations are checked before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from masklet.errors import BadInputError
from masklet_server.training.config import config_from_table, load_config

PHASE = {"until": 1.0, "frames": [3], "sides_px": [64]}


def _table(**values: Any) -> dict[str, Any]:
    return {"name": "test", "steps": 5, "phases": [PHASE], **values}


@pytest.mark.parametrize("preset", ["embedded", "proof", "trunks"])
def test_presets_are_valid(preset: str) -> None:
    assert load_config(preset).name == preset


def test_values_of_a_file_replace_defaults(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(
        'name = "own"\nsteps = 7\n[optimiser]\nrate = 1\n[network.trunk]\nkernel = 3\n'
        "[cast]\nleave_share = 0.5\nleaving_frames = [3, 8]\n"
        "[[phases]]\nuntil = 1.0\nframes = [2, 3]\nsides_px = [96]\n"
    )

    config = load_config(path)

    assert config.steps == 7
    assert config.optimiser.rate == 1.0
    assert config.cast.leave_share == 0.5
    assert config.cast.leaving_frames == (3, 8)
    assert config.network.trunk.kernel == 3  # type: ignore[union-attr]
    assert config.phases[0].frames == (2, 3)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"optimiser": {"speed": 1.0}}, "no setting 'speed'"),
        ({"minutes": 3.0}, "set one of them, not both"),
        ({"phases": [{**PHASE, "until": 0.5}]}, "the last one at 1"),
        ({"phases": [{**PHASE, "sides_px": [100]}]}, "multiples of 32"),
        ({"phases": [{**PHASE, "frames": [0]}]}, "one frame or more"),
        ({"phases": [{"until": 1.0}]}, "incomplete"),
        ({"network": {"preset": "sam3"}}, "no network 'sam3'"),
        ({"network": {"preset": "sam2.1_hiera_tiny", "trunk": {"kernel": 3}}}, "cannot be changed"),
        ({"optimiser": {"rate": "fast"}}, "wrong kind of value: 'fast'"),
        ({"optimiser": {"betas": 0.9}}, "is a list"),
        ({"cast": {"leaving_frames": 3.0}}, "is a list"),
        ({"cast": {"leaving_frames": [8.0, 3.0]}}, "the smaller one first"),
        ({"cast": {"leaving_frames": [0.0, 3.0]}}, "above 0"),
    ],
)
def test_what_is_wrong_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        config_from_table(_table(**values))


def test_a_missing_preset_is_answered_with_those_there_are() -> None:
    with pytest.raises(BadInputError, match="embedded"):
        load_config("embeded")
