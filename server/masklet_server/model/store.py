"""Where weights lie: the user's folder, and the model that comes with the package."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import platformdirs

from masklet.errors import WeightsError

FOLDER_SETTING: Final = "MASKLET_WEIGHTS"
"""Environment variable that names another folder."""

_SUFFIXES = (".safetensors", ".pt")
_PACKAGED_FOLDER = Path(__file__).parent.parent / "weights"


def weights_folder(folder: Path | None = None) -> Path:
    """The folder for weights: the one given, else the setting's, else the user's own."""
    if folder is not None:
        return folder
    setting = os.environ.get(FOLDER_SETTING)
    return Path(setting) if setting else platformdirs.user_data_path("masklet") / "weights"


def find_weights(name_or_path: str | Path, folder: Path | None = None) -> Path:
    """The file that a name stands for, or the file itself if a path was given.

    Raises:
        WeightsError: There is no such file.
    """
    path = Path(name_or_path)
    if path.suffix in _SUFFIXES and path.is_file():
        return path
    for place in (weights_folder(folder), _PACKAGED_FOLDER):
        for suffix in _SUFFIXES:
            candidate = place / f"{name_or_path}{suffix}"
            if candidate.is_file():
                return candidate
    raise WeightsError(
        f"there are no weights called {path.name}: masklet-server weights list shows those that are there, "
        "and weights pull fetches official ones"
    )
