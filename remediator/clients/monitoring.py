"""Does anybody still watch? What shows that Prometheus evaluates its rules and reaches Alertmanager."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from remediator.clients.alertmanager import AlertmanagerClient, PeerAnswer, too_few
from remediator.clients.http import place
from remediator.clients.one_number import one_number
from remediator.clients.prometheus import PrometheusClient
from remediator.clock import Clock
from remediator.domain.duration import format_duration
from remediator.settings.sections import Cluster, MonitoringWorks

WatchdogState = Literal["fresh", "old", "ahead", "suppressed", "unprocessed", "absent", "unreachable"]

_CLOCKS_AGREE = timedelta(minutes=1)
"""A peer whose clock is further ahead than this would make an old Watchdog look fresh."""


@dataclass(frozen=True, slots=True)
class PeerWatchdog:
    """The Watchdog as one Alertmanager peer holds it."""

    peer: str
    state: WatchdogState
    age: timedelta | None = None
    """Since the peer last received it (updatedAt, which every repetition by Prometheus moves)."""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Whether monitoring works."""

    beats: bool | None
    """None when that cannot be told."""
    why: str
    inputs: dict[str, Any]


class Monitoring:
    """The alert that always fires, or what the settings name instead of it."""

    def __init__(
        self,
        alertmanager: AlertmanagerClient,
        prometheus: PrometheusClient,
        clock: Clock,
        settings: MonitoringWorks,
        cluster: Cluster,
    ) -> None:
        """Where one Alertmanager serves several clusters, the Watchdog must have this one's label: another
        cluster's says nothing of ours.
        """
        self._alertmanager = alertmanager
        self._prometheus = prometheus
        self._clock = clock
        self._settings = settings
        self._labels = {cluster.label: cluster.name} if cluster.label is not None else {}

    async def heartbeat(self, watchdog: str | None = None) -> Heartbeat:
        """Whether monitoring works, by the Watchdog named here or else by what the settings say.

        Raises Retryable or Permanent when Prometheus does not answer the substitute.
        """
        if watchdog is None and self._settings.substitute is not None:
            return await self._by_substitute(self._settings.substitute.promql)
        name = watchdog or self._settings.watchdog
        return self._by_watchdog(name, await self.peers(name))

    async def peers(self, watchdog: str) -> list[PeerWatchdog]:
        """How each Alertmanager peer holds the Watchdog of this name, in the order of the settings."""
        now = self._clock.now()
        answers = await self._alertmanager.ask({"alertname": watchdog, **self._labels})
        return [self._held_by(each, now) for each in answers]

    def _held_by(self, answer: PeerAnswer, now: datetime) -> PeerWatchdog:
        peer = place(answer.peer)
        if answer.alerts is None:
            return PeerWatchdog(peer, "unreachable", error=answer.error)
        ages = [now - each.updated_at for each in answer.alerts if each.state == "active"]
        if ages:
            age = min(ages)
            ahead, fresh = age < -_CLOCKS_AGREE, age < self._settings.older_than
            return PeerWatchdog(peer, "ahead" if ahead else "fresh" if fresh else "old", age)
        states = {each.state for each in answer.alerts}
        if "suppressed" in states:
            return PeerWatchdog(peer, "suppressed")
        return PeerWatchdog(peer, "unprocessed" if states else "absent")

    def _by_watchdog(self, name: str, peers: Sequence[PeerWatchdog]) -> Heartbeat:
        by_state = {each.state: each for each in reversed(peers)}
        inputs = {
            "watchdog": {"alertname": name, **self._labels},
            "peers": {each.peer: each.error or each.state for each in peers},
            "older_than": format_duration(self._settings.older_than),
        }
        if found := by_state.get("suppressed"):
            return Heartbeat(False, f"{name} is silenced or inhibited on {found.peer}", inputs)
        few = too_few(sum(each.state != "unreachable" for each in peers), len(peers))
        if few is not None:
            return Heartbeat(None, few, inputs)
        if found := by_state.get("fresh"):
            return Heartbeat(True, f"{found.peer} received {name} {_ago(found)} ago", inputs)
        if found := by_state.get("ahead"):
            return Heartbeat(None, f"the clock of {found.peer} is {_ago(found)} ahead of ours", inputs)
        if found := by_state.get("old"):
            limit = format_duration(self._settings.older_than)
            why = f"{found.peer} last received {name} {_ago(found)} ago, not within {limit}"
            return Heartbeat(False, f"{why}: Prometheus no longer reaches it", inputs)
        if found := by_state.get("unprocessed"):
            return Heartbeat(None, f"{found.peer} has not processed {name} yet", inputs)
        why = f"{name} does not fire: Prometheus or its way to Alertmanager is broken, or no rule makes it"
        return Heartbeat(False, why, inputs)

    async def _by_substitute(self, query: str) -> Heartbeat:
        value = await one_number(self._prometheus, query, self._clock.now())
        inputs: dict[str, Any] = {"query": query, "above": 0}
        if isinstance(value, str):
            return Heartbeat(None, f"whether monitoring works cannot be told: {value}", inputs)
        why = f"the query that shows whether monitoring works answered {value:g}"
        return Heartbeat(value > 0, why, {**inputs, "value": value})


def _ago(found: PeerWatchdog) -> str:
    seconds = abs(found.age.total_seconds()) if found.age is not None else 0.0
    return format_duration(timedelta(seconds=round(seconds)))
