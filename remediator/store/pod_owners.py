"""Whose a pod is or was: an alert may name one that is gone."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from remediator.domain.value import Value
from remediator.store.database import Connection

KEPT = timedelta(days=7)
"""So long a pod that is gone is remembered."""


class PodOwner(Value):
    """The topmost owner of a pod that our memory could see."""

    kind: str
    """In lower case: deployment, statefulset, daemonset; also what we cannot change: job, replicaset, rollout."""
    name: str
    uid: str
    last_seen_at: datetime
    """When the pod was last seen; up to five minutes before it was gone."""


class OwnedPod(Value):
    """A pod and its topmost owner, as the memory sees them now."""

    pod: str
    pod_uid: str
    kind: str
    name: str
    uid: str


async def owner_of(connection: Connection, cluster: str, namespace: str, pod: str) -> PodOwner | None:
    """The owner of the pod that last had this name; None when no owned pod of that name is remembered."""
    row = await connection.fetchrow(
        """select kind, name, uid, last_seen_at from pod_owners
           where cluster = $1 and namespace = $2 and pod = $3""",
        cluster,
        namespace,
        pod,
    )
    return PodOwner(**row) if row is not None else None


async def remember(connection: Connection, cluster: str, namespace: str, pods: Sequence[OwnedPod]) -> None:
    """Note that these pods are there now. A name that went over to another pod belongs to that one."""
    await connection.execute(
        """insert into pod_owners (cluster, namespace, pod, pod_uid, kind, name, uid)
           select $1, $2, pod, pod_uid, kind, name, uid
           from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
                as seen (pod, pod_uid, kind, name, uid)
           on conflict (cluster, namespace, pod) do update set
               pod_uid = excluded.pod_uid, kind = excluded.kind, name = excluded.name, uid = excluded.uid,
               first_seen_at = case when pod_owners.pod_uid = excluded.pod_uid then pod_owners.first_seen_at
                                    else excluded.first_seen_at end,
               last_seen_at = excluded.last_seen_at""",
        cluster,
        namespace,
        [each.pod for each in pods],
        [each.pod_uid for each in pods],
        [each.kind for each in pods],
        [each.name for each in pods],
        [each.uid for each in pods],
    )


async def forget(connection: Connection, limit: int) -> int:
    """Delete at most `limit` pods not seen for `KEPT`; how many it were."""
    gone = await connection.fetch(
        """delete from pod_owners where (cluster, namespace, pod) in (
               select cluster, namespace, pod from pod_owners
               where last_seen_at < remediator_now() - $1::interval limit $2 for update skip locked)
           returning 1""",
        KEPT,
        limit,
    )
    return len(gone)
