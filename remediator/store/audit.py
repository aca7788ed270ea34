"""The audit as it is read: PostgreSQL itself writes it (migration 0011), and nothing here can."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from remediator.domain.value import Value
from remediator.store.database import Connection

RUNLESS = "daemon"
"""The chain of all that belongs to no run."""

_AT = "%Y-%m-%dT%H:%M:%S.%fZ"
_FIELDS = "id, chain, place, at at time zone 'UTC' as at, kind, subject, record, hash"
_ROWS_AT_ONCE = 500


class Record(Value):
    """One line of the audit."""

    id: int
    chain: str
    """`run/4711`, or RUNLESS."""
    place: int
    """In its chain, from 1 without gaps."""
    at: datetime
    """In UTC, without a zone."""
    kind: str
    subject: str
    """The row it tells of: `attempt/12`."""
    record: str
    """JSON, as it was hashed."""
    hash: str

    def expected_hash(self, before: str) -> str:
        """What `hash` has to be when the record before it in its chain has the hash `before` (empty for the first)."""
        parts = (
            before,
            self.chain,
            str(self.place),
            self.at.strftime(_AT),
            self.kind,
            self.subject,
            self.record,
        )
        return sha256("\n".join(parts).encode()).hexdigest()

    def line(self) -> str:
        """As one line of JSON, in ASCII, so that no terminal acts on what somebody wrote as a reason."""
        shown = {
            "audit": self.id,
            "chain": self.chain,
            "place": self.place,
            "at": self.at.strftime(_AT),
            "kind": self.kind,
            "subject": self.subject,
            "record": json.loads(self.record),
            "hash": self.hash,
        }
        return json.dumps(shown)


class Head(Value):
    """How far a chain goes."""

    chain: str
    place: int
    hash: str


async def chains(connection: Connection) -> AsyncIterator[Record]:
    """Every record, chain by chain, each in its order; call within a transaction."""
    cursor = connection.cursor(f"select {_FIELDS} from audit order by chain, place", prefetch=_ROWS_AT_ONCE)
    async for row in cursor:
        yield Record(**row)


async def exported(connection: Connection, after: int) -> AsyncIterator[Record]:
    """Every record with a higher number than `after`, in the order of writing; call within a transaction."""
    query = f"select {_FIELDS} from audit where id > $1 order by id"
    async for row in connection.cursor(query, after, prefetch=_ROWS_AT_ONCE):
        yield Record(**row)


async def heads(connection: Connection) -> dict[str, Head]:
    """The head of every chain."""
    rows = await connection.fetch("select chain, place, hash from audit_heads")
    return {row["chain"]: Head(**row) for row in rows}


async def unprinted(connection: Connection, limit: int) -> list[Record]:
    """Records that were not written to standard output yet, those of one chain in its order."""
    rows: list[Any] = await connection.fetch(
        """select a.id, a.chain, a.place, a.at at time zone 'UTC' as at, a.kind, a.subject, a.record, a.hash
           from audit_heads h join audit a on a.chain = h.chain and a.place > h.printed
           where h.printed < h.place order by a.id limit $1""",
        limit,
    )
    return [Record(**row) for row in rows]


async def printed(connection: Connection, records: Sequence[Record]) -> None:
    """They have been written."""
    last = {each.chain: each.place for each in records}
    for chain in sorted(last):
        await connection.execute("select audit_printed($1, $2)", chain, last[chain])
