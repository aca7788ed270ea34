"""Carries notices out of the outbox. A dead receiver changes nothing about how a run ended."""

from collections.abc import Awaitable, Mapping
from datetime import timedelta

from remediator.domain.belonging import Belongs
from remediator.effects.doors import Effects
from remediator.errors import Permanent
from remediator.fault_points import FaultPoint, reach
from remediator.kit import Kit
from remediator.runbook.call_step import Unanswered, call_step
from remediator.step import Notifier
from remediator.store import outbox
from remediator.store.database import Database
from remediator.store.outbox import KUBERNETES_EVENT, Parcel
from remediator.telemetry import Metrics

_LEASE_SECONDS = 60.0
_LONGEST_WAIT_SECONDS = 900.0


class Courier:
    """One unit of its work is one notice for one channel."""

    def __init__(
        self,
        database: Database,
        kit: Kit,
        effects: Effects,
        notifiers: Mapping[str, Notifier],
        metrics: Metrics,
        belonging: Belongs,
    ) -> None:
        self._database = database
        self._kit = kit
        self._effects = effects
        self._notifiers = notifiers
        self._metrics = metrics
        self._belonging = belonging

    async def tick(self) -> bool:
        """Deliver one notice; True when there may be more. Those of another cluster's database are not sent."""
        if await self._belonging.against() is not None:
            return False
        async with self._database.connection() as connection:
            parcel = await outbox.take_due(connection, _LEASE_SECONDS)
        if parcel is None:
            return False
        if isinstance(parcel, Parcel):
            await self._deliver(parcel)
        return True

    async def _deliver(self, parcel: Parcel) -> None:
        final: str | None = None
        failed: str | None = None
        try:
            failed = await self._send(parcel)
            reach(FaultPoint.J34)
        except Permanent as reason:
            final = reason.sentence
        channel = parcel.channel.partition(":")[0]
        async with self._database.connection() as connection:
            if final is not None:
                await outbox.give_up(connection, parcel, final)
            elif failed is not None:
                wait = min(_LONGEST_WAIT_SECONDS, 2.0 ** min(parcel.tries, 12))
                await outbox.put_back(connection, parcel, failed, wait)
            else:
                await outbox.delivered(connection, parcel)
        if final is None and failed is None:
            self._metrics.notices_delivered.labels(channel).inc()
        else:
            self._metrics.notices_failed.labels(channel).inc()

    async def _send(self, parcel: Parcel) -> str | None:
        """None when it arrived, else why it did not this time. Raises Permanent when it never will."""
        if parcel.channel == KUBERNETES_EVENT:
            return await self._call("the Event", self._effects.announce(parcel.notice), None)
        notifier = self._notifiers.get(parcel.channel)
        if notifier is None:
            raise Permanent(f"no notifier {parcel.channel} is configured any more")
        return await self._call(notifier.key(), notifier.send(parcel.notice, self._kit), notifier.deadline)

    async def _call(self, name: str, sending: Awaitable[None], deadline: timedelta | None) -> str | None:
        answer = await call_step(name, sending, deadline, goes_up=(Permanent,))
        return answer.why if isinstance(answer, Unanswered) else None
