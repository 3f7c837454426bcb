"""Submit the node's shot to a farm: a plain panel of Nuke over the sheet that all hosts share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.hosting.notices import Notice, notice_of
from masklet.phrases import phrase
from masklet_nuke.plate_document import write_document
from masklet_nuke.rendering import ensure_rendered
from masklet_nuke.tracking import check_free

if TYPE_CHECKING:
    from masklet.errors import MaskletError
    from masklet.farm.sheet import FarmSheet
    from masklet_nuke.api import Node
    from masklet_nuke.runtime import Runtime

_TOOL = "nuke"


def submit(runtime: Runtime, node: Node) -> None:
    """Ask what is to be asked, and make a job of the node's shot. Without windows nothing is asked.

    Raises:
        MaskletError: Nothing is connected to the node, its plate cannot be read, or it is being tracked.
    """
    from masklet.hosting.work.farming import proposed, submit_job

    check_free(runtime, node)
    ensure_rendered(runtime.nuke, node)
    uid = runtime.host.adopt(node)
    document = write_document(runtime.nuke, node, runtime.host.source(node), uid)
    sheet = proposed(document, runtime.host.connection_settings(), _TOOL)
    asked = _ask(runtime, sheet) if runtime.host.has_interface else sheet
    if asked is not None:
        runtime.run(
            submit_job(
                asked,
                uid,
                on_told=lambda told: _tell(runtime, uid, Notice(told, is_alarm=False)),
                on_end=lambda error: _failed(runtime, uid, error),
            )
        )


def _ask(runtime: Runtime, sheet: FarmSheet) -> FarmSheet | None:
    """The sheet as it was filled in; None where it was cancelled."""
    from masklet.farm.sheet import FIELDS

    panel = runtime.nuke.Panel(phrase("Submit to the Farm"))
    for field in FIELDS:
        value = sheet.value(field.name)
        if isinstance(value, bool):
            panel.addBooleanCheckBox(field.label, value)
        else:
            panel.addSingleLineInput(field.label, value)
    if not panel.show():
        return None
    for field in FIELDS:
        said = panel.value(field.label)
        is_tick = isinstance(sheet.value(field.name), bool)
        sheet = sheet.with_value(field.name, bool(said) if is_tick else str(said or ""))
    return sheet


def _failed(runtime: Runtime, uid: str, error: MaskletError | None) -> None:
    if error is not None:
        _tell(runtime, uid, notice_of(error))


def _tell(runtime: Runtime, uid: str, notice: Notice) -> None:
    runtime.tell(runtime.host.find(uid), notice)
