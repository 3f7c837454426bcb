"""For all tests, before anything of theirs is imported."""

from __future__ import annotations

import os
from typing import Any

import pytest

# Tests run side by side, and so do the servers that they start. Threads of one process that wait for each
# other at every layer stand still while other processes have the cores: at a load of eight a test of ten
# seconds took five minutes.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Preparing OpenVINO takes a core for a minute, and a session may begin before or after that: its own tests
# ask for it.
os.environ.setdefault("MASKLET_RUNTIME", "torch")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Files to workers in a way that ends after a crash, where tests run side by side."""
    if config.getoption("dist") != "loadfile":
        return None
    from file_scheduling import FileScheduling

    return FileScheduling(config, log)
