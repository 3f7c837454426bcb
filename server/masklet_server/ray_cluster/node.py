"""What a machine of a cluster knows of itself, in one file of a folder of its own."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from masklet.errors import BadInputError, OutputError

NODE_VARIABLE = "MASKLET_CLUSTER_NODE"
"""Names the machine's folder to what Ray starts there."""
FIRST_PORT = 7800
_FILE = "node.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,62}")
_PORTS = 100
_WORKERS_FROM, _WORKERS_UNTIL, _SERVERS_FROM = 10, 59, 60
MOST_DEVICES = _PORTS - _SERVERS_FROM

SLOT_RESOURCE = "masklet_slot"
"""What Ray counts where a device is a processor."""
DRAINED_NAME = "drained"
"""Of the file that a drained server leaves in its device's folder as it ends: no other is started there."""


@dataclass(frozen=True)
class Ports:
    """The hundred ports of a machine, counted from the first.

    Attributes:
        first: Of the head, where other machines join.
    """

    first: int = FIRST_PORT

    @property
    def ray(self) -> Mapping[str, int]:
        """Ray's own, by the options of ``ray start``."""
        return {
            "node-manager-port": self.first + 1,
            "object-manager-port": self.first + 2,
            "runtime-env-agent-port": self.first + 3,
            "metrics-export-port": self.first + 4,
            "dashboard-agent-listen-port": self.first + 5,
            "dashboard-agent-grpc-port": self.first + 6,
            "ray-client-server-port": self.first + 7,
            "min-worker-port": self.first + _WORKERS_FROM,
            "max-worker-port": self.first + _WORKERS_UNTIL,
        }

    def server(self, device: int) -> int:
        """Of the masklet server on a device."""
        return self.first + _SERVERS_FROM + device

    def holds(self, port: int) -> bool:
        """True for one of these."""
        return self.first <= port < self.first + _PORTS


@dataclass(frozen=True)
class Node:
    """A machine, or a part of one.

    Attributes:
        name: One of a kind in the cluster.
        folder: Its own, for this user alone.
        host: Address of this machine, by which the others reach it.
        first_port: See :class:`Ports`.
        head: ``host:port`` of Ray's head.
        gateway: ``host:port`` of the front door.
        is_head: Ray's head and the gateway are here.
        devices: How many servers.
        on_gpus: A device is a graphics card; else a slot on the processors.
        with_tls: Ray's connections are encrypted.
        signed_tokens: Register by which artists and workers are known; None where nobody is asked.
        worker_token: File with a token of the scope ``admin``, by which workers get in.
        program: Command line of ``masklet-server``.
        options: For ``serve``, of every server here.
        ray_folder: Where Ray keeps its sockets and logs.
    """

    name: str
    folder: Path
    host: str
    first_port: int
    head: str
    gateway: str
    is_head: bool
    devices: int
    on_gpus: bool
    with_tls: bool
    signed_tokens: str | None
    worker_token: str | None
    program: tuple[str, ...]
    options: tuple[str, ...]
    ray_folder: Path

    @property
    def ports(self) -> Ports:
        """Its ports."""
        return Ports(self.first_port)

    @property
    def key_file(self) -> Path:
        """The cluster's key."""
        return self.folder / "cluster.key"

    @property
    def token_file(self) -> Path:
        """Ray's token alone."""
        return self.folder / "ray-token"

    @property
    def certificate(self) -> Path:
        """This machine's, PEM."""
        return self.folder / "node.pem"

    @property
    def certificate_key(self) -> Path:
        """Of the certificate."""
        return self.folder / "node-key.pem"

    @property
    def authority(self) -> Path:
        """Certificate of the cluster's own authority."""
        return self.folder / "authority.pem"

    @property
    def gateway_folder(self) -> Path:
        """Of the front door."""
        return self.folder / "gateway"

    def device_folder(self, device: int) -> Path:
        """Of the server on a device."""
        return self.folder / f"device-{device}"

    def worker_name(self, device: int) -> str:
        """How the directory knows the server of a device."""
        return f"{self.name}-{'gpu' if self.on_gpus else 'slot'}{device}"

    def write(self) -> None:
        """Keep it in its folder.

        Raises:
            OutputError: The disk takes nothing.
        """
        content = {**asdict(self), "folder": str(self.folder), "ray_folder": str(self.ray_folder)}
        write_private(self.folder / _FILE, json.dumps(content, indent=1))

    @staticmethod
    def read(folder: Path) -> Node:
        """The machine of a folder.

        Raises:
            BadInputError: There is none, or its file is damaged.
        """
        try:
            content: dict[str, Any] = json.loads((folder / _FILE).read_text(encoding="utf-8"))
            content |= {"folder": folder, "ray_folder": Path(content["ray_folder"])}
            content |= {name: tuple(content[name]) for name in ("program", "options")}
            return Node(**content)
        except FileNotFoundError:
            raise BadInputError(
                f"this machine is in no cluster ({folder} knows of none): masklet cluster up starts one, "
                "masklet cluster join enters one"
            ) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadInputError(
                f"{folder / _FILE} cannot be read ({error}): end what runs with masklet cluster down, delete "
                "that folder and join again"
            ) from error


def check_name(name: str) -> str:
    """A node's name, if it can be one.

    Raises:
        BadInputError: It cannot.
    """
    if not _NAME.fullmatch(name):
        raise BadInputError(f"{name!r} is no name of a node: use letters, digits, '.' and '-', at most 63")
    return name


def default_folder() -> Path:
    """Of this user's node where none is named."""
    from masklet_server.journal.places import state_folder

    return state_folder().parent / "cluster"


def server_program() -> tuple[str, ...]:
    """``masklet-server`` of this Python."""
    safe = ("-P",) if sys.version_info >= (3, 11) else ()
    return (sys.executable, *safe, "-m", "masklet_server.cli")


def make_private_folder(folder: Path) -> None:
    """A folder for this user alone.

    Raises:
        OutputError: It cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise OutputError(f"the folder {folder} cannot be made ({error.strerror}): name another") from error


def write_private(file: Path, text: str) -> None:
    """A file for this user alone, whole or not at all.

    Raises:
        OutputError: The disk takes nothing.
    """
    new = file.with_name(f"{file.name}.new")
    try:
        new.unlink(missing_ok=True)
        with os.fdopen(
            os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as out:
            out.write(text)
        new.replace(file)
    except OSError as error:
        raise OutputError(f"{file} cannot be written ({error.strerror}): free some space there") from error
