"""The small script in Workspace > Scripts: it starts masklet beside Resolve and is gone again."""

from __future__ import annotations

FILE_NAME = "masklet.py"
_SCRIPT = '''"""Opens masklet on the clip under the playhead. Written by masklet install resolve."""
import os
import subprocess
import sys

PYTHON = {python!r}
FOREIGN = ("PYTHON", "LD_", "DYLD_", "QT_")

environment = {{name: value for name, value in os.environ.items() if not name.upper().startswith(FOREIGN)}}
options = {{"creationflags": 0x00000008}} if sys.platform == "win32" else {{"start_new_session": True}}
try:
    subprocess.Popen(
        [PYTHON, "-I", "-m", "masklet", "resolve"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **options
    )
except OSError as error:
    print("masklet: %s does not start (%s): run masklet install resolve again" % (PYTHON, error))
'''


def menu_script(python: str) -> str:
    """The script for a Python that has masklet; any Python of Resolve's runs it, from 3.6 on."""
    return _SCRIPT.format(python=python)
