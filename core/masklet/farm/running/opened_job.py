"""A bundle as OpenJD's model reads it, whoever wrote or edited it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masklet.errors import BadInputError
from masklet.farm.submitting import PARAMETERS_FILE, TEMPLATE_FILE
from masklet.publish.shot_record import read_json

if TYPE_CHECKING:
    from openjd.model import Job, JobParameterValues, Step, TaskParameterSet

LACKING = "OpenJD's packages are not installed here: pip install 'masklet[farm]'"


@dataclass(frozen=True)
class EngineTask:
    """A task as an engine counts them.

    Attributes:
        step: Its step.
        place: In the parameter space of the step.
    """

    step: str
    place: int


@dataclass(frozen=True)
class OpenedJob:
    """A job as an engine has it.

    Attributes:
        job: OpenJD's.
        parameters: Values of the job's parameters.
        bundle: Its folder.
    """

    job: Job
    parameters: JobParameterValues
    bundle: Path

    @property
    def out(self) -> Path:
        """Where everything goes."""
        return Path(str(self.parameters["Out"].value))

    def tasks(self, step: str) -> tuple[TaskParameterSet, ...]:
        """The tasks of a step, in their order."""
        from openjd.model import StepParameterSpaceIterator

        return tuple(StepParameterSpaceIterator(space=self.step(step).parameterSpace))

    def step(self, name: str) -> Step:
        """The step of a name.

        Raises:
            BadInputError: The template has none.
        """
        try:
            return self._steps[name]
        except KeyError:
            raise BadInputError(
                f"the template has no step {name!r}: it was changed by hand; submit the shots again"
            ) from None

    @cached_property
    def _steps(self) -> dict[str, Step]:
        return {each.name: each for each in self.job.steps}


def open_bundle(bundle: Path, *, program: str | None = None) -> OpenedJob:
    """Read and check a bundle.

    Args:
        bundle: Its folder, wherever it lies by now.
        program: The masklet that tasks call; None for the one beside this Python.

    Raises:
        BadInputError: It is no bundle, OpenJD does not take its template, or OpenJD's packages are missing.
    """
    try:
        from openjd.model import (
            DecodeValidationError,
            create_job,
            decode_job_template,
            preprocess_job_parameters,
        )
    except ImportError as error:
        raise BadInputError(LACKING) from error
    bundle = Path(os.path.abspath(bundle))
    template = read_json(bundle / TEMPLATE_FILE, "the template")
    given = _given(bundle)
    # The bundle may have been copied since it was submitted, and knows nothing of this machine.
    if given.get("Job") != str(bundle) or "Out" not in given:
        given["Out"] = str(bundle / "out")
    given.update({"Job": str(bundle), "Masklet": program or own_program()})
    try:
        decoded = decode_job_template(template=template)
        values = preprocess_job_parameters(
            job_template=decoded,
            job_parameter_values=given,
            job_template_dir=bundle,
            current_working_dir=bundle,
            allow_job_template_dir_walk_up=True,
        )
        return OpenedJob(create_job(job_template=decoded, job_parameter_values=values), values, bundle)
    except (DecodeValidationError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise BadInputError(
            f"OpenJD does not take {TEMPLATE_FILE} ({reason[:300]}): it was changed by hand; submit the "
            "shots again"
        ) from error


def own_program() -> str:
    """The ``masklet`` that belongs to this Python; else the one on the path."""
    for name in ("masklet", "masklet.exe"):
        beside = Path(sys.executable).with_name(name)
        if beside.is_file():
            return str(beside)
    return shutil.which("masklet") or "masklet"


def _given(bundle: Path) -> dict[str, Any]:
    content = read_json(bundle / PARAMETERS_FILE, "the parameters")
    try:
        return {str(one["name"]): one["value"] for one in content["parameterValues"]}
    except (KeyError, TypeError) as error:
        raise BadInputError(
            f"{PARAMETERS_FILE} was changed by hand ({error}): submit the shots again"
        ) from error


def task_words(parameters: TaskParameterSet) -> dict[str, str]:
    """Values of a task's parameters as text."""
    return {name: str(value.value) for name, value in parameters.items()}


def as_line(content: dict[str, Any]) -> str:
    """One message between a run and its workers."""
    return json.dumps(content) + "\n"
