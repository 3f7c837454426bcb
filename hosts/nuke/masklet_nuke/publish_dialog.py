"""Publish the node's mattes: a plain panel of Nuke over the sheet that all hosts share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.errors import BadInputError
from masklet.hosting.notices import Notice, notice_of
from masklet.phrases import phrase
from masklet_nuke.inside import kept_mattes
from masklet_nuke.tracking import check_free

if TYPE_CHECKING:
    from masklet.errors import MaskletError
    from masklet.publish.sheet import PublishSheet
    from masklet_nuke.api import Node
    from masklet_nuke.runtime import Runtime

_COMMENT = "comment"
_REBUILD = "make the mattes again"
_SHOWN = 60


def publish(runtime: Runtime, node: Node) -> None:
    """Check what the node's mattes are, ask what is to be asked, and publish them as the next version.

    Without windows nothing is asked: what is not ready is refused.
    """
    from masklet.publish.sheet import accepting, open_sheet, shot_of

    check_free(runtime, node)
    sheet = open_sheet(shot_of(own.file for own in kept_mattes(node).values()))
    if not runtime.host.has_interface:
        if not sheet.is_ready:
            raise BadInputError(phrase("{checks}", checks=sheet.text))
        _start_publishing(runtime, node, sheet, "")
        return
    while True:
        asked = _ask(runtime, sheet)
        if asked is None:
            return
        comment, accepted, rebuild = asked
        sheet = accepting(sheet, [sheet.acceptable[number] for number in accepted])
        if rebuild:
            _start_rebuilding(runtime, node, sheet)
            return
        if sheet.is_ready:
            _start_publishing(runtime, node, sheet, comment)
            return


def _ask(runtime: Runtime, sheet: PublishSheet) -> tuple[str, list[int], bool] | None:
    """Comment, places of what was accepted, and whether to make the mattes again; None where cancelled."""
    panel = runtime.nuke.Panel(sheet.title)
    panel.addNotepad("checks", sheet.text)
    boxes = [
        f"{number}. it is right so: {problem.words[:_SHOWN]}"
        for number, problem in enumerate(sheet.acceptable, 1)
    ]
    for box in boxes:
        panel.addBooleanCheckBox(box, False)
    if sheet.can_rebuild:
        panel.addBooleanCheckBox(_REBUILD, False)
    panel.addSingleLineInput(_COMMENT, "")
    if not panel.show():
        return None
    accepted = [place for place, box in enumerate(boxes) if panel.value(box)]
    rebuild = bool(sheet.can_rebuild and panel.value(_REBUILD))
    return str(panel.value(_COMMENT) or ""), accepted, rebuild


def _start_publishing(runtime: Runtime, node: Node, sheet: PublishSheet, comment: str) -> None:
    from masklet.hosting.work.publishing import publish_job

    uid = runtime.host.adopt(node)
    runtime.run(
        publish_job(
            sheet,
            uid,
            comment=comment,
            on_told=lambda told: _tell(runtime, uid, Notice(told, is_alarm=False)),
            on_end=lambda error: _failed(runtime, uid, error),
        )
    )


def _start_rebuilding(runtime: Runtime, node: Node, sheet: PublishSheet) -> None:
    from masklet.hosting.work.publishing import rebuild_job

    uid = runtime.host.adopt(node)
    again = phrase("The mattes were made again: publish them now")
    runtime.run(
        rebuild_job(
            sheet,
            uid,
            on_sheet=lambda made: _tell(
                runtime, uid, Notice(again if made.is_ready else made.text, is_alarm=not made.is_ready)
            ),
            on_end=lambda error: _failed(runtime, uid, error),
        )
    )


def _failed(runtime: Runtime, uid: str, error: MaskletError | None) -> None:
    if error is not None:
        _tell(runtime, uid, notice_of(error))


def _tell(runtime: Runtime, uid: str, notice: Notice) -> None:
    runtime.tell(runtime.host.find(uid), notice)
