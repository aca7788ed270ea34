"""The recordings that are replayed: what was there before their first exchange, and what may differ, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.sandbox.kubernetes_client import Json
from tests.sandbox.kubernetes_deeds import PODS, SECRETS, deployment_at
from tests.sandbox.kubernetes_replay import Unrecorded
from tests.sandbox.kubernetes_sets import recorded_set

NO_AUTOSCALER = "the emulator has no HorizontalPodAutoscaler controller"
BETWEEN_TWO_LOOKS = "the recording shows a state the real controllers passed through for some milliseconds"
REFUSED_BY_AIOHTTP = "aiohttp refuses methods HTTP does not know with a 400 of its own"


@dataclass(frozen=True)
class Scenario:
    """One recording.

    parts: further files recorded at the same time, merged in by time.
    present: path and object of what was there before.
    unrecorded: what happened besides what was recorded.
    pull_seconds: how long images took to be pulled.
    explained: exchanges that may differ, and the reason; one that does not differ must not be listed.
    """

    parts: Sequence[str] = ()
    present: Sequence[tuple[str, Json]] = ()
    unrecorded: Sequence[Unrecorded] = ()
    pull_seconds: float = 0.1
    explained: Mapping[str, str] = field(default_factory=dict)


_HELD = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "held", "finalizers": ["example.com/hold"]},
}

SCENARIOS: Mapping[str, Scenario] = {
    "rollback-json-patch": Scenario(),
    "deployment-rollout": Scenario(
        parts=(
            "deployment-rollout-watch-deployment",
            "deployment-rollout-watch-replicasets",
            "deployment-rollout-watch-pods",
        )
    ),
    "statefulset-daemonset": Scenario(),
    "kubectl-statefulset": Scenario(
        present=[recorded_set("StatefulSet", "db", replicas=2, serviceName="db")]
    ),
    "kubectl-daemonset": Scenario(present=[recorded_set("DaemonSet", "agent")]),
    "concurrency": Scenario(),
    "ownership-metadata": Scenario(),
    "errors": Scenario(
        present=[("/api/v1/namespaces/shop-closing/configmaps", _HELD)],
        explained={"unknown method": REFUSED_BY_AIOHTTP},
    ),
    "scale-hpa-pdb-eviction": Scenario(
        explained={
            "scale: dry run": BETWEEN_TWO_LOOKS,
            "scaled to zero: deployment": BETWEEN_TWO_LOOKS,
            "hpa: get": NO_AUTOSCALER,
            "hpa: merge patch": NO_AUTOSCALER,
            "hpa: json patch with test of maxReplicas": NO_AUTOSCALER,
            "events": NO_AUTOSCALER,
        }
    ),
    "deletion-gc": Scenario(
        present=[deployment_at(name, "shop-gc") for name in ("background", "foreground", "orphan")]
    ),
    "leases": Scenario(),
    "kubectl-deployment": Scenario(
        parts=("kubectl-deployment-more",), present=[deployment_at("api", "shop-kubectl", 2)]
    ),
    "kubectl-other": Scenario(),
    "pods": Scenario(
        parts=("pods-logs", "pods-exec"),
        unrecorded=PODS,
        pull_seconds=2.0,
    ),
    "watch-protocol": Scenario(
        unrecorded=SECRETS,
    ),
    "watch-streaming-list": Scenario(),
    "discovery": Scenario(),
    "rbac": Scenario(),
    "jobs": Scenario(),
    "events": Scenario(),
    "endpointslices": Scenario(),
    "nodes-namespaces": Scenario(),
}
