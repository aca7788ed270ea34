"""The alerts that everybody has, with the labels they really carry, lead to what they are about.

The label sets are those of kubernetes-mixin's expressions as kube-prometheus evaluates them, and with what
kube-prometheus-stack leaves on top (its own kube-state-metrics' pod, container, service and endpoint; reports
of KubeDeploymentReplicasMismatch with all of these are easily found).
"""

from collections.abc import Mapping, Sequence

from tests.planning.test_resolve import KSM, KSM_BEHIND_A_PROXY, KSM_OF_THE_STACK, written
from tests.support.world import World

SCRAPED = (KSM, KSM_BEHIND_A_PROXY, KSM_OF_THE_STACK)
"""The two ways in which labels of the scrape come along."""
API, DB, AGENT = "deployment/shop/api:", "statefulset/shop/db:", "daemonset/shop/agent:"
OF_THE_KUBELET = {
    "job": "kubelet",
    "metrics_path": "/metrics",
    "endpoint": "https-metrics",
    "service": "kps-kubelet",
    "node": "node-1",
    "instance": "10.0.0.4:10250",
}
OF_THE_NODE_EXPORTER = {
    "job": "node-exporter",
    "instance": "worker-1",
    "namespace": "monitoring",
    "pod": "node-exporter-v8sz4",
    "container": "node-exporter",
    "service": "node-exporter",
    "endpoint": "https",
}

BY_WAY_OF_KUBE_STATE_METRICS: Sequence[tuple[str, Mapping[str, str], str]] = (
    ("KubeDeploymentReplicasMismatch", {"deployment": "api"}, API),
    ("KubeDeploymentGenerationMismatch", {"deployment": "api"}, API),
    ("KubeDeploymentRolloutStuck", {"deployment": "api", "condition": "Progressing", "status": "false"}, API),
    ("KubeStatefulSetReplicasMismatch", {"statefulset": "db"}, DB),
    ("KubeStatefulSetUpdateNotRolledOut", {"statefulset": "db"}, DB),
    ("KubeDaemonSetRolloutStuck", {"daemonset": "agent"}, AGENT),
    ("KubeDaemonSetMisScheduled", {"daemonset": "agent"}, AGENT),
    ("KubePodCrashLooping", {"pod": "{api}", "container": "app", "reason": "CrashLoopBackOff"}, API),
    ("KubeContainerWaiting", {"pod": "db-0", "container": "app", "reason": "ImagePullBackOff"}, DB),
    ("KubeHpaMaxedOut", {"horizontalpodautoscaler": "api"}, API),
    ("KubeHpaReplicasMismatch", {"horizontalpodautoscaler": "api"}, API),
    ("KubeJobFailed", {"job_name": "nightly-1", "condition": "true"}, "refused: it is about Job nightly-1"),
    (
        "KubeQuotaAlmostFull",
        {"resourcequota": "all", "resource": "cpu"},
        "refused: the alert names no workload",
    ),
    # The metric has no container, and that of the scrape is not the pod's.
    ("KubePodNotScheduled", {"pod": "{api}"}, API),
)
OTHERS: Sequence[tuple[str, Mapping[str, str], str]] = (
    # Aggregated: nothing of the scrape is left but `job`.
    ("KubePodNotReady", {"namespace": "shop", "pod": "{api}", "job": "kube-state-metrics"}, API),
    ("KubeJobNotCompleted", {"namespace": "shop", "job_name": "migrate"}, "refused: it is about Job migrate"),
    ("CPUThrottlingHigh", {"namespace": "shop", "pod": "{api}", "container": "app"}, API),
    (
        "CPUThrottlingHigh",
        {
            "namespace": "shop",
            "pod": "{api}",
            "container": "app",
            "service": "kps-kubelet",
            "instance": "10.0.0.4:10250",
        },
        API,
    ),
    ("TargetDown", {"namespace": "shop", "job": "api-metrics", "service": "api"}, API),
    ("TargetDown", {"namespace": "shop", "job": "db", "service": "db"}, DB),
    (
        "KubePersistentVolumeFillingUp",
        {"namespace": "shop", "persistentvolumeclaim": "data-db-0", **OF_THE_KUBELET},
        "refused: it is about PersistentVolumeClaim 'data-db-0'",
    ),
    ("KubeletTooManyPods", {"node": "node-1"}, "refused: it is about node 'node-1'"),
    (
        "KubeNodeNotReady",
        {"node": "node-1", "condition": "Ready", "status": "true", **KSM},
        "refused: it is about node",
    ),
    (
        "KubeNodeNotReady",
        {"node": "node-1", "condition": "Ready", "namespace": "monitoring", **KSM_OF_THE_STACK},
        "refused: it is about node 'node-1'",
    ),
    (
        "NodeFilesystemAlmostOutOfSpace",
        {"device": "/dev/sda1", "fstype": "ext4", "mountpoint": "/", **OF_THE_NODE_EXPORTER},
        "refused: it is about node 'worker-1'",
    ),
    (
        "KubeAPIErrorBudgetBurn",
        {"severity": "critical", "short": "5m", "long": "1h"},
        "refused: the alert names no",
    ),
    (
        "CheckoutHighErrorRate",
        {
            "sloth_id": "checkout-requests",
            "sloth_service": "checkout",
            "sloth_slo": "requests",
            "sloth_severity": "page",
        },
        "refused: the alert names no workload",
    ),
    (
        "ErrorBudgetBurn",
        {
            "slo": "api-errors",
            "short": "5m",
            "long": "1h",
            "exhaustion": "2d",
            "namespace": "shop",
            "job": "api",
        },
        "refused: the alert names no workload",
    ),
    (
        "ErrorBudgetBurn",
        {"slo": "api-errors", "namespace": "shop", "service": "api", "exhaustion": "2d"},
        API,
    ),
    (
        "BlackboxProbeFailed",
        {"job": "blackbox-exporter", "instance": "https://shop.example/healthz"},
        "refused: the alert names no workload (it comes by way of blackbox-exporter)",
    ),
    (
        "BlackboxProbeFailed",
        {"job": "probe/shop/api", "namespace": "shop", "ingress": "api", "instance": "x"},
        API,
    ),
    # The application's own metrics, scraped through a ServiceMonitor and through a PodMonitor.
    (
        "HighErrorRate",
        {
            "namespace": "shop",
            "pod": "{api}",
            "container": "app",
            "service": "api",
            "endpoint": "http",
            "job": "api",
        },
        API,
    ),
    (
        "HighErrorRate",
        {"namespace": "shop", "pod": "{agent}", "container": "app", "job": "shop/agent"},
        AGENT,
    ),
    # A database's exporter beside it, and within its pod.
    (
        "PostgresDown",
        {
            "namespace": "shop",
            "pod": "prometheus-postgres-exporter-7d4-x",
            "container": "prometheus-postgres-exporter",
            "service": "prometheus-postgres-exporter",
            "job": "prometheus-postgres-exporter",
        },
        "refused: the alert names no workload (it comes by way of postgres-exporter)",
    ),
    ("PostgresDown", {"namespace": "shop", "pod": "db-0", "container": "postgres-exporter", "job": "db"}, DB),
    (
        "NodeDown",
        {"job": "node_exporter", "instance": "worker-1:9100"},
        "refused: it is about node 'worker-1:9100'",
    ),
    # ingress-nginx as its ServiceMonitor has it: what it serves has made way for what it is.
    (
        "NginxHighErrorRate",
        {
            "namespace": "ingress-nginx",
            "pod": "ingress-nginx-controller-1",
            "container": "controller",
            "service": "ingress-nginx-controller-metrics",
            "exported_namespace": "shop",
            "exported_service": "api",
            "ingress": "both",
            "host": "shop.example",
            "path": "/",
        },
        "refused: two candidates",
    ),
    (
        "NginxHighErrorRate",
        {
            "namespace": "ingress-nginx",
            "pod": "ingress-nginx-controller-1",
            "exported_namespace": "shop",
            "exported_service": "api",
            "ingress": "both",
        },
        API,
    ),
)


async def test_the_usual_alerts_lead_to_what_they_are_about(world: World) -> None:
    cases = [
        (name, {"namespace": "shop", **scraped, **labels}, expected)
        for name, labels, expected in BY_WAY_OF_KUBE_STATE_METRICS
        for scraped in SCRAPED
    ]
    wrong = []
    for name, labels, expected in (*cases, *OTHERS):
        found = written(await world.resolve({"alertname": name, **labels}))
        if not found.startswith(expected):
            wrong.append((name, labels, found))
    assert wrong == []
