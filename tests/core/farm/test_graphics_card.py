"""A worker that has not the graphics card a job asks for says so by itself."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fakes.farm_shots import write_document, write_plate
from masklet.errors import BadInputError
from masklet.farm import performing
from masklet.farm.graphics_card import check_gpu, check_on_gpu
from masklet.farm.performing import perform
from masklet.farm.request import FarmRequest
from masklet.farm.submitting import submit
from masklet.farm.task import find_task
from masklet.farm.task_states import TaskPhase, read_state

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-in is a script with a first line")


def _cards(folder: Path, monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """A stand-in for ``nvidia-smi``: it answers the one question with what two real cards answer."""
    program = folder / "nvidia-smi"
    program.write_text(
        f"#!{sys.executable}\nimport sys\n"
        "if sys.argv[1:] != ['--query-gpu=index,uuid,memory.total', '--format=csv,noheader,nounits']:\n"
        "    sys.exit(2)\n"
        f"print({chr(10).join(lines)!r})\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


_SMALL = "0, GPU-1111aaaa-0000, 8188"
_LARGE = "1, GPU-2222bbbb-0000, 24564"


def test_a_card_that_is_large_enough_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _cards(tmp_path, monkeypatch, _SMALL, _LARGE)
    check_gpu(24)
    check_on_gpu(24, "cuda:0")
    # A job that asks for none asks no program.
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    check_gpu(0)
    check_on_gpu(0, "cpu")


@pytest.mark.parametrize("visible", ["0", "GPU-1111", " 0 "])
def test_only_cards_that_the_engine_gave_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visible: str
) -> None:
    _cards(tmp_path, monkeypatch, _SMALL, _LARGE)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    check_gpu(8)
    with pytest.raises(BadInputError, match=r"with 24 GiB and this machine's has 8\.0: let it run on"):
        check_gpu(24)


@pytest.mark.parametrize("visible", ["", "-1"])
def test_a_worker_that_was_given_no_card_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visible: str
) -> None:
    _cards(tmp_path, monkeypatch, _LARGE)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with pytest.raises(BadInputError, match="this worker was given none"):
        check_gpu(8)


def test_a_driver_that_answers_nonsense_is_no_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _cards(tmp_path, monkeypatch, "NVIDIA-SMI has failed because it couldn't communicate with the driver")
    with pytest.raises(BadInputError, match="this machine has none: let it run on workers with one"):
        check_gpu(8)


def test_a_server_that_cannot_use_the_card_is_not_taken_for_one_that_does() -> None:
    with pytest.raises(BadInputError, match=r"server runs on cpu: run masklet-server doctor there"):
        check_on_gpu(8, "cpu")


@pytest.mark.parametrize("cards", [(), (_LARGE,)])
def test_a_task_looks_for_itself_and_its_state_says_what_is_wrong(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    cards: tuple[str, ...],
) -> None:
    _cards(tmp_path, monkeypatch, *cards)
    plate = write_plate(tmp_path / "plates")
    document = write_document(tmp_path / "shot.masklet.json", str(plate))
    bundle = submit([document], FarmRequest(gpu_memory_gib=16), tmp_path / "job").bundle
    # The session's server is there, and runs on processors.
    on_processors: Any = SimpleNamespace(info=lambda: SimpleNamespace(device="cpu"))
    monkeypatch.setattr(performing, "connect_to_kept", lambda: on_processors)
    task = find_task(bundle, bundle / "out", "shot", "track", 1)
    with pytest.raises(BadInputError, match="asks for a graphics card with 16 GiB"):
        perform(task)
    state = read_state(task.places.states, "shot", "track", 1)
    assert state.phase is TaskPhase.FAILED
    assert ("this machine has none" if not cards else "server runs on cpu") in state.words
    assert f"openjd_fail: {state.words}" in capsys.readouterr().out
