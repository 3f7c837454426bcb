"""Hosts that installers/host_environments.py installed, and what becomes of a test where one is absent."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[1]
REQUIRED_VARIABLE = "MASKLET_REQUIRE_HOSTS"
"""Names the hosts whose absence fails a test instead of skipping it: ``4.2 5.2 qt-3.10``."""


def load_installer(name: str) -> ModuleType:
    """A module of the folder ``installers``, which is no package."""
    key = f"installers_{name}"
    if key not in sys.modules:
        folder = ROOT / "installers"
        # Last, for what installers import from each other: one of them has the name of a package.
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
        specification = importlib.util.spec_from_file_location(key, folder / f"{name}.py")
        assert specification is not None
        assert specification.loader is not None
        module = importlib.util.module_from_spec(specification)
        # Dataclasses look their module up while they are made.
        sys.modules[key] = module
        specification.loader.exec_module(module)
    return sys.modules[key]


def absent(what: str, command: str, key: str) -> NoReturn:
    """Skip a test whose host is not installed, or fail it where the host is required.

    Args:
        what: The host, for people.
        command: That installs it.
        key: Its name in :data:`REQUIRED_VARIABLE`.
    """
    sentence = f"{what} is not installed: {command}"
    if key in os.environ.get(REQUIRED_VARIABLE, "").split():
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)
