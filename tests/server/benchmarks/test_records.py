"""A record says with what it was measured."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[3] / "server" / "benchmarks"
WEIGHTS = BENCHMARKS.parent / "masklet_server/weights/masklet_embedded.safetensors"


@pytest.fixture
def records() -> ModuleType:
    specification = importlib.util.spec_from_file_location("records", BENCHMARKS / "records.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_first_line_names_commit_weights_and_sequences(
    records: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    records.begin(
        "bench_x", weights="masklet_embedded", footage="davis_dev", sequences=["bear", "bus"], steps=3
    )

    line = json.loads(capsys.readouterr().out)
    assert line["record"] == "bench_x"
    assert line["weights_sha256"] == hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()
    assert (line["weights"], line["footage"], line["sequences"]) == (
        "masklet_embedded",
        "davis_dev",
        ["bear", "bus"],
    )
    assert line["steps"] == 3
    assert {"date", "commit", "machine", "threads", "versions"} <= line.keys()
    assert line["versions"].keys() >= {"python", "torch", "numpy"}


def test_a_tree_with_changes_is_not_called_its_commit(
    records: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*words: str) -> str:
        name = ("-c", "user.name=a", "-c", "user.email=a@b")
        done = subprocess.run(
            ["git", *name, *words], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    monkeypatch.setattr(records, "ROOT", tmp_path)
    assert records.commit() == ""
    git("init", "-q")
    (tmp_path / "file").write_text("one")
    git("add", "file")
    git("commit", "-qm", "one")
    assert records.commit() == git("rev-parse", "--short=12", "HEAD")
    (tmp_path / "file").write_text("two")
    assert records.commit().endswith("+changes")


@pytest.mark.parametrize("file", sorted(BENCHMARKS.glob("bench_*.py")), ids=lambda file: file.stem)
def test_every_benchmark_begins_its_record_in_the_one_place(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    if "ArgumentParser(" not in text and "def main" not in text:
        return  # cases of another
    begins = re.search(r'begin\(\s*"(\w+)"', text)

    assert "print(json.dumps" not in text
    if file.stem in ("bench_trunks", "bench_anchors"):
        # One appends to what is there, the other writes a table for people.
        assert "from records import" in text
        return
    assert begins is not None
    assert begins[1] == file.stem
