"""One task of a job, done: whatever engine asks for it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from masklet.errors import BadInputError, MaskletError, OutputError, ServerUnreachableError
from masklet.farm.checking import check_shot
from masklet.farm.delivering import make_exports, make_mattes
from masklet.farm.graphics_card import check_gpu, check_on_gpu
from masklet.farm.report import write_report
from masklet.farm.task import Stop, StoppedError, Teller, tell_failure
from masklet.farm.task_states import TaskPhase
from masklet.farm.template import SERVED_STAGES
from masklet.farm.tracking import track_piece
from masklet.farm.versions import publish_shot
from masklet.farm.worker_server import connect_to_kept

if TYPE_CHECKING:
    from masklet.client import Server
    from masklet.farm.task import FarmTask


def perform(task: FarmTask) -> None:
    """Do a task; what it tells of itself lies among the states of the job.

    Raises:
        MaskletError: It failed or was stopped; its state says the same.
    """
    try:
        teller = Teller(task)
    except OutputError as error:
        tell_failure(str(error))
        raise
    stop = Stop(task.places)
    try:
        with stop.listening():
            _do(task, teller, stop)
    except StoppedError as error:
        teller.end(TaskPhase.STOPPED, str(error))
        raise
    except MaskletError as error:
        # Time-outs of the share are none of these: they would come again.
        teller.end(TaskPhase.FAILED, str(error), is_lost=isinstance(error, ServerUnreachableError))
        raise
    except Exception as error:
        teller.end(TaskPhase.FAILED, f"a fault of masklet itself ({type(error).__name__}: {error})")
        raise
    else:
        teller.end(TaskPhase.DONE)
    finally:
        if task.stage not in SERVED_STAGES or teller.state.phase is not TaskPhase.DONE:
            write_report(task.job, task.places)


def _do(task: FarmTask, teller: Teller, stop: Stop) -> None:
    if task.stage in SERVED_STAGES:
        with ExitStack() as open_things:
            server = open_things.enter_context(_server(task))
            if task.stage == "track":
                track_piece(task, server, teller, stop)
            elif task.stage == "mattes":
                make_mattes(task, server, teller, stop)
            else:
                make_exports(task, server, teller, stop)
    elif task.stage == "check":
        check_shot(task, teller)
    elif task.stage == "publish":
        publish_shot(task, teller)
    else:
        raise BadInputError(f"there is no stage {task.stage!r}: the template was changed by hand")


def _server(task: FarmTask) -> Server:
    """The server of this worker's session, or one of this task's own where there is no session."""
    from masklet.client import connect

    request = task.job.request
    check_gpu(request.gpu_memory_gib)
    server = connect_to_kept() or connect(
        weights=request.weights, device=request.device, quality=request.quality
    )
    check_on_gpu(request.gpu_memory_gib, server.info().device)
    return server
