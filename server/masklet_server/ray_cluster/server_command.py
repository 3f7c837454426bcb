"""The command lines of what runs in a cluster."""

from __future__ import annotations

from masklet_server.ray_cluster.node import DRAINED_NAME, Node


def server_command(node: Node, device: int) -> list[str]:
    """``masklet-server serve`` on a device, as a worker of the cluster."""
    command = [*node.program, "serve"]
    if "--sessions" not in node.options:
        command += ["--sessions", str(node.folder / "sessions")]
    command += node.options
    command += ["--address", f"{node.host}:{node.ports.server(device)}"]
    # Ray shows a server one graphics card alone, whichever it is.
    command += ["--device", "cuda" if node.on_gpus else "cpu"]
    command += ["--gateway", node.gateway, "--worker", node.worker_name(device)]
    command += ["--drained-file", str(node.device_folder(device) / DRAINED_NAME)]
    if node.worker_token is not None:
        command += ["--gateway-token-file", node.worker_token]
    if node.with_tls:
        command += ["--gateway-ca", str(node.authority)]
    return command + _access(node)


def gateway_command(node: Node) -> list[str]:
    """``masklet-server gateway`` on the machine of Ray's head."""
    command = [*node.program, "gateway", "--address", node.gateway]
    return [*command, "--directory", str(node.gateway_folder / "directory.sqlite"), *_access(node)]


def _access(node: Node) -> list[str]:
    options = [] if node.signed_tokens is None else ["--signed-tokens", node.signed_tokens]
    if node.with_tls:
        options += ["--tls-cert", str(node.certificate), "--tls-key", str(node.certificate_key)]
    return options
