"""What torch finds on this machine, asked in a process of its own, which a broken driver may kill or hold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from masklet.findings import Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

STARTS_WITHIN_S = 120.0
_ENDS_WITHIN_S = 5.0
_PROBE = "import json; from masklet_server.model.devices import survey; print(json.dumps(survey()))"


def survey_devices(subject: str) -> Mapping[str, Any] | Finding:
    """The server's survey of this machine's devices; where there is none, what a doctor says of that.

    Args:
        subject: What the doctor calls it.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", _PROBE],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    try:
        out, err = process.communicate(timeout=STARTS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        # One that a driver holds does not end: it is not waited for.
        with suppress(subprocess.TimeoutExpired):
            process.wait(_ENDS_WITHIN_S)
        repair = "restart this machine, or have the card looked at"
        return Finding(Verdict.BAD, subject, "the device does not answer", repair)
    if process.returncode != 0:
        reason = (err.strip().splitlines() or [f"it ended with {process.returncode}"])[-1]
        cause, repair = f"torch does not start ({reason})", "install masklet's server again"
        return Finding(Verdict.BAD, subject, cause, repair)
    found: Mapping[str, Any] = json.loads(out.splitlines()[-1])
    return found
