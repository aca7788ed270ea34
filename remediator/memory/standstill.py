"""What keeps this daemon from changing anything at all, whichever run it would be for."""

import asyncio
from collections.abc import Awaitable, Callable

from remediator.clients.monitoring import Monitoring
from remediator.domain.belonging import Belongs
from remediator.domain.run_view import Mode
from remediator.errors import RemediatorError
from remediator.memory.switches import Switches
from remediator.store import storms
from remediator.store.database import Database
from remediator.telemetry import StandstillReason

_MONITORING_SECONDS = 5.0


class Standstill:
    """Guards ask about each of these by themselves; this is for people and for metrics."""

    def __init__(
        self,
        ceiling: Mode,
        belonging: Belongs,
        switches: Switches,
        database: Database,
        monitoring: Monitoring,
        rights: Callable[[], Awaitable[str | None]],
    ) -> None:
        """`rights` tells why nothing is changed because of what this process may do in the cluster."""
        self._ceiling = ceiling
        self.belonging = belonging
        self.switches = switches
        self._database = database
        self._monitoring = monitoring
        self._rights = rights

    async def why(self) -> str | None:
        """The first reason that is known without asking Alertmanager, as a sentence; None when there is none.

        Raises the database's errors.
        """
        if self._ceiling in ("off", "shadow"):
            return f"the ceiling is {self._ceiling}: nothing is changed"
        still = await self.belonging.against() or await self.switches.all_stands_still()
        return still or await self._storm() or await self._rights()

    async def reasons(self) -> dict[StandstillReason, str]:
        """Every reason there is now, each with its sentence. Raises the database's errors."""
        said: dict[StandstillReason, str | None] = {
            "ceiling": f"the ceiling is {self._ceiling}" if self._ceiling in ("off", "shadow") else None,
            "cluster": await self.belonging.against(),
            "rights": await self._rights(),
            "pause": await self.switches.all_stands_still(),
            "storm": await self._storm(),
            "monitoring": await self._monitoring_fails(),
        }
        return {reason: why for reason, why in said.items() if why is not None}

    async def _storm(self) -> str | None:
        async with self._database.connection() as connection:
            storm = await storms.everywhere(connection)
        return storm.why if storm is not None else None

    async def _monitoring_fails(self) -> str | None:
        try:
            async with asyncio.timeout(_MONITORING_SECONDS):
                found = await self._monitoring.heartbeat()
        except (RemediatorError, TimeoutError) as reason:
            return f"whether monitoring works cannot be told: {reason}"
        return None if found.beats else found.why
