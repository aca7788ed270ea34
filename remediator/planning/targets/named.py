"""Sources that name one object: the workload itself, its ReplicaSet, its autoscaler, its Rollout, a Job."""

from remediator.domain.answers import Refusal
from remediator.planning.targets.answer import Answer, Candidates, Found, Place
from remediator.planning.targets.owner import Owner, a_job, existing, not_changed, top_owner

_APPS = "apps"


async def of_workload(place: Place, name: str, kind: str) -> Answer:
    """`deployment`, `statefulset`, `daemonset`, or `workload` with `workload_type`."""
    if kind == "job":
        return await of_job(place, name)
    return _one(await existing(place, kind, name, how=f"its labels name {kind} {name}"))


async def of_replica_set(place: Place, name: str) -> Answer:
    """`replicaset`: the Deployment it is a version of."""
    said = f"ReplicaSet {name}"
    replica_set = await place.kube.get("replicaset", place.namespace, name)
    if replica_set is None:
        return Refusal(why=f"there is no {said} in namespace {place.namespace}")
    return _one(await top_owner(place, replica_set, said))


async def of_autoscaler(place: Place, name: str) -> Answer:
    """`horizontalpodautoscaler` or `hpa`: what it scales."""
    said = f"HorizontalPodAutoscaler {name}"
    autoscaler = await place.kube.get("horizontalpodautoscaler", place.namespace, name)
    if autoscaler is None:
        return Refusal(why=f"there is no {said} in namespace {place.namespace}")
    scaled = autoscaler["spec"]["scaleTargetRef"]
    group = str(scaled.get("apiVersion", "")).rpartition("/")[0]
    kind, of_name = str(scaled["kind"]), str(scaled["name"])
    how = f"{said} scales {kind} {of_name}"
    if group != _APPS:
        return Refusal(why=f"{how}: {not_changed(Owner(group, kind, of_name, ''))}")
    if kind == "ReplicaSet":
        return await of_replica_set(place, of_name)
    return _one(await existing(place, kind.lower(), of_name, how=how))


async def of_job(place: Place, name: str) -> Answer:
    """`job_name`: never a target, and said which CronJob made it. Plain `job` is the scrape's."""
    return await a_job(place, name, f"it is about Job {name}")


async def of_cron_job(place: Place, name: str) -> Answer:
    """`cronjob`: never a target."""
    look = f"`kubectl get jobs -n {place.namespace}`"
    return Refusal(why=f"it is about CronJob {name}, whose Jobs are looked at by people: {look}")


async def of_rollout(place: Place, name: str) -> Answer:
    """`rollout`: Argo Rollouts', refused by name."""
    moved = not_changed(Owner("argoproj.io", "Rollout", name, ""))
    return Refusal(why=f"it is about Rollout {name} in namespace {place.namespace}: {moved}")


def _one(found: Found | Refusal) -> Answer:
    return found if isinstance(found, Refusal) else Candidates(found=(found,))
