"""A job as an OpenJD template (``jobtemplate-2023-09``): steps by shot, so that none waits for another.

Nothing of the specification's extensions is needed. The template has names and numbers: what a task does lies
in the job.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from masklet.farm.job import FarmJob, FarmShot

SPECIFICATION = "jobtemplate-2023-09"
SERVED_STAGES = ("track", "mattes", "exports")
"""Those that need a server, and its graphics card where one is asked for."""
SERVER_VARIABLE = "MASKLET_FARM_SERVER"
"""Names the file by which the tasks of a worker's session find its server."""
NOTIFY_S = 60
"""Between the word that a task has to end and its end by force: time to keep what is finished."""
START_S = 600
"""For a server to start: a cold disk has to read torch and the weights."""
_SLACK = 6.0
_LEAST_S = 900
_NAME_CHARACTERS = 128
_GPU_MIB = "amount.worker.gpu.memory"


def job_template(job: FarmJob) -> dict[str, Any]:
    """The template."""
    return {
        "specificationVersion": SPECIFICATION,
        "name": _for_engines(job.name),
        "parameterDefinitions": [
            {
                "name": "Job",
                "type": "PATH",
                "objectType": "DIRECTORY",
                "dataFlow": "IN",
                "default": ".",
                "description": "The folder of this job.",
            },
            {
                "name": "Out",
                "type": "PATH",
                "objectType": "DIRECTORY",
                "dataFlow": "OUT",
                "default": "./out",
                "description": "Where mattes and reports go: on a disk that all workers share.",
            },
            {
                "name": "Masklet",
                "type": "STRING",
                "default": "masklet",
                "description": "The program on the workers.",
            },
        ],
        "jobEnvironments": [_server_environment(job)],
        "steps": [step for shot in job.shots for step in _steps(job, shot)],
    }


def _for_engines(name: str) -> str:
    """A name for people as engines take it: short, of one line, and no expression of a template."""
    apart = re.sub(r"([{}])(?=\1)", r"\1 ", name)
    return "".join(each if each.isprintable() else " " for each in apart)[:_NAME_CHARACTERS].strip() or "-"


def stages(job: FarmJob) -> tuple[str, ...]:
    """What is done to every shot, in this order."""
    return (
        "track",
        "mattes",
        *(("exports",) if job.request.has_exports else ()),
        "check",
        *(("publish",) if job.request.publish else ()),
    )


def _server_environment(job: FarmJob) -> dict[str, Any]:
    words = ["--ready", "{{Session.WorkingDirectory}}/server.json"]
    mapping = ["--paths", "{{Session.PathMappingRulesFile}}"]
    asked: list[str] = []
    if job.request.weights is not None:
        asked += ["--weights", job.request.weights]
    if job.request.device is not None:
        asked += ["--device", job.request.device]
    if job.request.quality is not None:
        asked += ["--quality", job.request.quality]
    if job.request.gpu_memory_gib:
        asked += ["--gpu-memory", f"{job.request.gpu_memory_gib:g}"]
    return {
        "name": "Server",
        "description": "One masklet server for all tasks of a worker's session.",
        "script": {
            "actions": {
                "onEnter": _action(["farm", "enter", *words, *asked, *mapping], START_S),
                "onExit": _action(["farm", "leave", *words], 120),
            }
        },
    }


def _steps(job: FarmJob, shot: FarmShot) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = []
    for stage in stages(job):
        name = f"{shot.name} {stage}"
        words = ["farm", "task", "--job", "{{Param.Job}}", "--out", "{{Param.Out}}", "--shot", shot.name]
        words += ["--stage", stage, "--paths", "{{Session.PathMappingRulesFile}}"]
        step: dict[str, Any] = {"name": name}
        if steps:
            step["dependencies"] = [{"dependsOn": steps[-1]["name"]}]
        if stage == "track":
            words += ["--piece", "{{Task.Param.Piece}}"]
            last = shot.pieces[-1].number
            step["parameterSpace"] = {
                "taskParameterDefinitions": [{"name": "Piece", "type": "INT", "range": f"1-{last}"}]
            }
        if job.request.gpu_memory_gib:
            least = math.ceil(job.request.gpu_memory_gib * 1024)
            step["hostRequirements"] = {"amounts": [{"name": _GPU_MIB, "min": least}]}
        step["script"] = {"actions": {"onRun": _action(words, time_limit_s(job, shot, stage))}}
        steps.append(step)
    return steps


def time_limit_s(job: FarmJob, shot: FarmShot, stage: str) -> int:
    """How long a task may take before it is stuck: generous, as what is finished is kept anyway."""
    objects = len({name for piece in shot.pieces for name in piece.objects})
    steps = len(shot.frames) * objects
    if stage == "track":
        steps = max(piece.frames * len(piece.objects) for piece in shot.pieces)
    return max(_LEAST_S, math.ceil(_SLACK * steps * job.request.frame_s))


def _action(words: list[str], limit_s: int) -> dict[str, Any]:
    return {
        "command": "{{Param.Masklet}}",
        "args": words,
        "timeout": limit_s,
        "cancelation": {"mode": "NOTIFY_THEN_TERMINATE", "notifyPeriodInSeconds": NOTIFY_S},
    }
