"""Mattes made again from the record of their run, by masklet's own Python: a host's has no network for it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from masklet.errors import OutputError
from masklet.transport.helper_environment import clean_environment, find_helper_python

if TYPE_CHECKING:
    from masklet.publish.shots_of_files import ShotFolder


def rebuild_mattes(shot: ShotFolder) -> str:
    """Track and write them again in place of those that are there; what it said last.

    Takes as long as tracking does: call it away from a host's main thread.

    Raises:
        HelperError: masklet's own Python is not known here.
        OutputError: They were not made again; the sentence is that of ``masklet rebuild``.
    """
    record = str(shot.folder / f"{shot.name}.shot.json")
    command = [str(find_helper_python()), "-I", "-m", "masklet", "rebuild", record]
    done = subprocess.run(
        [*command, "--out", str(shot.folder), "--replace"],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stderr.strip().splitlines() or [f"masklet rebuild ended with {done.returncode}"]
    if done.returncode != 0:
        raise OutputError(said[-1])
    return said[-1]
