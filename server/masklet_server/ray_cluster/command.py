"""``masklet-server cluster …``, which ``masklet cluster`` calls: servers on many machines."""

from __future__ import annotations

import json
import os
import platform
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from masklet.errors import MaskletError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from masklet_server.ray_cluster.membership import Machine
    from masklet_server.ray_cluster.node import Node
    from masklet_server.ray_cluster.overview import Overview

EXIT_FAILED = 1
_READY_S = 180.0
PROGRAM_VARIABLE = "MASKLET_CLUSTER_PROGRAM"
"""A command line in JSON in the place of ``masklet-server``, for one that is installed elsewhere than Ray."""

_FolderOption = Annotated[
    Path | None, typer.Option("--folder", help="Of this machine's part; by default the user's.")
]
_JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for scripts.")]
_NameOption = Annotated[
    str | None, typer.Option("--name", help="Of this machine in the cluster; by default its own.")
]
_PortOption = Annotated[
    int, typer.Option("--port", help="First of a hundred ports, of Ray and of the servers here.")
]
_SlotsOption = Annotated[
    int | None,
    typer.Option("--slots", min=0, help="Servers on processors; by default one on each graphics card."),
]
_TokensOption = Annotated[
    Path | None,
    typer.Option("--signed-tokens", help="Register of masklet-server token: who may call. One for all."),
]
_WorkerTokenOption = Annotated[
    Path | None, typer.Option("--worker-token", help="File with a token of the scope admin, for the servers.")
]
_ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="TOML file with options of masklet-server serve, for each server."),
]
_RootOption = Annotated[
    list[Path] | None, typer.Option("--root", help="Folder to open clips from; repeat it for more.")
]
_WeightsOption = Annotated[str | None, typer.Option("--weights", help="Name or file of the model.")]
_SessionsOption = Annotated[
    Path | None,
    typer.Option("--sessions", help="Folder for sessions; machines that share it can take each other's."),
]


def add_commands(app: typer.Typer) -> None:
    """Add ``cluster`` with its subcommands."""
    cluster = typer.Typer(
        no_args_is_help=True, help="Servers on many machines: up, join, status, drain, down."
    )
    for command in (up, join, status, drain, down):
        cluster.command()(command)
    app.add_typer(cluster, name="cluster")


def up(
    host: Annotated[
        str, typer.Option("--host", help="Address of this machine, by which others reach it.")
    ] = "127.0.0.1",
    port: _PortOption = 7800,
    gateway_port: Annotated[int, typer.Option("--gateway-port", help="Where artists connect.")] = 7700,
    slots: _SlotsOption = None,
    name: _NameOption = None,
    config: _ConfigOption = None,
    root: _RootOption = None,
    weights: _WeightsOption = None,
    sessions: _SessionsOption = None,
    signed_tokens: _TokensOption = None,
    worker_token: _WorkerTokenOption = None,
    folder: _FolderOption = None,
    as_json: _JsonOption = False,
) -> None:
    """Start a cluster: its front door, and a server on each device of this machine.

    masklet cluster up --host 10.0.0.5 --signed-tokens tokens.json --worker-token worker.token --root /shows
    """
    from masklet_server.ray_cluster import membership

    with _told(as_json):
        options = _serve_options(config, root, weights, sessions)
        machine = _machine(folder, name, host, port, slots, options, signed_tokens, worker_token)
        node, _ = membership.up(machine, gateway=f"{host}:{gateway_port}")
        late = membership.wait_until_ready(node, timeout_s=_READY_S)
        _tell_entered(node, late, as_json=as_json)


def join(
    head: Annotated[str, typer.Argument(metavar="HOST:PORT", help="Of the machine where the cluster is up.")],
    key: Annotated[
        Path | None, typer.Option("--key", help="The cluster.key of that machine; once, it is kept here.")
    ] = None,
    host: Annotated[
        str, typer.Option("--host", help="Address of this machine, by which others reach it.")
    ] = "127.0.0.1",
    port: _PortOption = 7800,
    slots: _SlotsOption = None,
    name: _NameOption = None,
    config: _ConfigOption = None,
    root: _RootOption = None,
    weights: _WeightsOption = None,
    sessions: _SessionsOption = None,
    signed_tokens: _TokensOption = None,
    worker_token: _WorkerTokenOption = None,
    folder: _FolderOption = None,
    as_json: _JsonOption = False,
) -> None:
    """Enter a cluster with this machine: a server on each of its devices.

    masklet cluster join 10.0.0.5:7800 --host 10.0.0.6 --key cluster.key --root /shows
    """
    from masklet_server.ray_cluster import membership

    with _told(as_json):
        options = _serve_options(config, root, weights, sessions)
        machine = _machine(folder, name, host, port, slots, options, signed_tokens, worker_token)
        node, _ = membership.join(machine, head, key_file=key)
        late = membership.wait_until_ready(node, timeout_s=_READY_S)
        _tell_entered(node, late, as_json=as_json)


def status(folder: _FolderOption = None, as_json: _JsonOption = False) -> None:
    """Show machines, devices, servers, sessions, free memory and how old each server's lease is."""
    from masklet_server.ray_cluster.overview import look

    with _told(as_json):
        seen = look(_node(folder))
        if as_json:
            typer.echo(json.dumps(seen.as_json()))
        else:
            _show(seen)


def drain(
    name: Annotated[str, typer.Argument(metavar="NODE", help="A machine, or one of its servers.")],
    timeout_s: Annotated[
        float, typer.Option("--timeout", min=0, help="Seconds to wait for its sessions.")
    ] = 300,
    folder: _FolderOption = None,
    as_json: _JsonOption = False,
) -> None:
    """Have a machine's sessions go to others, so that it can be stopped while artists work."""
    from masklet_server.ray_cluster.draining import drain as drain_node

    with _told(as_json):
        node = _node(folder)
        had = drain_node(
            node, name, timeout_s=timeout_s, tell=lambda sentence: None if as_json else typer.echo(sentence)
        )
        if as_json:
            typer.echo(json.dumps({"node": name, "moved": had}))
        else:
            typer.echo(f"{name} has no sessions: masklet cluster down on that machine stops it")


def down(
    folder: _FolderOption = None,
    keep_servers: Annotated[
        bool,
        typer.Option(
            "--keep-servers", help="End Ray alone: servers and sessions go on until the next up or join."
        ),
    ] = False,
    as_json: _JsonOption = False,
) -> None:
    """Stop what runs on this machine; sessions of its servers are kept in their folder."""
    from masklet_server.ray_cluster.membership import down as stop

    with _told(as_json):
        ended = stop(_node(folder), keep_servers=keep_servers)
        if as_json:
            typer.echo(json.dumps(ended))
        else:
            typer.echo(f"ended {ended['servers']} servers and {ended['ray_processes']} processes of Ray")


def _machine(
    folder: Path | None,
    name: str | None,
    host: str,
    port: int,
    slots: int | None,
    options: tuple[str, ...],
    signed_tokens: Path | None,
    worker_token: Path | None,
) -> Machine:
    from masklet_server.ray_cluster.membership import Machine
    from masklet_server.ray_cluster.node import default_folder

    own = re.sub(r"[^A-Za-z0-9.-]+", "-", platform.node()).strip("-.")[:63] or "node"
    return Machine(
        folder=(folder or default_folder()).absolute(),
        name=name or own,
        host=host,
        first_port=port,
        slots=slots,
        options=options,
        program=tuple(json.loads(os.environ.get(PROGRAM_VARIABLE, "[]"))),
        signed_tokens=signed_tokens,
        worker_token=worker_token,
    )


def _serve_options(
    config: Path | None, roots: list[Path] | None, weights: str | None, sessions: Path | None
) -> tuple[str, ...]:
    options: list[str] = []
    given = (("--config", config), *(("--root", root) for root in roots or ()), ("--sessions", sessions))
    for word, path in given:
        if path is not None:
            # Servers have another working folder.
            options += [word, str(path.absolute())]
    return (*options, *(() if weights is None else ("--weights", weights)))


def _node(folder: Path | None) -> Node:
    from masklet_server.ray_cluster.node import Node, default_folder

    return Node.read((folder or default_folder()).absolute())


@contextmanager
def _told(as_json: bool) -> Iterator[None]:
    """Scripts that asked for JSON get some of a failure too."""
    try:
        yield
    except MaskletError as error:
        if as_json:
            typer.echo(json.dumps({"error": {"kind": error.kind, "message": str(error)}}))
        raise


def _tell_entered(node: Node, late: list[str], *, as_json: bool) -> None:
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "node": node.name,
                    "head": node.head,
                    "gateway": node.gateway,
                    "workers": [node.worker_name(device) for device in range(node.devices)],
                    "key": str(node.key_file),
                    "not_ready": late,
                }
            )
        )
    else:
        typer.echo(f"{node.name} has {node.devices} servers; artists connect to {node.gateway}")
        typer.echo(f"other machines join with: masklet cluster join {node.head} --key {node.key_file}")
        for sentence in late:
            typer.echo(f"not ready yet: {sentence}", err=True)
    if late:
        raise typer.Exit(EXIT_FAILED)


def _show(seen: Overview) -> None:
    from rich.console import Console
    from rich.table import Table

    from masklet_server.journal.listing import shown_age, shown_size

    console = Console()
    nodes = Table("node", "address", "devices", "Ray")
    for each in seen.nodes:
        nodes.add_row(each["name"], each["host"], str(each["devices"]), "alive" if each["alive"] else "gone")
    workers = Table("node", "server", "state", "device", "address", "sessions", "free", "lease", "note")
    for line in seen.workers:
        workers.add_row(
            line.node,
            line.worker,
            line.state,
            line.device,
            line.endpoint,
            str(line.sessions),
            "" if line.free_bytes is None else shown_size(line.free_bytes),
            "" if line.lease_age_s is None else shown_age(line.lease_age_s),
            line.note,
        )
    console.print(f"artists connect to {seen.gateway}; Ray's head is {seen.head}", highlight=False)
    if seen.nodes:
        console.print(nodes)
    console.print(workers)
    if seen.waiting:
        console.print(f"{seen.waiting} keepers wait for a device, or do not answer", highlight=False)
    for sentence in seen.troubles:
        console.print(sentence, highlight=False)
