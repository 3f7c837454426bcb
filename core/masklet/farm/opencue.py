"""The same job for OpenCue, through its own pyoutline: a layer for each step, a frame for each task.

OpenCue knows no sessions, so each frame starts a server of its own and ends it. What a frame does is the same
task as under OpenJD; states, chunks and results are the same files.
"""

from __future__ import annotations

import getpass
import re
import shlex
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from masklet.errors import BadInputError, MaskletError, OutputError
from masklet.farm.job import read_job
from masklet.farm.template import SERVED_STAGES, stages

if TYPE_CHECKING:
    from pathlib import Path

    from masklet.farm.job import FarmJob, FarmShot

MOST_LAYERS = 1000
"""Of a job, as OpenCue's server has it."""
LACKING = "OpenCue's pyoutline is not installed here: pip install 'masklet[opencue]'"
_KIB_PER_GIB = 1 << 20
_MEMORY_GIB = 6.0
_WORD = re.compile(r"[^A-Za-z0-9_]")


def layer_name(shot: FarmShot, stage: str) -> str:
    """The layer of a step: OpenCue takes letters, digits and underscores."""
    return f"{_WORD.sub('_', shot.name)}_{stage}"


def outline_of(bundle: Path, job: FarmJob) -> Any:
    """The job as pyoutline has it.

    Raises:
        BadInputError: pyoutline is not installed, or these are too many shots for one job.
    """
    try:
        from outline import Outline
        from outline.modules.shell import Shell
    except ImportError as error:
        raise BadInputError(LACKING) from error
    layers = len(job.shots) * len(stages(job))
    if layers > MOST_LAYERS:
        raise BadInputError(
            f"OpenCue takes {MOST_LAYERS} layers in a job and these {len(job.shots)} shots make {layers}: "
            "submit them in several jobs"
        )
    made = Outline(_WORD.sub("_", job.name), user=job.submitted_by or getpass.getuser())
    gpu: dict[str, Any] = {}
    if job.request.gpu_memory_gib:
        gpu = {"gpus": 1, "gpu_memory": int(job.request.gpu_memory_gib * _KIB_PER_GIB)}
    for shot in job.shots:
        before: Any = None
        for stage in stages(job):
            words = ["masklet", "farm", "task", "--job", str(bundle), "--out", str(bundle / "out")]
            words += ["--shot", shot.name, "--stage", stage]
            last = 1
            if stage == "track":
                # Put in by OpenCue: the number of the frame that runs.
                words += ["--piece", "#IFRAME#"]
                last = shot.pieces[-1].number
            layer = Shell(
                layer_name(shot, stage),
                # OpenCue hands a line to a shell: a path may hold spaces.
                command=[shlex.quote(word) if word != "#IFRAME#" else word for word in words],
                range=f"1-{last}",
                service="masklet",
                memory=f"{_MEMORY_GIB:g}g",
                **(gpu if stage in SERVED_STAGES else {}),
            )
            if before is not None:
                layer.depend_all(before)
            made.add_layer(layer)
            before = layer
    return made


def launch(bundle: Path) -> str:
    """Give a job to OpenCue; its name there.

    The server is the one that OpenCue's own settings name: ``CUEBOT_HOSTS``, or its configuration file.

    Raises:
        BadInputError: pyoutline is not installed.
        OutputError: OpenCue did not take the job; the bundle stays, and can be run otherwise.
    """
    job = read_job(bundle)
    made = outline_of(bundle, job)
    from outline import cuerun

    try:
        launched = cuerun.launch(made, use_pycuerun=False)
    except MaskletError:
        raise
    except Exception as error:  # of somebody else's code
        reason = " ".join(str(error).split()) or type(error).__name__
        raise OutputError(
            f"OpenCue did not take the job ({reason[:300]}): see that CUEBOT_HOSTS names its server; the job "
            f"is in {bundle} all the same"
        ) from error
    with suppress(AttributeError, IndexError, TypeError):
        return str(launched[0].name())
    return job.name
