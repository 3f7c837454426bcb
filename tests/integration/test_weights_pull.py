"""A host's button for better weights, down to the bytes: another process, a proxy, a stop in the middle."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from fakes.weights_site import weights_site
from masklet.better_weights import RECOMMENDED
from masklet.hosting.work.weights_pull import PullProgress, WeightsPull
from masklet_server.model.config import EMBEDDED
from masklet_server.model.store import find_weights

NOWHERE = "http://weights.example.invalid"
_MIB = 1 << 20


def until(pull: WeightsPull, holds: Callable[[PullProgress], bool]) -> PullProgress:
    end_s = time.monotonic() + 120
    while not holds(pull.progress):
        assert time.monotonic() < end_s, pull.progress
        time.sleep(0.02)
    return pull.progress


def test_a_stopped_button_goes_on_through_the_proxy_and_the_weights_can_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = io.BytesIO()
    # Stands in for the official file, which has 156 MB: other weights of the family, in the same form.
    torch.save({"model": load_file(find_weights(EMBEDDED.name))}, checkpoint)
    for name in ("no_proxy", "NO_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with weights_site() as proxy:
        proxy.content = checkpoint.getvalue()
        assert len(proxy.content) > 3 * _MIB
        proxy.hold_after_bytes = [2 * _MIB + 1]
        monkeypatch.setenv("http_proxy", proxy.address)
        words = ("--folder", str(tmp_path), "--address", NOWHERE)
        pull = WeightsPull(Path(sys.executable), more=words)

        pull.start()
        seen = until(pull, lambda now: now.done_bytes >= 2 * _MIB or not now.is_running)
        assert seen == PullProgress(2 * _MIB, len(proxy.content), is_running=True)
        pull.cancel()
        stopped = until(pull, lambda now: not now.is_running)
        assert (stopped.problem, stopped.is_done) == ("", False)
        pull.start()
        done = until(pull, lambda now: not now.is_running)

        assert done == PullProgress(len(proxy.content), len(proxy.content), is_done=True)
        whole = f"{NOWHERE}/092824/{RECOMMENDED}.pt"
        assert proxy.requests == [(whole, None), (whole, f"bytes={2 * _MIB}-")]
    assert find_weights(RECOMMENDED, tmp_path).read_bytes() == checkpoint.getvalue()
