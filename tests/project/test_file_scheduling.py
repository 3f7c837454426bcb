"""The suite ends, and names the test that ended a worker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
DIES = "import os\ndef test_dies(): os.kill(os.getpid(), 9)\ndef test_after_it(): pass\n"
PASSES = "def test_passes(): pass\n"


def test_a_worker_that_dies_costs_the_test_it_ran_and_the_suite_ends(tmp_path: Path) -> None:
    files = {"test_a.py": PASSES, "test_b.py": DIES, "test_c.py": PASSES, "test_d.py": PASSES}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "conftest.py").write_text((TESTS / "conftest.py").read_text(encoding="utf-8"))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "1", "--dist", "loadfile"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 1
    assert "crashed while running 'test_b.py::test_dies'" in done.stdout
    assert "1 failed, 4 passed" in done.stdout
