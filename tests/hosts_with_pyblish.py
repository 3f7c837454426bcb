"""What tests with pyblish share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol


class RunWithPyblish(Protocol):
    """Runs a script in the Python with pyblish and returns the JSON of its last line."""

    def __call__(
        self, script: Path, *arguments: str | Path, environment: Mapping[str, str] | None = None
    ) -> dict[str, Any]: ...
