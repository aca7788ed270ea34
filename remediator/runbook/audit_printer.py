"""Writes the audit to standard output as well, where whoever collects this process's output keeps a copy of it."""

import asyncio
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
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
        self._writing: asyncio.Future[None] | None = None

    async def tick(self) -> bool:
        """Write once; True when there may be more. Raises TimeoutError while nobody reads the output."""
        async with self._database.connection() as connection:
            if not await loop_leases.hold(connection, "audit", self._owner, _LEASE_SECONDS):
                return False
            records = await audit.unprinted(connection, _AT_ONCE)
        if not records:
            return False
        await self._written(records)
        async with self._database.transaction() as connection:
            await audit.printed(connection, records)
        return len(records) == _AT_ONCE

    async def _written(self, records: Sequence[Record]) -> None:
        """Raises TimeoutError. A write that nobody reads is not begun a second time, and takes no thread of others."""
        if self._writing is not None and not self._writing.done():
            raise TimeoutError("nobody reads the standard output: what was written before still waits")
        self._writing = _in_a_thread(partial(self._write, records))
        async with asyncio.timeout(_WRITE_SECONDS):
            await asyncio.shield(self._writing)

    def _write(self, records: Sequence[Record]) -> None:
        out = self._out if self._out is not None else sys.stdout
        for each in records:
            print(each.line(), file=out)
        out.flush()


def _in_a_thread(work: Callable[[], None]) -> asyncio.Future[None]:
    """Done once `work` is, in a thread of its own that does not keep the process from ending.

    The threads that everything else shares would be used up by an output that nobody reads.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def tell(failed: BaseException | None) -> None:
        if failed is None:
            done.set_result(None)
        else:
            done.set_exception(failed)

    def run() -> None:
        failed: BaseException | None = None
        try:
            work()
        except (OSError, ValueError) as reason:
            failed = reason
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(tell, failed)

    threading.Thread(target=run, name="audit", daemon=True).start()
    return done
