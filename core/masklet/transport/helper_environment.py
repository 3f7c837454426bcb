"""The Python that has masklet with gRPC in it, outside of any host application: where it is, what it sees.

``MASKLET_PYTHON`` names it, or ``helper.json`` in the user's configuration folder, which
``masklet install`` writes.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.errors import HelperError, OutputError

if TYPE_CHECKING:
    from collections.abc import Mapping

_FOREIGN_PREFIXES = ("PYTHON", "LD_", "DYLD_", "QT_", "NUKE", "BLENDER")
_FOREIGN_NAMES = frozenset({"__PYVENV_LAUNCHER__", "VIRTUAL_ENV", "CONDA_PREFIX"})


def config_file(environment: Mapping[str, str] | None = None) -> Path:
    """Where ``masklet install`` writes down the helper's Python, whether it exists or not."""
    values = os.environ if environment is None else environment
    if sys.platform == "win32":
        base = Path(values.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(values.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return base / "masklet" / "helper.json"


def find_helper_python(environment: Mapping[str, str] | None = None) -> Path:
    """The interpreter to start the helper with.

    Raises:
        HelperError: None was installed, or it is gone.
    """
    values = os.environ if environment is None else environment
    named = values.get("MASKLET_PYTHON")
    if named:
        return _existing(Path(named).expanduser(), "MASKLET_PYTHON")
    file = config_file(values)
    try:
        python = Path(json.loads(file.read_text(encoding="utf-8"))["python"])
    except FileNotFoundError:
        raise HelperError(
            "masklet's own Python is not known here: run 'masklet install' for this program, or set "
            "MASKLET_PYTHON to the Python that has masklet"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HelperError(f"{file} cannot be read: run 'masklet install' for this program again") from error
    return _existing(python, str(file))


def remember_helper_python(python: Path, environment: Mapping[str, str] | None = None) -> Path:
    """Write down the interpreter for :func:`find_helper_python`; return the file.

    Raises:
        OutputError: The user's configuration folder cannot be written.
    """
    file = config_file(environment)
    # Not resolved: the link in a virtual environment is what makes it one.
    text = json.dumps({"python": os.path.abspath(python)}) + "\n"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=".helper-")
        with os.fdopen(handle, "w", encoding="utf-8") as content:
            content.write(text)
        os.replace(temporary, file)
    except OSError as error:
        raise OutputError(
            f"{file} cannot be written ({error.strerror}): check the rights of your configuration folder"
        ) from error
    return file


def forget_helper_python(environment: Mapping[str, str] | None = None) -> bool:
    """Delete what :func:`remember_helper_python` wrote; False when there was nothing."""
    file = config_file(environment)
    try:
        file.unlink()
    except FileNotFoundError:
        return False
    with suppress(OSError):
        file.parent.rmdir()
    return True


def clean_environment(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without what a host application sets for its own Python, libraries and Qt."""
    values = os.environ if environment is None else environment
    return {
        name: value
        for name, value in values.items()
        if not name.upper().startswith(_FOREIGN_PREFIXES) and name.upper() not in _FOREIGN_NAMES
    }


def _existing(python: Path, source: str) -> Path:
    if not python.is_file():
        raise HelperError(
            f"{source} names {python}, which is not there: run 'masklet install' for this program again, or "
            "set MASKLET_PYTHON to the Python that has masklet"
        )
    return python
