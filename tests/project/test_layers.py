"""Every folder of the code says what stands on what in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tomllib

ROOT = Path(__file__).parents[2]
GENERATED = {"masklet.v1"}


def contracts() -> list[dict[str, Any]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    assert not settings.get("exclude_type_checking_imports", False)
    found: list[dict[str, Any]] = settings["contracts"]
    return found


def packages() -> set[str]:
    """Folders with modules that could stand on each other."""
    found = set()
    for root in (ROOT / "core", ROOT / "server", *sorted((ROOT / "hosts").iterdir())):
        for marker in root.glob("masklet*/**/__init__.py"):
            folder = marker.parent
            parts = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
            parts += [path for path in folder.iterdir() if (path / "__init__.py").exists()]
            if len(parts) > 1:
                found.add(".".join(folder.relative_to(root).parts))
    return found


def test_every_folder_has_layers_in_which_each_of_its_modules_is_named() -> None:
    layered = {
        container
        for contract in contracts()
        if contract["type"] == "layers" and contract.get("exhaustive")
        for container in contract.get("containers", ())
    }
    assert packages() - GENERATED <= layered, sorted(packages() - GENERATED - layered)
