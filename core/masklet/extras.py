"""What each way of installing brings, and one sentence where something of it is missing.

Needs nothing but the standard library: it runs where nothing else is installed.
"""

from __future__ import annotations

from importlib import util

CLIENT_PACKAGES = {
    "numpy": "numpy",
    "grpc": "grpcio",
    "google.protobuf": "protobuf",
    "typer": "typer",
    "rich": "rich",
    "platformdirs": "platformdirs",
}
"""Packages of ``masklet[client]``: under what name each is imported, and installed."""

SERVER_PACKAGES = {
    "torch": "torch",
    "OpenImageIO": "OpenImageIO",
    "PyOpenColorIO": "opencolorio",
    "av": "av",
    "cv2": "opencv-python-headless",
    "PIL": "pillow",
    "safetensors": "safetensors",
    "grpc_health": "grpcio-health-checking",
}
"""What ``masklet[server]`` brings besides and no server starts without; without OpenVINO it is slower."""


PANEL_PACKAGES = {"Qt": "Qt.py", "PySide6": "PySide6-Essentials"}
"""What ``masklet[panel]`` brings besides."""


def missing(packages: dict[str, str]) -> tuple[str, ...]:
    """Those of the packages that this Python does not have, as they are installed; nothing is imported."""
    return tuple(package for module, package in packages.items() if not _is_there(module))


def client_sentence() -> str | None:
    """What keeps the client from working here and what helps; None when nothing does."""
    lacking = missing(CLIENT_PACKAGES)
    if not lacking:
        return None
    return f"packages of the client are not installed ({', '.join(lacking)}): pip install 'masklet[client]'"


def wire_sentence() -> str | None:
    """What keeps this Python from talking to a server and what helps; None when nothing does."""
    wanted = {module: CLIENT_PACKAGES[module] for module in ("grpc", "google.protobuf")}
    lacking = missing(wanted)
    if not lacking:
        return None
    return (
        f"{' and '.join(lacking)} are not installed, by which servers are talked to: "
        "pip install 'masklet[client]'"
    )


def server_sentence() -> str | None:
    """Why no server can be started beside this client and what helps; None when one can."""
    lacking = missing(SERVER_PACKAGES)
    if not lacking:
        return None
    return (
        f"the server's packages are not installed beside this client ({', '.join(lacking)} missing): "
        "pip install 'masklet[server]', or name a running server with --server or MASKLET_SERVER"
    )


def panel_sentence() -> str | None:
    """Why the panel cannot be shown here and what helps; None when it can."""
    lacking = missing(PANEL_PACKAGES)
    if not lacking or (lacking == ("PySide6-Essentials",) and _is_there("PySide2")):
        return None
    return f"the panel needs {' and '.join(lacking)}: pip install 'masklet[panel]'"


def _is_there(module: str) -> bool:
    try:
        return util.find_spec(module) is not None
    except ModuleNotFoundError:  # of what it is part of
        return False
