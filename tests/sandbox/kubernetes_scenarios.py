"""The recordings that are replayed: what was there before their first exchange, and what may differ, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.sandbox.kubernetes_client import Json
from tests.sandbox.kubernetes_deeds import BAD_POD, PODS, SECRETS, deployment_at
from tests.sandbox.kubernetes_replay import Unrecorded
from tests.sandbox.kubernetes_sets import recorded_set

NO_AUTOSCALER = "the emulator has no HorizontalPodAutoscaler controller"
BETWEEN_TWO_LOOKS = "the recording shows a state the real controllers passed through for some milliseconds"
REFUSED_BY_AIOHTTP = "aiohttp refuses methods HTTP does not know with a 400 of its own"

FOUR_WAYS = "the emulator's containers know four ways to go (images.py); this pod goes another"
NO_INIT_CONTAINERS = "the emulator refuses pods with init containers"


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

    @property
    def never_equal(self) -> set[str]:
        """The explained exchanges, but those a state would answer that may yet come."""
        return {each for each, why in self.explained.items() if why != BETWEEN_TWO_LOOKS}


_HELD = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "held", "finalizers": ["example.com/hold"]},
}
_ENDS_IN_OTHER_WAYS = (
    "oom: OOMKilled",
    "no-config",
    "no-command: StartError",
    "deadline: DeadlineExceeded",
    "liveness: restarted",
    "disk: evicted for ephemeral storage",
    "slow-stop: gone",
)
_INIT_CONTAINERS = (
    "init container done",
    "init-crash: Init:CrashLoopBackOff",
    "init container still failing",
    "init container log",
)

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
    "kubectl-other": Scenario(present=[deployment_at("api", "shop-kubectl", 2)]),
    "pods": Scenario(
        parts=("pods-logs", "pods-exec"),
        unrecorded=PODS,
        pull_seconds=2.0,
        explained={
            **dict.fromkeys(_ENDS_IN_OTHER_WAYS, FOUR_WAYS),
            **dict.fromkeys(_INIT_CONTAINERS, NO_INIT_CONTAINERS),
            "events": FOUR_WAYS,
            "table of pods": FOUR_WAYS,
        },
    ),
    "watch-protocol": Scenario(
        unrecorded=SECRETS,
    ),
    "watch-streaming-list": Scenario(),
    "discovery": Scenario(),
    "rbac": Scenario(present=[deployment_at("api", "shop-rbac")]),
    "jobs": Scenario(),
    "events": Scenario(unrecorded=[BAD_POD]),
    "endpointslices": Scenario(),
    "nodes-namespaces": Scenario(),
}
