"""Which Python Resolve and Fusion find for scripts in their menus, and how to name another.

Sources: the README of scripting of 24 July 2026 (Python 3.6 and newer, 64 bits); reports of auto-subs,
davinci-resolve-mcp and ayon-resolve (one interpreter too many crashes the library; 3.10 to 3.12 give the
least trouble; up to 21.0 macOS looks at PYTHON3HOME and /usr/local/bin alone; 21.1 Studio brings 3.14).
"""

from __future__ import annotations

from dataclasses import dataclass

VARIABLE = "FUSION_PYTHON3_HOME"


@dataclass(frozen=True)
class FoundPython:
    """One line of the table.

    Attributes:
        versions: Of Resolve.
        system: As ``sys.platform`` has it.
        finds: Which Python.
        variable: Names another.
    """

    versions: str
    system: str
    finds: str
    variable: str


TABLE = (
    FoundPython("19 to 21.0", "linux", "python3 of the system, 3.6 or newer", VARIABLE),
    FoundPython("19 to 21.0", "darwin", "/usr/local/bin/python3 and nothing else", "PYTHON3HOME"),
    FoundPython("19 to 21.0", "win32", "the newest one in the registry", f"{VARIABLE} and PYTHONHOME"),
    FoundPython("21.1 Studio", "linux", "its own, 3.14 (/opt/resolve/ResolvePython)", VARIABLE),
    FoundPython("21.1 Studio", "darwin", "its own, 3.14", VARIABLE),
    FoundPython("21.1 Studio", "win32", "its own, 3.14", VARIABLE),
    FoundPython("21.1 free", "linux", "none: scripts of Python are not listed", ""),
    FoundPython("21.1 free", "darwin", "none: scripts of Python are not listed", ""),
    FoundPython("21.1 free", "win32", "none: scripts of Python are not listed", ""),
)


def lines_for(system: str) -> tuple[FoundPython, ...]:
    """The table's lines for a system."""
    return tuple(line for line in TABLE if line.system == system)
