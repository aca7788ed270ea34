"""A namespace with what alerts speak of, on the emulator, and a resolver that reads it over HTTP."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remediator.clients.kube_connection import connect
from remediator.clients.kube_read import KubeReader
from remediator.domain.answers import Refusal
from remediator.planning.resolve import Resolved, Resolver
from remediator.rulebook.rule import RuleTarget
from remediator.sandbox.kubernetes import EVERYTHING, PROMPT, Account, Emulator
from remediator.store.database import Database
from remediator.store.pod_owners import OwnedPod, remember
from tests.support.clock import DrivenClock

Json = dict[str, Any]


def workload(kind: str, name: str, *, replicas: int = 1, **metadata: Any) -> Json:
    """A workload whose pods carry the labels `app` (its name) and `tier: front`, with one container `app`."""
    spec: Json = {
        "selector": {"matchLabels": {"app": name}},
        "template": {
            "metadata": {"labels": {"app": name, "tier": "front" if kind == "Deployment" else "back"}},
            "spec": {"containers": [{"name": "app", "image": "app:v1"}]},
        },
    }
    if kind != "DaemonSet":
        spec["replicas"] = replicas
    if kind == "StatefulSet":
        spec["serviceName"] = name
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "shop", **metadata},
        "spec": spec,
    }


def thing(api_version: str, kind: str, name: str, spec: Json | None = None, **metadata: Any) -> Json:
    """Any other object of the namespace."""
    metadata = {"name": name, "namespace": "shop", **metadata}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec or {}}


def service(name: str, **selector: str) -> Json:
    return thing("v1", "Service", name, {"selector": selector, "ports": [{"port": 80}]})


def owned_by(api_version: str, kind: str, name: str, uid: str) -> list[Json]:
    return [{"apiVersion": api_version, "kind": kind, "name": name, "uid": uid, "controller": True}]


def bare_pod(name: str, owners: Sequence[Json] = (), **labels: str) -> Json:
    spec = {"containers": [{"name": "app", "image": "app:v1"}]}
    metadata = {"labels": labels, "ownerReferences": list(owners)}
    return {**thing("v1", "Pod", name, spec, **metadata)}


def ingress(name: str, *paths: tuple[str, str, str]) -> Json:
    """Each path is a host, a path and the Service it leads to."""
    rules = [
        {
            "host": host,
            "http": {
                "paths": [{"path": path, "backend": {"service": {"name": backend, "port": {"number": 80}}}}]
            },
        }
        for host, path, backend in paths
    ]
    return thing("networking.k8s.io/v1", "Ingress", name, {"rules": rules})


def autoscaler(name: str, api_version: str, kind: str, scaled: str) -> Json:
    target = {"apiVersion": api_version, "kind": kind, "name": scaled}
    spec = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 4}
    return thing("autoscaling/v2", "HorizontalPodAutoscaler", name, spec)


@dataclass
class World:
    """What there is, and what is asked of it."""

    emulator: Emulator
    database: Database
    resolver: Resolver

    def pod_of(self, name: str) -> str:
        """The name of one pod of a workload."""
        found = self.emulator.list("pods", "shop", f"app={name}")
        return str(found[0]["metadata"]["name"])

    def uid_of(self, resource: str, name: str) -> str:
        found = self.emulator.get(resource, "shop", name)
        assert found is not None
        return str(found["metadata"]["uid"])

    def labels(self, labels: Mapping[str, str]) -> dict[str, str]:
        """Labels with `{api}` and the like filled in: the name of a pod of workload api."""
        return {
            key: self.pod_of(value[1:-1]) if value.startswith("{") else value for key, value in labels.items()
        }

    async def resolve(self, labels: Mapping[str, str], *entries: RuleTarget) -> Resolved | Refusal:
        return await self.resolver.resolve(self.labels(labels), entries)

    async def remember(self, pod: str, kind: str, name: str, uid: str) -> None:
        """The memory saw this pod."""
        owned = OwnedPod(pod=pod, pod_uid=f"uid of {pod}", kind=kind, name=name, uid=uid)
        async with self.database.transaction() as connection:
            await remember(connection, "test", "shop", [owned])


SCRAPED_INSTEAD = {
    "node-exporter": "DaemonSet",
    "pushgateway": "Deployment",
    "otel-collector": "Deployment",
    "traefik": "Deployment",
    "kminion": "Deployment",
}
"""What metrics come by way of, in the namespace of what they are about: no alert about those is about these."""


def everything(emulator: Emulator) -> None:
    """One of each thing that alerts name, and of each that is easily taken for another."""
    for each in ("api", "web"):
        emulator.create(workload("Deployment", each))
    emulator.create(workload("Deployment", "asleep", replicas=0))
    emulator.create(workload("StatefulSet", "db"))
    emulator.create(workload("DaemonSet", "agent"))
    made = emulator.create(thing("flagger.app/v1beta1", "Canary", "api"))
    canary = owned_by("flagger.app/v1beta1", "Canary", "api", made["metadata"]["uid"])
    emulator.create(workload("Deployment", "api-primary", replicas=0, ownerReferences=canary))
    emulator.create(workload("Deployment", "kube-state-metrics"))
    for name, kind in SCRAPED_INSTEAD.items():
        made = workload(kind, name)
        made["spec"]["template"]["metadata"]["labels"]["tier"] = "monitoring"
        made["spec"]["template"]["spec"]["containers"][0]["name"] = name
        emulator.create(made)
        emulator.create(service(name, app=name))
    emulator.create(bare_pod("debug", app="debug"))
    node = emulator.get("nodes", "", "node-1")
    assert node is not None
    emulator.create(
        bare_pod("static", owned_by("v1", "Node", "node-1", node["metadata"]["uid"]), app="static")
    )
    nightly = owned_by("batch/v1", "CronJob", "nightly", "c")
    job = emulator.create(thing("batch/v1", "Job", "nightly-1", ownerReferences=nightly))
    of_job = owned_by("batch/v1", "Job", "nightly-1", job["metadata"]["uid"])
    emulator.create(bare_pod("nightly-1-abcde", of_job, app="nightly"))
    emulator.create(thing("batch/v1", "Job", "migrate"))
    made = emulator.create(thing("argoproj.io/v1alpha1", "Rollout", "cart"))
    rollout = owned_by("argoproj.io/v1alpha1", "Rollout", "cart", made["metadata"]["uid"])
    moved = {"replicas": 0, **workload("Deployment", "cart")["spec"]}
    emulator.create(
        thing("apps/v1", "ReplicaSet", "cart-1", {**moved, "replicas": 1}, ownerReferences=rollout)
    )
    emulator.create(
        thing(
            "apps/v1", "ReplicaSet", "lonely-1", {**workload("Deployment", "lonely")["spec"], "replicas": 1}
        )
    )
    operator = owned_by("acid.zalan.do/v1", "postgresql", "pg", "p")
    emulator.create(workload("StatefulSet", "pg", ownerReferences=operator))
    emulator.create(bare_pod("odd", owned_by("example.com/v1", "Widget", "w", "w"), app="odd"))
    _add_services(emulator)


def _add_services(emulator: Emulator) -> None:
    for each in ("api", "web", "db", "debug", "nightly", "cart", "asleep", "kube-state-metrics"):
        emulator.create(service(each, app=each))
    emulator.create(service("front", tier="front"))
    emulator.create(service("stale", app="renamed"))
    emulator.create(thing("v1", "Service", "by-hand", {"ports": [{"port": 80}]}))
    outside = {"type": "ExternalName", "externalName": "db.example.com"}
    emulator.create(thing("v1", "Service", "outside", outside))
    emulator.create(ingress("api", ("shop.example", "/", "api"), ("www.shop.example", "/", "api")))
    emulator.create(ingress("both", ("shop.example", "/api", "api"), ("shop.example", "/", "web")))
    emulator.create(ingress("nowhere", ("shop.example", "/", "missing")))
    emulator.create(autoscaler("api", "apps/v1", "Deployment", "api"))
    emulator.create(autoscaler("cart", "argoproj.io/v1alpha1", "Rollout", "cart"))
    emulator.create(autoscaler("gone", "apps/v1", "Deployment", "gone"))


@asynccontextmanager
async def a_world(
    tmp_path: Path, database: Database, clock: DrivenClock, populate: Callable[[Emulator], None] = everything
) -> AsyncIterator[World]:
    """The namespaces `shop` and `other`, both opted in, half a minute after `populate` made what is in them."""
    account = Account("remediator", "kube-token", rules=(EVERYTHING,))
    async with Emulator(clock, settings=PROMPT, accounts=(account,)) as emulator:
        for name in ("shop", "other"):
            labels = {"remediator.io/enabled": "true"}
            emulator.create(
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
            )
        populate(emulator)
        await clock.advance(30)
        await emulator.catch_up()
        connection = await connect(emulator.kubeconfig(tmp_path / "kubeconfig", token="kube-token"))
        try:
            yield World(emulator, database, Resolver(KubeReader(connection), database, "test"))
        finally:
            await connection.close()
