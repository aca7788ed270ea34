"""One alert gives exactly one object that exists, or a refusal that names why."""

from collections.abc import Mapping, Sequence

from remediator.domain.answers import Refusal
from remediator.planning.resolve import Resolved
from remediator.rulebook.rule import RuleTarget
from tests.support.world import World

API = "deployment/shop/api"
ENTRY = RuleTarget(match=('{job="x"}',), target=API, depends_on=("statefulset/shop/db",))
ENTRY_OF_WEB = RuleTarget(match=('{job="x"}',), target="deployment/shop/web")
GONE = RuleTarget(match=('{job="x"}',), target="deployment/shop/gone")

KSM = {"job": "kube-state-metrics", "instance": "10.1.4.7:8080"}
"""What is left of the scrape of kube-state-metrics where relabelling drops its pod, container and service."""
KSM_BEHIND_A_PROXY = {**KSM, "container": "kube-rbac-proxy-main"}
"""What kube-prometheus leaves of it: the container is the proxy's through which it is scraped."""
KSM_OF_THE_STACK = {
    **KSM,
    "container": "kube-state-metrics",
    "endpoint": "http",
    "pod": "kps-kube-state-metrics-5d8c-x9k2l",
    "service": "kps-kube-state-metrics",
}
"""What kube-prometheus-stack leaves of it, with honor_labels: the subject's labels win where it has them."""

NAMED: Sequence[tuple[Mapping[str, str], str, str]] = (
    # Labels, the target, and a part of how it was found.
    ({"namespace": "shop", "deployment": "api"}, API, "its labels name deployment api"),
    ({"namespace": "shop", "statefulset": "db"}, "statefulset/shop/db", "labels name"),
    ({"namespace": "shop", "daemonset": "agent"}, "daemonset/shop/agent", "labels name"),
    ({"namespace": "shop", "workload": "api", "workload_type": "deployment"}, API, "labels name"),
    ({"namespace": "shop", "workload": "db", "workload_type": "StatefulSet"}, "statefulset/shop/db", ""),
    ({"namespace": "shop", "statefulset": "pg"}, "statefulset/shop/pg", ""),
    ({"namespace": "shop", "pod": "{api}"}, API, "which is owned by Deployment api"),
    ({"namespace": "shop", "pod": "{api}", "container": "app", **KSM}, API, "is owned by ReplicaSet api-"),
    ({"namespace": "shop", "pod": "db-0"}, "statefulset/shop/db", "pod db-0 is owned by StatefulSet db"),
    ({"namespace": "shop", "pod": "{agent}"}, "daemonset/shop/agent", "is owned by DaemonSet agent"),
    ({"namespace": "shop", "pod": "{api}", "node": "node-1"}, API, ""),
    ({"namespace": "shop", "pod": "{api}", "deployment": "api"}, API, "which is owned by Deployment api"),
    (
        {"namespace": "shop", "pod": "{api}", "service": "api"},
        API,
        "Service api selects pods of deployment api",
    ),
    ({"namespace": "shop", "pod": "{api}", "service": "front"}, API, ""),
    ({"namespace": "shop", "pod": "{api}", "service": "checkout"}, API, "there is no Service checkout"),
    ({"namespace": "shop", "pod": "{api}", "service": "The Checkout"}, API, "is not a Service's name"),
    ({"namespace": "shop", "service": "api"}, API, "Service api selects pods of deployment api"),
    ({"namespace": "shop", "service": "asleep"}, "deployment/shop/asleep", "selects no pods now"),
    ({"namespace": "shop", "ingress": "api"}, API, "Ingress api leads to Service api"),
    ({"namespace": "shop", "ingress": "both", "host": "shop.example", "path": "/api"}, API, "leads to"),
    ({"namespace": "shop", "ingress": "both", "service": "web"}, "deployment/shop/web", "Service web"),
    (
        {"namespace": "shop", "horizontalpodautoscaler": "api", **KSM_OF_THE_STACK},
        API,
        "scales Deployment api",
    ),
    ({"namespace": "shop", "hpa": "api"}, API, "HorizontalPodAutoscaler api scales Deployment api"),
    ({"namespace": "shop", "deployment": "api", **KSM_OF_THE_STACK}, API, "labels name"),
    ({"namespace": "shop", "statefulset": "db", **KSM_OF_THE_STACK}, "statefulset/shop/db", ""),
    ({"namespace": "shop", "deployment": "api", **KSM_BEHIND_A_PROXY}, API, "is taken for one of kube-state"),
    ({"namespace": "shop", "pod": "{api}", **KSM_BEHIND_A_PROXY}, API, "is taken for one of kube-state"),
    # An exporter nobody knows, with honor_labels: its pod is not in this namespace, nor is its Service.
    (
        {"namespace": "shop", "deployment": "api", "pod": "x-metrics-1", "container": "x", "service": "x"},
        API,
        "there is no pod x-metrics-1 in namespace shop",
    ),
    # Scraped without honor_labels.
    (
        {
            "namespace": "monitoring",
            "pod": "kube-state-metrics-1",
            "container": "kube-state-metrics",
            "service": "kube-state-metrics",
            "exported_namespace": "shop",
            "exported_pod": "{api}",
            "exported_container": "app",
        },
        API,
        "which is owned by Deployment api",
    ),
    (
        {"namespace": "ops", "deployment": "ksm", "exported_namespace": "shop", "exported_deployment": "api"},
        API,
        "",
    ),
    (
        {
            "namespace": "ops",
            "pod": "nginx-1",
            "service": "nginx",
            "exported_namespace": "shop",
            "exported_service": "api",
        },
        API,
        "",
    ),
)

REFUSED: Sequence[tuple[Mapping[str, str], str]] = (
    ({}, "names no workload"),
    ({"namespace": "shop"}, "names no workload"),
    ({"job": "api", "instance": "10.0.0.1:80"}, "names no workload"),
    ({"sloth_service": "checkout", "sloth_slo": "requests", "sloth_severity": "page"}, "names no workload"),
    ({"slo": "requests", "short": "5m", "long": "1h", "exhaustion": "2d"}, "names no workload"),
    ({"job": "blackbox-exporter", "instance": "https://shop.example/"}, "names no workload"),
    ({"deployment": "api"}, "no namespace, and none is ever assumed"),
    ({"pod": "{api}"}, "no namespace, and none is ever assumed"),
    ({"namespace": "shop", "workload": "api"}, "names no workload"),
    ({"namespace": "shop", "container": "app"}, "names no workload"),
    # Two things at once.
    ({"namespace": "shop", "deployment": "api", "statefulset": "db"}, "two candidates"),
    (
        {"namespace": "shop", "deployment": "api", "workload": "web", "workload_type": "deployment"},
        "two cand",
    ),
    ({"namespace": "shop", "deployment": "web", "pod": "{api}"}, "two candidates"),
    ({"namespace": "shop", "deployment": "web", "service": "api"}, "two candidates"),
    ({"namespace": "shop", "pod": "{api}", "service": "web"}, "two candidates"),
    ({"namespace": "shop", "deployment": "web", "horizontalpodautoscaler": "api"}, "two candidates"),
    ({"namespace": "shop", "service": "front"}, "more than one candidate"),
    ({"namespace": "shop", "ingress": "both"}, "leads to api and web, and the alert does not say"),
    ({"namespace": "shop", "ingress": "both", "host": "shop.example"}, "does not say to which"),
    ({"namespace": "shop", "pod": "{api}", "container": "sidecar"}, "has no container 'sidecar'"),
    ({"namespace": "shop", "deployment": "api", "container": "sidecar"}, "has no container 'sidecar'"),
    ({"namespace": "shop", "deployment": "api", "pod": "debug"}, "pod debug is owned by nothing"),
    ({"namespace": "shop", "deployment": "api", "job_name": "migrate"}, "it is about Job migrate"),
    # Something that does not exist, or is another one of that name.
    ({"namespace": "shop", "deployment": "gone"}, "there is no deployment gone in namespace shop"),
    ({"namespace": "other", "deployment": "api"}, "there is no deployment api in namespace other"),
    ({"namespace": "nowhere", "deployment": "api"}, "there is no deployment api in namespace nowhere"),
    ({"namespace": "shop", "pod": "api-7d4-x2"}, "there is no pod api-7d4-x2"),
    ({"namespace": "shop", "pod": "api-7d4-x2", "service": "api"}, "there is no pod api-7d4-x2"),
    ({"namespace": "shop", "service": "gone"}, "there is no Service gone"),
    ({"namespace": "shop", "ingress": "gone"}, "there is no Ingress gone"),
    ({"namespace": "shop", "ingress": "nowhere"}, "there is no Service missing"),
    ({"namespace": "shop", "hpa": "none"}, "there is no HorizontalPodAutoscaler none"),
    ({"namespace": "shop", "hpa": "gone"}, "there is no deployment gone"),
    (
        {"namespace": "shop", "pod": "db-0", "uid": "00000000-0000-4000-8000-000000000000"},
        "deleted and made anew",
    ),
    # What nobody may change, or not in this way.
    ({"namespace": "shop", "pod": "debug"}, "owned by nothing"),
    ({"namespace": "shop", "pod": "static"}, "static pod"),
    ({"namespace": "shop", "pod": "odd"}, "owned by Widget w: remediator does not change that kind"),
    ({"namespace": "shop", "replicaset": "lonely-1"}, "owned by nothing"),
    ({"namespace": "shop", "replicaset": "cart-1"}, "kubectl argo rollouts undo cart"),
    ({"namespace": "shop", "service": "cart"}, "kubectl argo rollouts undo cart"),
    ({"namespace": "shop", "hpa": "cart"}, "kubectl argo rollouts undo cart"),
    ({"namespace": "shop", "rollout": "cart"}, "kubectl argo rollouts undo cart"),
    ({"namespace": "shop", "deployment": "api-primary"}, "Flagger moves it"),
    ({"namespace": "shop", "workload": "x", "workload_type": "replicationcontroller"}, "does not change"),
    ({"namespace": "shop", "pod": "nightly-1-abcde"}, "Job nightly-1, which CronJob nightly made"),
    ({"namespace": "shop", "job_name": "nightly-1", **KSM_OF_THE_STACK}, "which CronJob nightly made"),
    ({"namespace": "shop", "job_name": "migrate", **KSM}, "kubectl logs job/migrate -n shop"),
    ({"namespace": "shop", "cronjob": "nightly"}, "it is about CronJob nightly"),
    ({"namespace": "shop", "service": "debug"}, "selects no pods of a workload"),
    ({"namespace": "shop", "service": "stale"}, "its selector is app=renamed"),
    ({"namespace": "shop", "service": "by-hand"}, "has no selector"),
    ({"namespace": "shop", "service": "outside"}, "stands for db.example.com"),
    ({"namespace": "shop", "persistentvolumeclaim": "data-db-0", "job": "kubelet", "node": "n"}, "data-db-0"),
    (
        {"node": "node-1", "condition": "Ready", "namespace": "monitoring", **KSM_OF_THE_STACK},
        "node 'node-1'",
    ),
    (
        {
            "namespace": "monitoring",
            "pod": "node-exporter-x",
            "service": "node-exporter",
            "job": "node-exporter",
            "instance": "worker-1",
        },
        "it is about node 'worker-1': remediator changes workloads only",
    ),
    # The scrape's labels are not the subject's, and the subject's are not all there.
    (
        {"namespace": "traefik", "pod": "traefik-1", "service": "traefik", "exported_service": "shop-api@k"},
        "no namespace (exported_service is there",
    ),
    ({"namespace": "shop", "pod": "{api}", "exported_pod": "x"}, "no namespace"),
    (
        {"namespace": "shop", "deployment": "api", "exported_deployment": "gone"},
        "there is no deployment gone",
    ),
    ({"namespace": "shop", "exported_namespace": "other", "deployment": "api"}, "namespace other"),
    # Names that are none.
    ({"namespace": "shop", "deployment": "API"}, "'API' is not an object's name"),
    ({"namespace": "Shop", "deployment": "api"}, "'Shop' is not a namespace's name"),
    ({"namespace": "shop", "deployment": "api/../../x"}, "not an object's name"),
    ({"namespace": "shop", "pod": "{api}", "service": "*"}, "not an object's name"),
)


def written(found: Resolved | Refusal) -> str:
    return f"{found.target}: {found.how}" if isinstance(found, Resolved) else f"refused: {found.why}"


async def test_one_alert_gives_the_one_object_it_is_about(world: World) -> None:
    wrong = []
    for labels, target, how in NAMED:
        found = await world.resolve(labels)
        if not isinstance(found, Resolved) or str(found.target) != target or how not in found.how:
            wrong.append((labels, written(found)))
    assert wrong == []


async def test_what_cannot_be_told_is_refused_by_name(world: World) -> None:
    assert len(REFUSED) >= 50
    wrong = []
    for labels, why in REFUSED:
        found = await world.resolve(labels)
        if not isinstance(found, Refusal) or why not in found.why or found.passing:
            wrong.append((labels, written(found)))
    assert wrong == []


async def test_entries_of_targets_and_labels_must_agree(world: World) -> None:
    cases: list[tuple[dict[str, str], list[RuleTarget], str]] = [
        ({"job": "x"}, [ENTRY], f"{API}: an entry of targets: says {API}"),
        ({"job": "x"}, [ENTRY, ENTRY], API),
        ({"service": "checkout", "job": "x"}, [ENTRY], API),
        ({"namespace": "shop", "deployment": "api"}, [ENTRY], API),
        ({"namespace": "shop", "service": "front"}, [ENTRY], API),
        ({"namespace": "shop", "pod": "api-7d4-x2"}, [ENTRY], API),
        ({"deployment": "api"}, [ENTRY], API),
        ({"persistentvolumeclaim": "data", "namespace": "shop"}, [ENTRY], API),
        ({"namespace": "traefik", "pod": "t-1", "exported_service": "shop-api@k"}, [ENTRY], API),
        ({"job": "x"}, [ENTRY, ENTRY_OF_WEB], "refused: two candidates"),
        ({"job": "x"}, [GONE], "refused: an entry of targets: says deployment/shop/gone, and there is no"),
        ({"namespace": "shop", "deployment": "web"}, [ENTRY], "refused: two candidates"),
        (
            {"namespace": "other", "deployment": "api"},
            [ENTRY],
            "refused: its labels name deployment api, and",
        ),
        ({"deployment": "web"}, [ENTRY], "refused: two candidates"),
        ({"namespace": "shop", "pod": "{web}"}, [ENTRY], "refused: two candidates"),
        ({"namespace": "shop", "pod": "debug"}, [ENTRY], "refused: pod debug is owned by nothing"),
    ]
    wrong = []
    for labels, entries, expected in cases:
        found = await world.resolve(labels, *entries)
        if not written(found).startswith(expected):
            wrong.append((labels, written(found)))
    assert wrong == []


async def test_what_the_workload_depends_on_comes_from_the_entry(world: World) -> None:
    found = await world.resolve({"job": "x"}, ENTRY)
    assert isinstance(found, Resolved)
    assert found.depends_on == ("statefulset/shop/db",)
    assert found.uid == world.uid_of("deployments", "api")
