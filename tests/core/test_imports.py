"""Importing is cheap and has no effects: a host application does it at start."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

LIGHT = (
    "masklet",
    "masklet.client",
    "masklet.clip_files",
    "masklet.errors",
    "masklet.events",
    "masklet.hosting.loop",
    "masklet.hosting.work.plate_work",
    "masklet.matte_files",
    "masklet.png",
    "masklet.prompts",
    "masklet.said.edits",
    "masklet.session",
    "masklet.settings",
    "masklet.transport.bridge",
    "masklet.transport.bridge_process",
    "masklet.transport.endpoint",
    "masklet.transport.helper_environment",
    "masklet.transport.interface",
    "masklet.types",
)


def modules_after(code: str) -> set[str]:
    """Names of all modules that a fresh interpreter holds after running ``code``."""
    report = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_the_library_brings_neither_grpc_nor_numpy_nor_torch_when_imported() -> None:
    loaded = modules_after("\n".join(f"import {name}" for name in LIGHT))

    assert not loaded & {"grpc", "google.protobuf", "numpy", "torch", "cv2", "typer", "rich"}


def test_the_command_line_brings_neither_grpc_nor_numpy_nor_torch_before_it_is_used() -> None:
    loaded = modules_after("import masklet.cli\nmasklet.cli.make_app()")

    assert not loaded & {"grpc", "google.protobuf", "numpy", "torch", "cv2"}


def test_every_public_name_can_be_reached_from_the_package() -> None:
    import masklet

    missing = [name for name in masklet.__all__ if getattr(masklet, name, None) is None]

    assert missing == []


def test_an_unknown_name_is_an_attribute_error() -> None:
    import masklet

    with pytest.raises(AttributeError, match="no attribute 'conect'"):
        masklet.conect  # noqa: B018
