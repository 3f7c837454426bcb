"""Kept sessions: how many, how large, and whether they can be read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from masklet.errors import BadInputError, MaskletError
from masklet.findings import Finding, Verdict
from masklet_server.journal.folder import claimed
from masklet_server.journal.listing import DAMAGED, listed, shown_size


def examine_journals(folder: Path | None) -> Iterator[Finding]:
    """What a server would find in its folder of sessions."""
    if folder is None:
        yield Finding(
            Verdict.NOTE,
            "journals",
            "sessions end with the server",
            "name a folder with --sessions to keep them",
        )
        return
    if not folder.is_dir():
        yield Finding(Verdict.GOOD, "journals", f"none yet; the server makes {folder}")
        return
    try:
        sessions = list(listed(folder))
    except (OSError, MaskletError) as error:
        yield Finding(Verdict.BAD, "journals", f"{folder} cannot be read ({error})", "check its permissions")
        return
    size_bytes = sum(each.size_bytes for each in sessions)
    yield Finding(
        Verdict.GOOD, "journals", f"{len(sessions)} sessions, {shown_size(size_bytes)}, in {folder}"
    )
    for each in sessions:
        if each.owner == DAMAGED:
            yield Finding(
                Verdict.NOTE,
                "journals",
                f"the session {each.session_id} is damaged",
                f"masklet-server sessions export --salvage --sessions {folder} {each.session_id} shot.json",
            )
    try:
        os.close(claimed(folder, take_over=False))
    except BadInputError:
        yield Finding(Verdict.GOOD, "journals", "a server has them open")
    else:
        yield Finding(Verdict.GOOD, "journals", "no server has them open")
