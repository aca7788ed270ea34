"""What the database remembers, as the steps may ask for it."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from remediator.domain.belonging import Binding
from remediator.domain.breaker import BreakerState
from remediator.domain.change import Change
from remediator.domain.storm import Surroundings
from remediator.domain.target import Target
from remediator.domain.value import JsonObject, Value


class Tenure(Value):
    """One stretch in which one revision was a workload's current one, as our memory saw it."""

    uid: str
    revision: str
    """revision_hash of the template."""
    template: JsonObject
    began_at: datetime
    began_seen: bool
    """True when we saw it begin (or its ReplicaSet says so); False when it was there at our first look."""
    ended_at: datetime | None = None
    replaced_by: str | None = None
    """The revision that followed; None while current."""
    longest_available_seconds: float = 0.0
    """The longest unbroken stretch in which we saw it fully available. Unseen time does not count."""
    last_seen_at: datetime


class ConfigStretch(Value):
    """One time in which a ConfigMap held one content, as our memory saw it."""

    name: str
    hash: str
    """content_hash of workloads.config_maps."""
    began_at: datetime
    ended_at: datetime | None = None
    """None while it is what the ConfigMap holds, or held when it was last seen."""


class ReplicaCount(Value):
    """One stretch in which one object wanted one number of replicas, as our memory saw it."""

    uid: str
    replicas: int
    began_at: datetime
    last_seen_at: datetime


class AlertSpan(Value):
    """One episode as others may see it: when an alert was open."""

    alertname: str
    starts_at: datetime
    closed_at: datetime | None = None


class OpenAlert(Value):
    """An alert for which no resolved notice has come."""

    alertname: str
    labels: dict[str, str]
    starts_at: datetime


class History(Protocol):
    """Questions to the database, filled by the composition root."""

    async def binding(self) -> Binding | None:
        """The cluster that the database belongs to; None before its first start."""

    async def tenures(self, target: Target) -> list[Tenure]:
        """All remembered tenures of a workload, oldest first."""

    async def replica_counts(self, target: Target) -> list[ReplicaCount]:
        """How many replicas a workload was seen to want when, oldest first."""

    async def alert_spans(self, target: Target, alertname: str | None) -> list[AlertSpan]:
        """All episodes of this alert on this target, or of every alert (None), oldest first."""

    async def config_stretches(self, target: Target, names: Collection[str]) -> list[ConfigStretch]:
        """What these ConfigMaps of the target's namespace held when, oldest first."""

    async def attempted_at(self, target: Target, marker: str) -> datetime | None:
        """When the attempt that left this marker on a target was made; None when it is none of ours."""

    async def effects_of(self, run_id: int) -> list[Change]:
        """What a run changed, in order: the changes that took effect."""

    async def schema_heads(self, name: str, since: datetime, until: datetime) -> list[str]:
        """Every version a watched database's schema was seen at within this time, oldest first."""

    async def alerts_open_on(self, target: Target) -> list[str]:
        """Names of the alerts of a target for which no resolved notice has come."""

    async def open_beside(self, run_id: int, target: Target) -> list[OpenAlert]:
        """The open alerts of the target and of the run's incident, the run's own among them, oldest first.

        An alert that no rule matches is taken for the target's when its labels name it.
        """

    async def breaker(self, target: Target) -> BreakerState:
        """What was tried on a target and failed, and whether it is left to people."""

    async def open_alerts(self, run_id: int) -> list[str]:
        """Fingerprints of this run's episodes for which no resolved notice has come."""

    async def surroundings(
        self, target: Target, depends_on: Sequence[str], window: timedelta, together: timedelta
    ) -> Surroundings:
        """What fires beside a target: storms, how many began within `window`, and who needs what it needs."""
