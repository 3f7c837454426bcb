"""Clicks on single pictures, beside what clicks on the same clips come to when they are tracked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masklet.errors import BadInputError

if TYPE_CHECKING:
    from rich.table import Table

    from masklet_server.evaluation.report import Report

_MAX_BYTES = 64 << 20


def read_beside(file: Path, data: str) -> dict[str, Any]:
    """What ``evaluate --json`` wrote of another protocol on the same data.

    Raises:
        BadInputError: It is no such file, or of other data.
    """
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise BadInputError(f"{file} is larger than 64 MiB: name what evaluate --json wrote")
        content: dict[str, Any] = json.loads(file.read_text("utf-8"))
        content["protocol"], content["sequences"], content["overall"]["j_and_f"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInputError(
            f"{file} is no report of evaluate --json: write one with --protocol offline"
        ) from error
    if content.get("data") != data:
        raise BadInputError(f"{file} is of {content.get('data')}, and this is {data}: compare the same clips")
    return content


def image_table(report: Report, beside: Mapping[str, Any] | None) -> Table:
    """Mean IoU after some clicks on single pictures, and J&F of the other protocol, by sequence."""
    from rich.table import Table

    table = Table(title=f"{report.data}, single pictures, {report.weights}")
    table.add_column("sequence", no_wrap=True)
    overall = report.iou_after_clicks()
    for clicks in overall:
        table.add_column(f"IoU, {clicks} click{'s' if clicks > 1 else ''}", justify="right")
    if beside is not None:
        table.add_column(f"J&F, {beside['protocol']}", justify="right")
    for clip in report.clips:
        own = clip.outcome.iou_after_clicks
        table.add_row(clip.name, *(f"{own[clicks]:.1f}" for clicks in overall), *_j_and_f(beside, clip.name))
    table.add_section()
    last = [] if beside is None else [f"{beside['overall']['j_and_f']:.1f}"]
    table.add_row("overall", *(f"{value:.1f}" for value in overall.values()), *last, style="bold")
    return table


def _j_and_f(beside: Mapping[str, Any] | None, name: str) -> list[str]:
    if beside is None:
        return []
    found = beside["sequences"].get(name)
    return [f"{found['j_and_f']:.1f}" if found else ""]
