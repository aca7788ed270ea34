"""What the target and its pods are made of, and what Kubernetes says of them."""

from collections.abc import Iterator

from remediator.clients.workload import SeenWorkload, look_at
from remediator.domain.answers import Evidence
from remediator.domain.run_view import RunView
from remediator.domain.value import JsonObject
from remediator.kit import Kit
from remediator.step import Diagnostic
from remediator.workloads.containers import concerns_of, containers_of, probes_of, resources_of
from remediator.workloads.deaths import OUT_OF_MEMORY, last_death, restarts_of, statuses_of, waits_for
from remediator.workloads.fields import at, count, objects, text

_MOST = 50
_LONGEST = 300
_HEALTHY = {"Progressing": "True", "Available": "True", "ReplicaFailure": "False"}
_OF_PODS = ("PodScheduled", "Initialized", "ContainersReady", "Ready")


class Describe(Diagnostic):
    """Limits, requests and probes of each container, conditions of the workload, and of pods that are not well."""

    async def look(self, run: RunView, kit: Kit) -> Evidence:
        seen = await look_at(kit.kube, run.target)
        if seen is None:
            return Evidence(step=self.key(), summary=f"{run.target} does not exist", failed=True)
        containers = [_container(each) for each in containers_of(seen.template)]
        pods = [_pod(each) for each in seen.pods]
        ill = [each for each in pods if each["conditions"] or each["containers"]]
        return Evidence(
            step=self.key(),
            summary="; ".join(_said(seen, containers, ill)),
            details={
                "replicas": count(seen.workload, "spec", "replicas"),
                "strategy": at(seen.workload, "spec", "strategy")
                or at(seen.workload, "spec", "updateStrategy"),
                "containers": containers,
                "conditions": _conditions(seen.workload),
                "pods": ill[:_MOST],
                "pods_without_trouble": len(pods) - len(ill),
                "left_out": max(0, len(ill) - _MOST),
            },
        )


def _container(container: JsonObject) -> JsonObject:
    return {
        "name": text(container, "name"),
        "image": text(container, "image"),
        **resources_of(container),
        "probes": probes_of(container),
        "concerns": concerns_of(container),
    }


def _conditions(owner: JsonObject) -> list[JsonObject]:
    return [
        {
            "type": text(each, "type"),
            "status": text(each, "status"),
            "reason": text(each, "reason"),
            "message": text(each, "message")[:_LONGEST],
            "since": text(each, "lastTransitionTime"),
        }
        for each in objects(owner, "status", "conditions")
    ]


def _pod(pod: JsonObject) -> JsonObject:
    """The conditions that are not met and the containers that wait or died; both empty for a pod that is well."""
    return {
        "name": text(pod, "metadata", "name"),
        "qos": text(pod, "status", "qosClass"),
        "restarts": restarts_of(pod),
        "conditions": [
            each for each in _conditions(pod) if each["type"] in _OF_PODS and each["status"] != "True"
        ],
        "containers": [
            {"name": text(each, "name"), "waits_for": waits_for(each), "died": last_death(each)}
            for each in statuses_of(pod)
            if waits_for(each) or last_death(each)
        ],
    }


def _said(seen: SeenWorkload, containers: list[JsonObject], ill: list[JsonObject]) -> Iterator[str]:
    for each in _conditions(seen.workload):
        if _HEALTHY.get(each["type"], each["status"]) != each["status"]:
            yield f"{each['type']} is {each['status']}: {each['reason']}"
    killed = {one["name"] for pod in ill for one in pod["containers"] if _out_of_memory(one)}
    for each in containers:
        if each["name"] in killed:
            limit = each["limits"].get("memory", "none")
            yield f"{each['name']} was killed for want of memory (limit {limit})"
        elif each["concerns"]:
            yield f"{each['name']} has {', '.join(each['concerns'])}"
    yield (
        f"{len(ill)} of {len(seen.pods)} pods in trouble"
        if ill
        else f"{len(seen.pods)} pods, none in trouble"
    )


def _out_of_memory(container: JsonObject) -> bool:
    return text(container, "died", "reason") == OUT_OF_MEMORY
