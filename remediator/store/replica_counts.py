"""How many replicas workloads were seen to want, and when: what they are meant to have when somebody scaled them."""

from collections.abc import Collection

from remediator.domain.history import ReplicaCount
from remediator.domain.target import Target
from remediator.domain.value import Value
from remediator.store.database import Connection


class Wanted(Value):
    """What one workload of a namespace wants now."""

    kind: str
    name: str
    uid: str
    replicas: int


async def of_target(connection: Connection, target: Target) -> list[ReplicaCount]:
    """All that is remembered of a workload, oldest first."""
    rows = await connection.fetch(
        """select uid, replicas, began_at, last_seen_at from replica_counts
           where cluster = $1 and kind = $2 and namespace = $3 and name = $4 order by id""",
        target.cluster,
        target.kind,
        target.namespace,
        target.name,
    )
    return [ReplicaCount(**row) for row in rows]


async def remember(
    connection: Connection, cluster: str, namespace: str, wanted: Collection[Wanted], unseen_after: float
) -> None:
    """Note that these workloads want so many now; call within a transaction.

    Where it is another number than before, or another object, the former's time ends when it was last seen. So it
    does where it was last seen more than `unseen_after` seconds ago: what was not seen does not count.
    """
    in_order = sorted(wanted, key=lambda each: (each.kind, each.name))
    columns = (
        cluster,
        namespace,
        [each.kind for each in in_order],
        [each.name for each in in_order],
        [each.uid for each in in_order],
        [each.replicas for each in in_order],
    )
    await connection.execute(
        f"""update replica_counts was set ended_at = was.last_seen_at from {_SEEN}
            where was.cluster = $1 and was.namespace = $2 and was.kind = seen.kind and was.name = seen.name
              and was.ended_at is null
              and ((was.uid, was.replicas) <> (seen.uid, seen.replicas)
                   or was.last_seen_at < remediator_now() - make_interval(secs => $7))""",
        *columns,
        unseen_after,
    )
    await connection.execute(
        f"""insert into replica_counts (cluster, namespace, kind, name, uid, replicas)
            select $1, $2, kind, name, uid, replicas from {_SEEN}
            on conflict (cluster, namespace, kind, name) where ended_at is null
                do update set last_seen_at = excluded.last_seen_at""",
        *columns,
    )


async def forget(connection: Connection, limit: int) -> int:
    """Delete at most `limit` numbers last seen a month ago; how many it were."""
    gone: int = await connection.fetchval("select forget_replica_counts($1)", limit)
    return gone


_SEEN = "unnest($3::text[], $4::text[], $5::text[], $6::integer[]) as seen (kind, name, uid, replicas)"
