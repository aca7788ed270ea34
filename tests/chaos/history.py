"""What happened in one scenario, as data: what the API server applied, what PostgreSQL holds, what was acknowledged.

`reading.py` makes it, `checks.py` judges it. Nothing here asks the product: rows are read as they are, and effects
come from the emulator's own log.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from remediator.sandbox.alertmanager_webhook import Notification
from remediator.sandbox.kubernetes.effects import Effect

_EPOCH, _ATTEMPT = "remediator.io/epoch", "remediator.io/attempt"
_RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


class Told(NamedTuple):
    """One alert of a request that was answered with 2xx, by what makes a delivery the same."""

    fingerprint: str
    status: str
    starts_at: datetime
    ends_at: datetime | None


def told(notification: Notification) -> list[Told]:
    """The alerts of one request."""
    return [Told(each.fingerprint, each.status, each.starts_at, each.ends_at) for each in notification.alerts]


@dataclass(frozen=True)
class Write:
    """One write of a daemon that the API server really applied; Events are left out."""

    sequence: int
    at: datetime
    """By the emulator's clock."""
    target: str
    """kind/namespace/name; of a pod its own."""
    uid: str
    claim: bool
    epoch: str | None
    """What the epoch annotation held afterwards."""
    marker: str | None
    """What the attempt annotation held afterwards: run/rung/action."""
    before: str
    after: str
    """What version the template was and became, without restart stamps; of a pod nothing."""
    stamp: str | None = None
    """The restart stamp of the template afterwards."""
    arrived: datetime | None = None
    """By the machine's clock, where the harness noted it: what a commit time of PostgreSQL can be held against."""

    @classmethod
    def of(cls, effect: Effect, arrived: datetime | None = None) -> "Write":
        kind = effect.resource.removesuffix("s")
        annotations = ((effect.after or {}).get("metadata") or {}).get("annotations") or {}
        pod = kind == "pod"
        return cls(
            sequence=effect.sequence,
            at=effect.at,
            target=f"{kind}/{effect.namespace}/{effect.name}",
            uid=effect.uid,
            claim=effect.claim,
            epoch=None if pod else annotations.get(_EPOCH),
            marker=None if pod else annotations.get(_ATTEMPT),
            before="" if pod else version(effect.before),
            after="" if pod else version(effect.after),
            stamp=None if pod else _stamp(effect.after),
            arrived=arrived,
        )

    @property
    def key(self) -> str:
        """What says whose effect it is: its marker, or the uid of the pod that was evicted."""
        return self.uid if self.target.startswith("pod/") else str(self.marker)


def version(workload: Mapping[str, Any] | None) -> str:
    """The pod template in one text, without what a restart stamps on it."""
    if workload is None:
        return ""
    template = workload["spec"]["template"]
    metadata = dict(template.get("metadata") or {})
    annotations = {
        key: value for key, value in (metadata.pop("annotations", None) or {}).items() if key != _RESTARTED_AT
    }
    return json.dumps(
        {**template, "metadata": {**metadata, **({"annotations": annotations} if annotations else {})}},
        sort_keys=True,
    )


def _stamp(workload: Mapping[str, Any] | None) -> str | None:
    template = ((workload or {}).get("spec") or {}).get("template") or {}
    stamp: str | None = ((template.get("metadata") or {}).get("annotations") or {}).get(_RESTARTED_AT)
    return stamp


@dataclass(frozen=True)
class Attempt:
    """One row of attempts, with when the line of its intent was committed."""

    marker: str
    pod_uid: str | None
    target: str
    namespace: str
    run_id: int
    action: str
    epoch: int
    sends: int
    intended_at: datetime
    sent_at: datetime | None
    outcome: str | None
    outcome_at: datetime | None
    committed: datetime | None = None
    """By the machine's clock, where PostgreSQL notes commit times."""

    @property
    def key(self) -> str:
        return self.pod_uid or self.marker


@dataclass(frozen=True)
class Verdict:
    """What a guard answered, as written together with an intent."""

    marker: str
    guard: str
    answer: str
    observed_at: datetime | None
    agreed: bool = False
    """A person's approval of this run was used."""


@dataclass(frozen=True)
class Run:
    id: int
    target: str
    mode: str
    rule: str
    state: str
    created_at: datetime
    ended_at: datetime | None
    due_at: datetime


@dataclass(frozen=True)
class Notice:
    told: Told
    read_at: datetime | None
    disposition: str | None
    episode: int | None
    last_received_at: datetime


@dataclass(frozen=True)
class Episode:
    id: int
    disposition: str | None
    closed_at: datetime | None
    opened_at: datetime


@dataclass(frozen=True)
class Pause:
    scope: str
    value: str
    starts_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class Parcel:
    """One notice in the outbox."""

    key: str
    created_at: datetime
    done: bool


@dataclass(frozen=True)
class Ready:
    """So many pods of a workload were ready from then on."""

    sequence: int
    """How many writes of clients the emulator had logged before."""
    target: str
    pods: int


_GUARDS = frozenset(
    {
        *("alert_still_firing", "as_planned", "autoscaled", "breaker", "budget", "floor", "freeze"),
        *("human_active", "monitoring_fresh", "node_trouble", "opted_in", "owner", "pause", "protected"),
        *("quota", "rollout_in_progress", "rule_in_force", "storm", "this_cluster"),
    }
)
GUARDS = {
    "restart": frozenset({*_GUARDS, "restart_loop"}),
    "scale": frozenset({*_GUARDS, "capacity", "ping_pong"}),
    "rollback": frozenset({*_GUARDS, "caused_by_rollout", "migration", "ping_pong", "siblings"}),
}
"""By action, every guard that has to be asked before a change of it; written down here, not read from the product."""


@dataclass(frozen=True)
class Expected:
    """What is known of the world of the scenario, and what it allows."""

    faults_ended_at: datetime
    """By the clock of the database."""
    good: frozenset[str] | None = None
    """Versions (see `version`) that a rollback may go to; None when the scenario makes none."""
    floors: Mapping[str, int] = field(default_factory=dict)
    """How many pods of a workload have to stay ready."""
    everywhere: int = 5
    in_namespace: int = 2
    window: timedelta = timedelta(minutes=10)
    lively_within: timedelta = timedelta(seconds=60)
    fresh_within: timedelta = timedelta(seconds=15)
    guards: Mapping[str, frozenset[str]] = field(default_factory=lambda: GUARDS)
    """By action, those of which each intent must carry the answer."""


@dataclass(frozen=True)
class History:
    """All of it, when the scenario is over."""

    expected: Expected
    now: datetime
    writes: Sequence[Write] = ()
    attempts: Sequence[Attempt] = ()
    verdicts: Sequence[Verdict] = ()
    outcomes: Sequence[tuple[str, str]] = ()
    """Marker and outcome of each line that the journal holds of outcomes."""
    audited: Sequence[tuple[str, str, str | None]] = ()
    """Marker, kind and outcome of each record that the audit holds of an attempt."""
    runs: Sequence[Run] = ()
    notices: Sequence[Notice] = ()
    episodes: Sequence[Episode] = ()
    pauses: Sequence[Pause] = ()
    outbox: Sequence[Parcel] = ()
    acknowledged: Sequence[Told] = ()
    ready: Sequence[Ready] = ()

    @property
    def effects(self) -> list[Write]:
        """The real changes: writes that are no claims."""
        return [each for each in self.writes if not each.claim]

    def attempt_of(self, effect: Write) -> Attempt | None:
        return next((each for each in self.attempts if each.key == effect.key), None)
