"""The recordings that are replayed: what was there before their first exchange, and what may differ, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.sandbox.kubernetes_client import Json
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
    explained: exchanges that may differ, and the reason; one that does not differ must not be listed.
    """

    parts: Sequence[str] = ()
    present: Sequence[tuple[str, Json]] = ()
    unrecorded: Sequence[Unrecorded] = ()
    explained: Mapping[str, str] = field(default_factory=dict)


def _settled_deployment(name: str) -> tuple[str, Json]:
    container = {
        "name": "web",
        "image": "registry.example.com/shop/web:v1",
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 1},
    }
    labels = {"app": name}
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]},
        },
    }
    return (
        "/apis/apps/v1/namespaces/shop-gc/deployments",
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "labels": labels},
            "spec": spec,
        },
    )


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
        present=[_settled_deployment(name) for name in ("background", "foreground", "orphan")]
    ),
    "leases": Scenario(),
    "kubectl-deployment": Scenario(parts=("kubectl-deployment-more",)),
    "kubectl-other": Scenario(),
    "pods": Scenario(parts=("pods-logs", "pods-exec")),
    "watch-protocol": Scenario(),
    "watch-streaming-list": Scenario(),
    "discovery": Scenario(),
    "rbac": Scenario(),
    "jobs": Scenario(),
    "events": Scenario(),
    "endpointslices": Scenario(),
    "nodes-namespaces": Scenario(),
}
