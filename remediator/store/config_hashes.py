"""What a ConfigMap held when, as a hash: enough to tell whether it has changed since."""

from collections.abc import Collection, Mapping
from datetime import timedelta

from remediator.domain.history import ConfigStretch
from remediator.store.database import Connection

KEPT = timedelta(days=30)
"""So long a content that is no longer current is remembered; no version older than that is gone back to."""


async def of_names(
    connection: Connection, cluster: str, namespace: str, names: Collection[str]
) -> list[ConfigStretch]:
    """All that is remembered of these ConfigMaps, oldest first."""
    rows = await connection.fetch(
        """select name, hash, first_seen_at as began_at, ended_at from config_hashes
           where cluster = $1 and namespace = $2 and name = any ($3::text[]) order by id""",
        cluster,
        namespace,
        sorted(names),
    )
    return [ConfigStretch(**row) for row in rows]


async def remember(connection: Connection, cluster: str, namespace: str, hashes: Mapping[str, str]) -> None:
    """Note that these ConfigMaps (name to hash) are there now; call within a transaction.

    Where the content is another than before, the former's time ends when it was last seen: what was not
    seen does not count.
    """
    names, values = list(hashes), list(hashes.values())
    await connection.execute(
        """update config_hashes was set ended_at = was.last_seen_at
           from unnest($3::text[], $4::text[]) as seen (name, hash)
           where was.cluster = $1 and was.namespace = $2 and was.name = seen.name
             and was.ended_at is null and was.hash <> seen.hash""",
        cluster,
        namespace,
        names,
        values,
    )
    await connection.execute(
        """insert into config_hashes (cluster, namespace, name, hash)
           select $1, $2, name, hash from unnest($3::text[], $4::text[]) as seen (name, hash)
           on conflict (cluster, namespace, name) where ended_at is null
               do update set last_seen_at = excluded.last_seen_at""",
        cluster,
        namespace,
        names,
        values,
    )


async def end(connection: Connection, cluster: str, namespace: str, names: Collection[str]) -> None:
    """These ConfigMaps are gone."""
    await connection.execute(
        """update config_hashes set ended_at = last_seen_at
           where cluster = $1 and namespace = $2 and name = any ($3::text[]) and ended_at is null""",
        cluster,
        namespace,
        sorted(names),
    )


async def forget(connection: Connection, limit: int) -> int:
    """Delete at most `limit` contents that ended longer than `KEPT` ago; how many it were."""
    gone = await connection.fetch(
        """delete from config_hashes where id in (
               select id from config_hashes where ended_at < remediator_now() - $1::interval
               limit $2 for update skip locked)
           returning 1""",
        KEPT,
        limit,
    )
    return len(gone)
