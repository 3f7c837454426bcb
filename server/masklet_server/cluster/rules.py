"""What the gateway's calls belong to: those of a server, and those that workers and keepers make."""

from __future__ import annotations

from collections.abc import Mapping

from masklet.scopes import Scope
from masklet_server.service.rules import RULES, Rule

CLUSTER = "/masklet.v1.ClusterService/"

GATEWAY_RULES: Mapping[str, Rule] = {
    **RULES,
    # Workers have one name in common, and hundreds of them report every second.
    f"{CLUSTER}JoinCluster": Rule(Scope.ADMIN, "join-cluster", counted=False),
    f"{CLUSTER}ReportWorker": Rule(Scope.ADMIN, counted=False),
    f"{CLUSTER}ClaimSession": Rule(Scope.ADMIN, counted=False),
    f"{CLUSTER}TellSession": Rule(Scope.ADMIN, counted=False),
    f"{CLUSTER}ReleaseSession": Rule(Scope.ADMIN, counted=False),
    f"{CLUSTER}ForgetSession": Rule(Scope.ADMIN, counted=False),
    f"{CLUSTER}FindRefuge": Rule(Scope.ADMIN, counted=False),
    f"{CLUSTER}LeaveCluster": Rule(Scope.ADMIN, "leave-cluster", counted=False),
    f"{CLUSTER}ListWorkers": Rule(Scope.ADMIN, counted=False),
    f"{CLUSTER}DrainWorker": Rule(Scope.ADMIN, "drain-worker"),
}
"""By the name of the method on the wire."""

WORKER_RULES: Mapping[str, Rule] = {
    **RULES,
    "/masklet.v1.JournalService/TakeJournal": Rule(Scope.ADMIN, "take-journal", counted=False, finishes=True),
}
"""The same for workers, which answer each other as well."""
