"""protected: itself, its database, monitoring and what the cluster stands on, by whatever they can be told."""

from pathlib import Path
from typing import Any

import pytest

from remediator.domain.target import Target
from remediator.guards.protected import Protected
from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import AnswerStatus
from remediator.settings.load import Settings
from remediator.settings.protected import BUILT_IN_NAMESPACES, in_cluster, namespace_of_this_pod, protected_by
from remediator.workloads.furniture import why_furniture
from tests.guards.facts import Facts
from tests.support.world import owned_by, service, workload


def target(name: str, namespace: str = "shop", kind: str = "deployment") -> Target:
    return Target(cluster="prod", kind=kind, namespace=namespace, name=name)


def labelled(name: str, labels: dict[str, str], *, of_pods: bool = False, **metadata: Any) -> dict[str, Any]:
    made = workload("Deployment", name, **metadata)
    (made["spec"]["template"] if of_pods else made)["metadata"].setdefault("labels", {}).update(labels)
    return made


MONITOR = owned_by("monitoring.coreos.com/v1", "Prometheus", "k8s", "p")
PLATFORM = owned_by("operator.tigera.io/v1", "Installation", "default", "i")


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (workload("Deployment", "coredns"), "it is part of DNS, by its name coredns"),
        (workload("DaemonSet", "node-exporter"), "it is part of monitoring, by its name node-exporter"),
        (
            labelled("watcher", {"app.kubernetes.io/name": "prometheus"}),
            "it is part of monitoring, by its label app.kubernetes.io/name prometheus",
        ),
        (labelled("x", {"app.kubernetes.io/part-of": "kube-prometheus"}), "it is part of monitoring"),
        (labelled("x", {"k8s-app": "kube-dns"}), "it is part of DNS, by its label k8s-app kube-dns"),
        (labelled("x", {"app": "alertmanager"}), "it is part of monitoring"),
        (labelled("x", {"k8s-app": "calico-node"}, of_pods=True), "it is part of the network"),
        (labelled("x", {"app.kubernetes.io/name": "ingress-nginx"}), "it is part of ingress"),
        (labelled("x", {"app.kubernetes.io/name": "kyverno"}), "it is part of admission"),
        (labelled("x", {"app.kubernetes.io/name": "remediator"}), "it is part of remediator itself"),
        (labelled("x", {"app.kubernetes.io/name": "prometheus-postgres-exporter"}), "part of monitoring"),
        (workload("StatefulSet", "x", ownerReferences=MONITOR), "by its owner Prometheus k8s"),
        (workload("DaemonSet", "x", ownerReferences=PLATFORM), "it is part of the network, by its owner"),
        (workload("Deployment", "api"), None),
        (workload("Deployment", "invoice-exporter"), None),
        (labelled("api", {"app.kubernetes.io/name": "api", "app.kubernetes.io/part-of": "shop"}), None),
        (labelled("api", {"team": "prometheus"}), None),
        (workload("Deployment", "api", ownerReferences=owned_by("example.com/v1", "App", "a", "a")), None),
        ({"metadata": {"name": 5, "labels": "none"}, "spec": None}, None),
    ],
)
def test_what_the_cluster_stands_on_is_known_by_name_label_and_owner(
    made: dict[str, Any], sentence: str | None
) -> None:
    found = why_furniture(made)
    assert found is None if sentence is None else sentence in (found or ""), found


@pytest.mark.parametrize(
    ("host", "own", "meant"),
    [
        ("prometheus.metrics.svc", None, ("metrics", "prometheus")),
        ("prometheus.metrics.svc.cluster.local", None, ("metrics", "prometheus")),
        ("PG-RW.data.svc.cluster.local.", None, ("data", "pg-rw")),
        ("db-0.db.data.svc", None, ("data", "db")),
        ("prometheus.metrics", None, ("metrics", "prometheus")),
        ("prometheus", "ops", ("ops", "prometheus")),
        ("prometheus", None, None),
        ("localhost", "ops", None),
        ("127.0.0.1", "ops", None),
        ("::1", "ops", None),
        ("db.eu-west-1.rds.example.com", "ops", None),
        ("", "ops", None),
    ],
)
def test_a_host_name_of_this_cluster(host: str, own: str | None, meant: tuple[str, str] | None) -> None:
    assert in_cluster(host, own) == meant


def test_settings_add_and_take_nothing_away() -> None:
    given = {
        "protected_namespaces": ["billing", "monitoring"],
        "alertmanagers": {"urls": ["http://alertmanager.alerts.svc:9093", "http://10.0.0.1:9093"]},
        "prometheus": {"url": "http://prometheus.metrics.svc.cluster.local:9090/prometheus"},
        "database_url": "postgresql://u:p%40@one.data.svc:5432,10.1.1.1:5432,two.data/remediator?host=three.data.svc",
    }
    found = protected_by(Settings.model_validate(given), "ops")
    for name in ("billing", "alerts", "metrics", "ops", *BUILT_IN_NAMESPACES):
        assert found.why_namespace(name) is not None, name
    for name in ("kube-system", "kube-public", "kube-flannel", "openshift-dns"):
        assert found.why_namespace(name) is not None, name
    assert found.why_namespace("shop") is None
    assert found.why_namespace("data") is None
    assert set(found.services) == {("data", "one"), ("data", "two"), ("data", "three")}
    assert found.why_namespace("ops") == "remediator itself"


@pytest.mark.parametrize(
    "url",
    ["", "postgresql:///name?host=/run/postgresql", "postgresql://u@[::1]:5432/name", "postgresql://[x/"],
)
def test_a_database_that_is_no_service_of_this_cluster(url: str) -> None:
    assert protected_by(Settings(database_url=url), "ops").services == {}


def test_the_namespace_of_this_pod(tmp_path: Path) -> None:
    assert namespace_of_this_pod(tmp_path) is None
    (tmp_path / "namespace").write_text("ops\n")
    assert namespace_of_this_pod(tmp_path) == "ops"


async def asked(facts: Facts, of: Target) -> tuple[str, str]:
    verdict = await facts.verdict(Protected(), facts.run(target=of))
    assert verdict.passing is (verdict.answer == "unknown")
    return verdict.answer, verdict.why


async def test_an_ordinary_workload_is_allowed_and_one_that_is_gone_unknown(facts: Facts) -> None:
    facts.emulator.create(workload("Deployment", "api"))
    assert (await asked(facts, target("api")))[0] == "allow"
    assert (await asked(facts, target("gone")))[0] == "unknown"
    answer, why = await asked(facts, target("coredns", "kube-system"))
    assert (answer, why) == (
        "refuse",
        "namespace kube-system is protected: Kubernetes itself lives there",
    )


DATABASE = {"database_url": "postgresql://remediator@store-rw.shop.svc:5432/remediator"}


@pytest.mark.parametrize("settings", [DATABASE])
async def test_our_database_is_what_its_service_leads_to_whatever_it_is_called(
    facts: Facts, settings: Any
) -> None:
    facts.emulator.create(workload("StatefulSet", "pg"))
    facts.emulator.create(workload("StatefulSet", "store-rw"))
    facts.emulator.create(workload("Deployment", "api"))
    database = target("pg", kind="statefulset")
    assert (await asked(facts, database))[0] == "allow"
    assert (await asked(facts, target("store-rw", kind="statefulset")))[0] == "refuse"
    facts.emulator.create(service("store-rw", app="pg"))
    answer, why = await asked(facts, database)
    assert answer == "refuse"
    assert why.endswith("it is behind Service store-rw, which is remediator's own database")
    assert (await asked(facts, target("api")))[0] == "allow"


def webhook(kind: str, namespace: str, name: str) -> dict[str, Any]:
    called = {
        "name": "check.example.com",
        "clientConfig": {"service": {"namespace": namespace, "name": name}},
    }
    outside = {"name": "outside.example.com", "clientConfig": {"url": "https://example.com"}}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": f"{kind}WebhookConfiguration",
        "metadata": {"name": "policies"},
        "webhooks": [outside, called],
    }


@pytest.mark.parametrize("kind", ["Validating", "Mutating"])
async def test_the_backend_of_an_admission_webhook(facts: Facts, kind: str) -> None:
    facts.emulator.create(workload("Deployment", "policies"))
    facts.emulator.create(service("gate", app="policies"))
    assert (await asked(facts, target("policies")))[0] == "allow"
    facts.emulator.create(webhook(kind, "shop", "gate"))
    answer, why = await asked(facts, target("policies"))
    assert answer == "refuse"
    assert why.endswith("it is behind Service gate, which is an admission webhook")


async def test_a_webhook_in_another_namespace_protects_nothing_here(facts: Facts) -> None:
    facts.emulator.create(workload("Deployment", "gate"))
    facts.emulator.create(webhook("Validating", "other", "gate"))
    assert (await asked(facts, target("gate")))[0] == "allow"


WEBHOOKS = "webhookconfigurations$"


@pytest.mark.parametrize(
    ("path", "status", "answer"),
    [
        (WEBHOOKS, 403, "allow"),
        (WEBHOOKS, 401, "unknown"),
        (WEBHOOKS, 404, "unknown"),
        (WEBHOOKS, 429, "unknown"),
        (WEBHOOKS, 500, "unknown"),
        ("/deployments/api$", 403, "unknown"),
        ("/services/gate$", 403, "unknown"),
        ("/services/gate$", 500, "unknown"),
    ],
)
async def test_what_cannot_be_read(facts: Facts, path: str, status: int, answer: str) -> None:
    """Without the right to list webhooks what the settings and names say is all there is."""
    facts.emulator.create(workload("Deployment", "api"))
    facts.emulator.create(webhook("Validating", "shop", "gate"))
    facts.emulator.faults.add(Fault("GET", path, AnswerStatus(status, "Refused", "no"), times=None))
    verdict = await facts.verdict(Protected(), facts.run(target=target("api")))
    assert verdict.answer == answer, verdict.why
    if answer == "allow":
        assert verdict.inputs["webhooks_listed"] is False
