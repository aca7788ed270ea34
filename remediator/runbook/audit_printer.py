"""Writes the audit to standard output as well, where whoever collects this process's output keeps a copy of it."""

import asyncio
import sys
from collections.abc import Sequence
from typing import TextIO

from remediator.store import audit, loop_leases
from remediator.store.audit import Record
from remediator.store.database import Database

_AT_ONCE = 200
_LEASE_SECONDS = 15.0
_WRITE_SECONDS = 10.0


class AuditPrinter:
    """One unit of its work is the records that no replica has written yet; one replica at a time writes.

    After the commit that made them and at least once: a process that dies between writing and saying so leaves them
    to be written again. A line is known by its `chain` and `place`.
    """

    def __init__(self, database: Database, owner: str, out: TextIO | None = None) -> None:
        self._database = database
        self._owner = owner
        self._out = out

    async def tick(self) -> bool:
        """Write once; True when there may be more. Raises TimeoutError while nobody reads the output."""
        async with self._database.connection() as connection:
            if not await loop_leases.hold(connection, "audit", self._owner, _LEASE_SECONDS):
                return False
            records = await audit.unprinted(connection, _AT_ONCE)
        if not records:
            return False
        async with asyncio.timeout(_WRITE_SECONDS):
            await asyncio.to_thread(self._write, records)
        async with self._database.transaction() as connection:
            await audit.printed(connection, records)
        return len(records) == _AT_ONCE

    def _write(self, records: Sequence[Record]) -> None:
        out = self._out if self._out is not None else sys.stdout
        for each in records:
            print(each.line(), file=out)
        out.flush()
