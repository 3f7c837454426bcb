"""``python -m masklet_server.ray_cluster.driver FOLDER COMMAND``: asks Ray, and answers with a line of JSON.

A process of its own for each question: Ray puts handlers and threads into whoever connects, waits long for a
head that has gone, and writes what is wrong to the error output.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import ray
from ray.util import list_named_actors

from masklet_server.ray_cluster.keeper import DeviceKeeper, GatewayKeeper, Keeper
from masklet_server.ray_cluster.node import SLOT_RESOURCE, Node
from masklet_server.ray_cluster.ray_environment import NAMESPACE

GATEWAY_KEEPER = "keeper-gateway"
_HEAD_RESOURCE = "node:__internal_head__"
_ANSWERS_S = 3.0


def main(folder: Path, command: str) -> dict[str, Any]:
    """Connect and do what is asked."""
    ray.init(
        address=Node.read(folder).head,
        namespace=NAMESPACE,
        log_to_driver=False,
        configure_logging=True,
        logging_level="ERROR",
    )
    try:
        return {"place": place, "status": status, "remove": remove}[command]()
    finally:
        ray.shutdown()


def place() -> dict[str, Any]:
    """Have a keeper for the gateway and one for each device; those that wait for a device count."""
    totals, there = ray.cluster_resources(), set(list_named_actors())
    wanted: list[tuple[str, type[Keeper], dict[str, Any]]] = [
        (GATEWAY_KEEPER, GatewayKeeper, {"resources": {_HEAD_RESOURCE: 0.001}})
    ]
    for number in range(int(totals.get("GPU", 0))):
        wanted.append((f"keeper-gpu-{number}", GpuKeeper, {"num_gpus": 1}))
    for number in range(int(totals.get(SLOT_RESOURCE, 0))):
        wanted.append((f"keeper-slot-{number}", DeviceKeeper, {"resources": {SLOT_RESOURCE: 1}}))
    for name, keeper, devices in wanted:
        if name not in there:
            # Never given up: after each end Ray starts it anew, where a device is free.
            ray.remote(keeper).options(
                name=name,
                lifetime="detached",
                get_if_exists=True,
                max_restarts=-1,
                max_concurrency=4,
                num_cpus=0,
                scheduling_strategy="SPREAD",
                **devices,
            ).remote()
    return status()


def status() -> dict[str, Any]:
    """The machines that Ray knows, and what the keepers say."""
    asked = {name: ray.get_actor(name).state.remote() for name in sorted(list_named_actors())}
    ready: list[Any] = []
    if asked:
        ready, _ = ray.wait(list(asked.values()), num_returns=len(asked), timeout=_ANSWERS_S)
    keepers: dict[str, dict[str, Any] | None] = {}
    for name, answer in asked.items():
        try:
            # One that says nothing waits for a device, or its machine does not answer.
            keepers[name] = ray.get(answer) if answer in ready else None
        except ray.exceptions.RayError:
            keepers[name] = None
    nodes = [
        {
            "name": each["NodeName"],
            "host": each["NodeManagerAddress"],
            "alive": each["Alive"],
            "devices": int(sum(each["Resources"].get(resource, 0) for resource in ("GPU", SLOT_RESOURCE))),
        }
        for each in ray.nodes()
    ]
    gateway = keepers.pop(GATEWAY_KEEPER, None)
    return {"nodes": nodes, "keepers": keepers, "gateway": (gateway or {}).get("address", "")}


def remove() -> dict[str, Any]:
    """End all keepers for good; their servers go on."""
    names = list_named_actors()
    for name in names:
        ray.kill(ray.get_actor(name), no_restart=True)
    return {"removed": names}


class GpuKeeper(DeviceKeeper):
    """Keeps the graphics card that Ray gave it."""

    def __init__(self) -> None:
        super().__init__(gpu=int(ray.get_gpu_ids()[0]))


if __name__ == "__main__":
    # Classes that are sent to other machines have to be found there under their own names.
    from masklet_server.ray_cluster import driver

    print(json.dumps(driver.main(Path(sys.argv[1]), sys.argv[2])), flush=True)  # noqa: T201
