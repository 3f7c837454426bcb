"""Manifests: valid by Kubernetes' own schema, and of one mind with each other and with the server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from command_words import check_command, group
from masklet_server.cli import app
from masklet_server.serve_settings import settings_of
from masklet_server.serving import serve_command

yaml = pytest.importorskip("yaml")

FOLDER = Path(__file__).parents[2] / "deploy/kubernetes"
VERSIONS = ("1.28", "1.34")
"""The oldest and the newest that are looked at."""
LABEL = {"app.kubernetes.io/name": "masklet-server"}


def manifests() -> Iterator[dict[str, Any]]:
    for name in yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))["resources"]:
        yield from yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8"))


def one(kind: str) -> dict[str, Any]:
    (found,) = [each for each in manifests() if each["kind"] == kind]
    return found


POD = one("StatefulSet")["spec"]["template"]["spec"]
(SERVER,) = POD["containers"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("manifest", list(manifests()), ids=lambda each: each["kind"])
def test_kubernetes_takes_it(manifest: dict[str, Any], version: str) -> None:
    schemas = pytest.importorskip("kubernetes_validate")
    used = schemas.validate(manifest, version, strict=True)

    assert used


def test_a_mistake_would_be_found() -> None:
    schemas = pytest.importorskip("kubernetes_validate")
    wrong = one("StatefulSet")
    wrong["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}

    with pytest.raises(schemas.ValidationError):
        schemas.validate(wrong, VERSIONS[-1], strict=True)


def test_no_file_lies_about() -> None:
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))["resources"]

    assert {file.name for file in FOLDER.iterdir()} == {*listed, "kustomization.yaml"}


def test_everything_finds_the_server_by_one_label() -> None:
    spec = one("StatefulSet")["spec"]

    assert spec["template"]["metadata"]["labels"] == spec["selector"]["matchLabels"] == LABEL
    assert one("Service")["spec"]["selector"] == LABEL
    assert one("PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == LABEL
    assert one("NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == LABEL
    assert spec["serviceName"] == one("Service")["metadata"]["name"]
    # A session lives on one server: no address that leads to any of them.
    assert one("Service")["spec"]["clusterIP"] == "None"
    assert {each["metadata"].get("namespace") for each in manifests()} == {None, "masklet"}


def test_its_settings_are_taken_and_name_what_is_mounted(tmp_path: Path) -> None:
    file = tmp_path / "server.toml"
    file.write_text(one("ConfigMap")["data"]["server.toml"], encoding="utf-8")
    settings = settings_of(serve_command().make_context("serve", ["--config", str(file)]).params)
    mounts = {Path(mount["mountPath"]) for mount in SERVER["volumeMounts"]}

    named = [settings.tls_certificate, settings.tls_key, settings.signed_tokens, settings.sessions_folder]
    for path in (*named, settings.audit, settings.upload_folder, *settings.roots):
        assert path is not None
        assert mounts & {path, *path.parents}, path
    (port,) = SERVER["ports"]
    assert settings.address.endswith(f":{port['containerPort']}")
    assert one("NetworkPolicy")["spec"]["ingress"][0]["ports"][0]["port"] == port["containerPort"]
    volumes = {volume["name"] for volume in POD["volumes"]} | {
        claim["metadata"]["name"] for claim in one("StatefulSet")["spec"]["volumeClaimTemplates"]
    }
    assert {mount["name"] for mount in SERVER["volumeMounts"]} == volumes


def test_probes_and_hook_are_commands_of_the_server() -> None:
    commands = [SERVER[f"{name}Probe"]["exec"]["command"] for name in ("startup", "readiness", "liveness")]
    hook = SERVER["lifecycle"]["preStop"]["exec"]["command"]

    for program, *words in (*commands, hook):
        assert program == "masklet-server"
        check_command(group(app), words)
    check_command(group(app), SERVER["args"])
    # A server that drains is not ready, and is not killed for it.
    assert ["--alive" in command for command in commands] == [True, False, True]


def test_a_drain_has_the_time_it_waits_for() -> None:
    hook = SERVER["lifecycle"]["preStop"]["exec"]["command"]
    wait_s = float(hook[hook.index("--wait-s") + 1])

    # Then SIGTERM, after which the server needs ten seconds.
    assert POD["terminationGracePeriodSeconds"] >= wait_s + 20


def test_it_may_do_nothing_that_it_need_not() -> None:
    closed = SERVER["securityContext"]

    assert closed["readOnlyRootFilesystem"] is True
    assert closed["allowPrivilegeEscalation"] is False
    assert closed["capabilities"]["drop"] == ["ALL"]
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert POD["automountServiceAccountToken"] is False
    assert one("NetworkPolicy")["spec"]["egress"] == []
    assert one("Namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for volume in POD["volumes"]:
        if "secret" in volume:
            # Readable by its group, by nobody else.
            assert volume["secret"]["defaultMode"] & 0o007 == 0
