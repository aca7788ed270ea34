"""From an object to the workload at the top of its owners, as controllers write them into ownerReferences."""

from typing import NamedTuple

from remediator.clients.workload import labels_of
from remediator.domain.answers import Refusal
from remediator.domain.target import KINDS, Target, no_object
from remediator.domain.value import JsonObject
from remediator.planning.targets.answer import Found, Place, container_names
from remediator.workloads.fields import at, objects


class Owner(NamedTuple):
    """The controller of an object: its API group, kind, name and uid."""

    group: str
    kind: str
    name: str
    uid: str


def owner_of(owned: JsonObject) -> Owner | None:
    """The one owner that controls an object; None when none does."""
    for each in (owned.get("metadata") or {}).get("ownerReferences") or []:
        if each.get("controller"):
            group = str(each.get("apiVersion", "")).rpartition("/")[0]
            return Owner(group, str(each.get("kind")), str(each.get("name")), str(each.get("uid")))
    return None


async def top_owner(place: Place, owned: JsonObject, said: str) -> Found | Refusal:
    """The workload that owns an object in the end, or why no workload of ours does.

    `said` is the object in words. Raises Retryable or Permanent as the reader does.
    """
    owner = owner_of(owned)
    if owner is None:
        return Refusal(why=f"{said} is owned by nothing, so that there is no workload to change")
    return await owned_by(place, owner, said)


async def owned_by(place: Place, owner: Owner, said: str) -> Found | Refusal:
    """The workload that an owner is, or that owns the owner in the end."""
    chain = f"{said} is owned by {owner.kind} {owner.name}"
    if owner.group == "apps" and owner.kind == "ReplicaSet":
        replica_set = await place.kube.get("replicaset", place.namespace, owner.name)
        if replica_set is None or replica_set["metadata"]["uid"] != owner.uid:
            return Refusal(why=f"{chain}, which is gone", passing=True)
        above = owner_of(replica_set)
        if above is None:
            return Refusal(why=f"{chain}, which is owned by nothing, so that there is no workload to change")
        return await owned_by(place, above, f"{chain}, which")
    if owner.group == "apps" and owner.kind.lower() in KINDS:
        return await existing(place, owner.kind.lower(), owner.name, how=chain, uid=owner.uid)
    if owner.group == "batch" and owner.kind == "Job":
        return await a_job(place, owner.name, chain)
    return Refusal(why=f"{chain}: {not_changed(owner)}")


async def a_job(place: Place, name: str, how: str) -> Refusal:
    """Why a Job is no target, and which CronJob made it. `how` is what led to it."""
    job = await place.kube.get("job", place.namespace, name)
    above = owner_of(job) if job is not None else None
    made_by = f", which {above.kind} {above.name} made" if above is not None else ""
    look = f"`kubectl logs job/{name} -n {place.namespace}`"
    return Refusal(why=f"{how}{made_by}; Jobs run once and are looked at by people: {look}")


async def existing(
    place: Place, kind: str, name: str, *, how: str, uid: str | None = None
) -> Found | Refusal:
    """The workload of this kind and name, which has to exist and, where `uid` is given, to be that very one."""
    if kind not in KINDS:
        return Refusal(why=f"{kind}/{place.namespace}/{name} is of a kind remediator does not change")
    wrong = no_object(place.namespace, name)
    if wrong is not None:
        return Refusal(why=wrong)
    workload = await place.kube.get(kind, place.namespace, name)
    if workload is None:
        return Refusal(why=f"{how}, and there is no {kind} {name} in namespace {place.namespace}")
    if uid is not None and workload["metadata"]["uid"] != uid:
        return Refusal(why=f"{how}, but the {kind} of that name has been deleted and made anew since")
    return found_as(place, kind, workload, how=how)


def found_as(place: Place, kind: str, workload: JsonObject, *, how: str) -> Found | Refusal:
    """A workload that was read as the target, unless a progressive delivery controller owns it."""
    name = str(workload["metadata"]["name"])
    owner = owner_of(workload)
    if owner is not None and owner.group in ("flagger.app", "argoproj.io"):
        return Refusal(
            why=f"{how}, and {kind} {name} is owned by {owner.kind} {owner.name}: {not_changed(owner)}"
        )
    pod_spec = at(workload, "spec", "template", "spec")
    if not objects(pod_spec, "containers"):
        return Refusal(
            why=f"{how}, but what the API server says of {kind} {name} has no pod template that can be read",
            passing=True,
        )
    return Found(
        target=Target(cluster=place.cluster, kind=kind, namespace=place.namespace, name=name),
        uid=str(workload["metadata"]["uid"]),
        how=how,
        containers=container_names(pod_spec),
        selector=labels_of(workload),
    )


def not_changed(owner: Owner) -> str:
    """Why a kind of owner is not changed here, and what to do instead."""
    match owner:
        case Owner(group="argoproj.io", kind="Rollout", name=name):
            return f"Argo Rollouts moves it; go back with `kubectl argo rollouts undo {name}` or in Git"
        case Owner(group="flagger.app", kind="Canary", name=name):
            return f"Flagger moves it and goes back by itself; see `kubectl describe canary {name}`"
        case Owner(group="", kind="Node"):
            return "it is a static pod, whose manifest lies on the node; a person has to look there"
        case _:
            return "remediator does not change that kind; ask those who run its controller"
