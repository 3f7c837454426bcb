"""OpenVINO as masklet uses it: nothing is reported to its makers."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from typing import Any


def is_installed() -> bool:
    """Whether OpenVINO is there; it is not imported."""
    try:
        importlib.metadata.version("openvino")
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def openvino() -> Any:
    """The library.

    Left to itself it gives whoever imports it a number of their own, in their home folder, and reports each
    import and each export over the network unless they have said no before (``openvino_telemetry``). What is
    on a studio's machines is nobody's business: here that package cannot be found, and a stub of OpenVINO's
    own takes its place.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    return importlib.import_module("openvino")
