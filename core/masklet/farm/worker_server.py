"""One masklet server for all tasks of a worker's session: started when a job's environment is entered.

The action that enters ends at once, so a keeper, a process of its own, holds the server. The keeper ends with
it when the environment is left, when the session's folder is gone, when the process that is named as the
owner is gone, or when nobody has used the server for long. The address and the token lie in a file of the
session that its user alone may read; the environment's variable names that file and nothing else.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.errors import BadInputError, ServerUnreachableError
from masklet.farm.graphics_card import check_gpu
from masklet.farm.template import SERVER_VARIABLE, START_S

if TYPE_CHECKING:
    from masklet.client import Server

OWNER_VARIABLE = "MASKLET_FARM_OWNER"
"""The process without which the server has no use; set by ``masklet farm run``."""
_IDLE_S = 3600.0
_POLL_S = 0.25
_STOP_S = 30.0


@dataclass(frozen=True)
class KeptServer:
    """A server that a keeper holds.

    Attributes:
        address: Of the server.
        token: By which it lets in.
        keeper: Process id.
    """

    address: str
    token: str
    keeper: int


def enter(
    ready: Path,
    *,
    weights: str | None,
    device: str | None,
    quality: str | None = None,
    gpu_memory_gib: float = 0.0,
) -> KeptServer:
    """Start a keeper with its server and wait until that answers.

    Args:
        ready: The file that will say where it is; in the session's folder.
        weights: Name or file of the model.
        device: Where the network runs.
        quality: How closely it looks at pictures.
        gpu_memory_gib: Of the graphics card at least.

    Raises:
        BadInputError: This machine has not what the job asks for.
        ServerUnreachableError: The server did not start; the message holds its own reason.
    """
    check_gpu(gpu_memory_gib)
    log = ready.with_suffix(".log")
    command = [sys.executable, "-m", "masklet.farm.keeper", str(ready)]
    for word, value in (("--weights", weights), ("--device", device), ("--quality", quality)):
        if value is not None:
            command += [word, value]
    with log.open("wb") as output:
        # An action is over when nobody holds its output any more: the keeper has outputs of its own.
        keeper = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=os.name != "nt",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    until_s = time.monotonic() + START_S - 30
    while time.monotonic() < until_s:
        if ready.is_file():
            return read_ready(ready)
        if keeper.poll() is not None:
            break
        time.sleep(_POLL_S)
    else:
        keeper.kill()
    words = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    reason = words[-1] if words else "no reason was given"
    raise ServerUnreachableError(f"no masklet server could be started for this session: {reason}")


def leave(ready: Path) -> None:
    """Have the keeper and its server end, and wait for it; fine where there is none any more."""
    try:
        kept = read_ready(ready)
    except BadInputError:
        return
    ready.with_suffix(".leave").touch()
    until_s = time.monotonic() + _STOP_S
    while ready.is_file() and is_alive(kept.keeper) and time.monotonic() < until_s:
        time.sleep(_POLL_S)


def connect_to_kept() -> Server | None:
    """The server of this worker's session; None outside of one.

    Raises:
        ServerUnreachableError: It has ended.
    """
    from masklet.client import connect

    named = os.environ.get(SERVER_VARIABLE)
    if not named:
        return None
    ready = Path(named)
    try:
        kept = read_ready(ready)
    except BadInputError as error:
        raise ServerUnreachableError(
            "the masklet server of this worker has ended: the engine starts another one with the next session"
        ) from error
    with suppress(OSError):
        os.utime(ready)
    return connect(kept.address, token=kept.token)


def read_ready(ready: Path) -> KeptServer:
    """What a keeper wrote.

    Raises:
        BadInputError: There is nothing, or nothing of a keeper.
    """
    try:
        content = json.loads(ready.read_text(encoding="ascii"))
        return KeptServer(str(content["address"]), str(content["token"]), int(content["keeper"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInputError(f"{ready.name} tells of no server: enter the environment again") from error


def keep(ready: Path, *, weights: str | None, device: str | None, quality: str | None = None) -> None:
    """What the keeper does: hold a server until nobody wants it any more.

    What is not given is as this machine's environment says, as for a task that starts a server of its own.
    """
    from masklet.settings import read_settings
    from masklet.transport.local_server import LocalServer

    owner, own = int(os.environ.get(OWNER_VARIABLE, "0")), read_settings()
    server = LocalServer(weights=weights or own.weights, device=device, quality=quality or own.quality)
    try:
        content = {"address": server.address, "token": server.token, "keeper": os.getpid()}
        temporary = ready.with_suffix(".new")
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps(content), encoding="ascii")
        temporary.replace(ready)
        while server.is_running and _is_wanted(ready, owner):
            time.sleep(_POLL_S)
    finally:
        server.stop()
        with suppress(OSError):
            ready.unlink()


def is_alive(process: int) -> bool:
    """True while a process of this machine runs."""
    if os.name == "nt":
        # Signals of zero would end a process there.
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with suppress(OSError, IndexError):
        # One that has ended and that nobody has asked about is there by name alone.
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


def _is_wanted(ready: Path, owner: int) -> bool:
    if not ready.parent.is_dir() or not ready.is_file() or ready.with_suffix(".leave").exists():
        return False
    if owner and not is_alive(owner):
        return False
    try:
        # Both times are this machine's.
        return time.time() - ready.stat().st_mtime < _IDLE_S
    except OSError:
        return False
