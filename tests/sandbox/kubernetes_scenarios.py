"""The recordings that are replayed: what was there before their first exchange, and what may differ, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.sandbox import kubernetes_known_differences as differences
from tests.sandbox.kubernetes_client import Json
from tests.sandbox.kubernetes_deeds import BAD_POD, PODS, SECRETS, STREAMED, TIER, deployment_at
from tests.sandbox.kubernetes_replay import Unrecorded
from tests.sandbox.kubernetes_sets import recorded_set


@dataclass(frozen=True)
class Scenario:
    """One recording.

    parts: further files recorded at the same time, merged in by time.
    present: path and object of what was there before.
    unrecorded: what happened besides what was recorded.
    watch_list: whether the server had that feature gate on.
    pull_seconds: how long images took to be pulled.
    explained: exchanges that may differ, and the reason; one that does not differ must not be listed.
    """

    parts: Sequence[str] = ()
    present: Sequence[tuple[str, Json]] = ()
    unrecorded: Sequence[Unrecorded] = ()
    watch_list: bool = False
    pull_seconds: float = 0.1
    explained: Mapping[str, str] = field(default_factory=dict)

    @property
    def never_equal(self) -> set[str]:
        """The explained exchanges, but those a state would answer that may yet come."""
        return {each for each, why in self.explained.items() if why != differences.BETWEEN_TWO_LOOKS}


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
        explained=differences.ERRORS,
    ),
    "scale-hpa-pdb-eviction": Scenario(explained=differences.SCALE_HPA_PDB_EVICTION),
    "deletion-gc": Scenario(
        present=[deployment_at(name, "shop-gc") for name in ("background", "foreground", "orphan")]
    ),
    "leases": Scenario(),
    "kubectl-deployment": Scenario(
        parts=("kubectl-deployment-more",), present=[deployment_at("api", "shop-kubectl", 2)]
    ),
    "kubectl-other": Scenario(
        present=[deployment_at("api", "shop-kubectl", 2)], explained=differences.KUBECTL_OTHER
    ),
    "pods": Scenario(
        parts=("pods-logs", "pods-exec"),
        unrecorded=PODS,
        pull_seconds=2.0,
        explained=differences.PODS,
    ),
    "watch-protocol": Scenario(
        unrecorded=SECRETS,
    ),
    "watch-streaming-list": Scenario(unrecorded=STREAMED, watch_list=True),
    "discovery": Scenario(explained=differences.DISCOVERY),
    "rbac": Scenario(present=[deployment_at("api", "shop-rbac")], explained=differences.RBAC),
    "jobs": Scenario(explained=differences.JOBS),
    "events": Scenario(unrecorded=[BAD_POD], explained=differences.EVENTS),
    "endpointslices": Scenario(unrecorded=TIER, explained=differences.ENDPOINTSLICES),
    "nodes-namespaces": Scenario(explained=differences.NODES_NAMESPACES),
}
