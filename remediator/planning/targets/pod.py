"""`pod`: the workload at the top of a pod's owners, also of a pod that is gone."""

import re

from remediator.domain.answers import Refusal
from remediator.domain.target import KINDS
from remediator.planning.targets.answer import Absent, Answer, Candidates, Place, container_names
from remediator.planning.targets.owner import Owner, a_job, existing, not_changed, top_owner
from remediator.store import pod_owners
from remediator.store.pod_owners import PodOwner

_UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_GROUPS = {
    "rollout": Owner("argoproj.io", "Rollout", "", ""),
    "canary": Owner("flagger.app", "Canary", "", ""),
}


async def of_pod(place: Place, name: str) -> Answer:
    """The workload that owns a pod; from our memory where the pod is gone.

    kube-state-metrics tells a pod's uid: a pod of that name with another uid is not the alert's.
    """
    said = f"pod {name}"
    pod = await place.kube.get("pod", place.namespace, name)
    if pod is None:
        return await _remembered(place, name)
    told = place.subject.named.get("uid", "")
    if _UID.fullmatch(told) and told != pod["metadata"]["uid"]:
        return Refusal(
            why=f"{said} has been deleted and made anew since: the alert is about one that is gone"
        )
    above = await top_owner(place, pod, said)
    if isinstance(above, Refusal):
        return above
    return Candidates(found=(above.model_copy(update={"on_pod": container_names(pod["spec"])}),))


async def _remembered(place: Place, name: str) -> Answer:
    async with place.database.connection() as connection:
        owner = await pod_owners.owner_of(connection, place.cluster, place.namespace, name)
    if owner is None:
        return Absent(why=f"there is no pod {name} in namespace {place.namespace}, and none is remembered")
    seen = f"(from our memory, last seen {owner.last_seen_at:%Y-%m-%d %H:%M} UTC; the pod is gone)"
    said = f"pod {name} was owned by {owner.kind} {owner.name} {seen}"
    if owner.kind in KINDS:
        found = await existing(place, owner.kind, owner.name, how=said, uid=owner.uid)
        return found if isinstance(found, Refusal) else Candidates(found=(found,))
    if owner.kind == "job":
        return await a_job(place, owner.name, said)
    return Refusal(why=f"{said}: {not_changed(_as_owner(owner))}")


def _as_owner(owner: PodOwner) -> Owner:
    known = _GROUPS.get(owner.kind, Owner("?", owner.kind, "", ""))
    return known._replace(name=owner.name, uid=owner.uid)
