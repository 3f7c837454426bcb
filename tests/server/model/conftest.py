"""Reference outputs of the official code, and small networks."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from masklet_server.model.config import PRESETS
from masklet_server.model.network import Network, build_network

_REFERENCE = Path(__file__).parents[3].parent / "shared" / "reference"


@dataclass(frozen=True, eq=False)
class ReferenceCase:
    """One preset with the stand-in weights and frames of its golden file."""

    network: Network
    frames: torch.Tensor
    golden: dict[str, NDArray[np.float32]]


class Reference:
    """Makes the cases; those used often are kept, large ones live as long as their test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "golden"
        self._synthetic = _load(folder / "synthetic_case.py")
        self._kept: dict[str, ReferenceCase] = {}

    def case(self, name: str) -> ReferenceCase:
        if name in self._kept:
            return self._kept[name]
        with torch.device("meta"):  # no time lost on random weights that are replaced at once
            network = build_network(PRESETS[name]).eval().requires_grad_(False)
        network.load_state_dict(self.state(name), strict=True, assign=True)
        with np.load(self._folder / f"{name}.seed0.size256.npz") as golden:
            case = ReferenceCase(network, self._synthetic.synthetic_frames(12, 256, 0), dict(golden))
        if name.endswith("tiny"):
            self._kept[name] = case
        return case

    def state(self, name: str) -> dict[str, torch.Tensor]:
        shapes = json.loads((self._folder / f"{name}.keys.json").read_text())
        state: dict[str, torch.Tensor] = self._synthetic.synthetic_state_dict(shapes, 0)
        return state


@pytest.fixture(scope="session")
def reference() -> Reference:
    if not _REFERENCE.is_dir():
        pytest.skip("the reference outputs are not beside the project")
    return Reference(_REFERENCE)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tests share few cores; torch would start a thread for each."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
