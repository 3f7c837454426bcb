"""Blackmagic's scripting module, found where Resolve and Fusion install it and loaded once.

It picks a Python by itself and crashes where it finds another than the one that runs (reported on Windows,
access violation 0xC0000005): FUSION_PYTHON3_HOME names ours before it is loaded.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

from masklet.errors import BadInputError
from masklet.phrases import phrase

API_VARIABLE, LIBRARY_VARIABLE = "RESOLVE_SCRIPT_API", "RESOLVE_SCRIPT_LIB"
PYTHON_VARIABLE = "FUSION_PYTHON3_HOME"
_MODULE = "DaVinciResolveScript"
_API = {
    "linux": "/opt/resolve/Developer/Scripting",
    "darwin": "/Library/Application Support/Blackmagic Design/DaVinci Resolve/Developer/Scripting",
    "win32": r"C:\ProgramData\Blackmagic Design\DaVinci Resolve\Support\Developer\Scripting",
}
_LIBRARIES = {
    "linux": ("/opt/resolve/libs/Fusion/fusionscript.so", "/opt/BlackmagicDesign/Fusion20/fusionscript.so"),
    "darwin": (
        "/Applications/DaVinci Resolve/DaVinci Resolve.app/Contents/Libraries/Fusion/fusionscript.so",
        "/Applications/Blackmagic Fusion 20/Fusion.app/Contents/MacOS/fusionscript.so",
    ),
    "win32": (
        r"C:\Program Files\Blackmagic Design\DaVinci Resolve\fusionscript.dll",
        r"C:\Program Files\Blackmagic Design\Fusion 20\fusionscript.dll",
    ),
}


def load(variables: MutableMapping[str, str] | None = None, system: str = sys.platform) -> Any:
    """The module: it has ``scriptapp``.

    Raises:
        BadInputError: It is not on this machine, or does not load into this Python.
    """
    if _MODULE in sys.modules:
        return sys.modules[_MODULE]
    values = os.environ if variables is None else variables
    api = script_api(values, system)
    library = script_library(values, system)
    if library is None:
        raise BadInputError(
            phrase(
                "Resolve's scripting library was not found: install Resolve Studio or Fusion Studio, or set "
                "{variable} to its fusionscript library",
                variable=LIBRARY_VARIABLE,
            )
        )
    values.setdefault(PYTHON_VARIABLE, sys.base_prefix)
    values[LIBRARY_VARIABLE] = str(library)
    try:
        wrapper = None if api is None else api / "Modules" / f"{_MODULE}.py"
        if wrapper is not None and wrapper.is_file():
            return _from_file(_MODULE, wrapper)
        # Fusion Studio alone has the library and no wrapper.
        return _from_library(library)
    except (ImportError, OSError, SystemError) as error:
        raise BadInputError(
            phrase(
                "Resolve's scripting library does not load into Python {version} ({reason}): see masklet "
                "doctor "
                "resolve for the Python that it takes",
                version=f"{sys.version_info[0]}.{sys.version_info[1]}",
                reason=str(error),
            )
        ) from error


def script_api(variables: Mapping[str, str], system: str = sys.platform) -> Path | None:
    """The folder with Blackmagic's modules, as the environment or the system has it."""
    named = variables.get(API_VARIABLE) or _API.get(system, "")
    return Path(named) if named and Path(named).is_dir() else None


def script_library(variables: Mapping[str, str], system: str = sys.platform) -> Path | None:
    """The library, as the environment or the system has it."""
    named = variables.get(LIBRARY_VARIABLE)
    places = (named,) if named else _LIBRARIES.get(system, ())
    return next((Path(place) for place in places if place and Path(place).is_file()), None)


def _from_file(name: str, file: Path) -> Any:
    specification = importlib.util.spec_from_file_location(name, file)
    if specification is None or specification.loader is None:
        raise ImportError(f"{file} cannot be loaded")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    try:
        specification.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    # Blackmagic's wrapper puts the library in its own place.
    return sys.modules[name]


def _from_library(library: Path) -> Any:
    from importlib.machinery import ExtensionFileLoader

    loader = ExtensionFileLoader("fusionscript", str(library))
    specification = importlib.util.spec_from_loader("fusionscript", loader)
    if specification is None:
        raise ImportError(f"{library} cannot be loaded")
    module = importlib.util.module_from_spec(specification)
    loader.exec_module(module)
    sys.modules[_MODULE] = module
    return module
