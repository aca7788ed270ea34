"""Only what a rollout caused is cured by a rollback."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar

from remediator.clients.workload import look_at
from remediator.domain.answers import GuardVerdict
from remediator.domain.change import Change, revision_hash
from remediator.domain.duration import Duration, format_duration
from remediator.domain.history import AlertSpan
from remediator.domain.run_view import RunView, TriggerAlert
from remediator.domain.value import JsonObject
from remediator.errors import Permanent, Retryable
from remediator.kit import Kit
from remediator.step import Guard
from remediator.workloads.revision import title
from remediator.workloads.revisions import current_revision, revisions_of, rollout_began

_CALM_BEFORE = timedelta(minutes=10)
_WHOLE_SECOND = timedelta(seconds=1)
"""Kubernetes stamps creations in whole seconds, so what seems this little older may be younger."""


class CausedByRollout(Guard):
    """The rollout of the current template must have begun shortly before the alert, and not after it.

    A rollout newer than the alert is somebody's fix. When it began is what our memory saw, else the creation
    of its revision, unless that was taken up again since; a restart is not a rollout.
    """

    actions: ClassVar[frozenset[str] | None] = frozenset({"rollback"})
    of_alerts: ClassVar[bool] = True

    before_alert: Duration = timedelta(minutes=30)
    """How long before the alert the rollout may have begun; the alerting rule's own `for` is added."""

    async def verdict(self, change: Change, run: RunView, kit: Kit) -> GuardVerdict:
        began, source = await self._began(change, run, kit)
        if began is None:
            return self.unknown(f"when the current rollout began cannot be told: {source}")
        hold = await _held_back(run, kit)
        spans = await kit.history.alert_spans(run.target, run.the_alert.name)
        return self.judged(run.the_alert, began, source, hold, spans)

    def judged(
        self,
        alert: TriggerAlert,
        began: datetime,
        source: str,
        hold: timedelta | None,
        spans: Iterable[AlertSpan],
    ) -> GuardVerdict:
        """The verdict on an alert, when the current rollout began at `began`, as `source` says.

        `hold` is the alerting rule's own `for`, None where it is not known; `spans` are the times in which an alert of
        this name was open on the target.
        """
        window = self.before_alert + (hold or timedelta(0))
        earlier = _open_before(spans, began)
        inputs = {
            "rollout_began": began.isoformat(),
            "source": source,
            "alert_started": alert.starts_at.isoformat(),
            "at_most_before": format_duration(window),
        }
        before = alert.starts_at - began
        if before < _WHOLE_SECOND:
            return self.refuse(
                f"the rollout began at {began:%H:%M:%S} and the alert at {alert.starts_at:%H:%M:%S}: "
                "a rollout that is not older than the alert looks like somebody's fix",
                inputs,
            )
        if before > window:
            return self._too_early(before, window, inputs, hold_is_known=hold is not None)
        if earlier is not None:
            return self.refuse(
                f"{alert.name} was already open on this target before the rollout",
                {**inputs, "earlier": earlier},
            )
        return self.allow(f"the rollout began {format_duration(before)} before the alert", inputs)

    def _too_early(
        self, before: timedelta, window: timedelta, inputs: JsonObject, *, hold_is_known: bool
    ) -> GuardVerdict:
        if not hold_is_known:
            return self.unknown(
                f"the rollout began {format_duration(before)} before the alert, and Prometheus does not answer "
                "how long the alert's own rule waited",
                inputs,
            )
        return self.refuse(
            f"the rollout began {format_duration(before)} before the alert, longer than "
            f"{format_duration(window)}: it is not the likely cause",
            inputs,
        )

    async def _began(self, change: Change, run: RunView, kit: Kit) -> tuple[datetime | None, str]:
        target = run.target
        seen = await look_at(kit.kube, target)
        if seen is None:
            return None, f"{target} does not exist"
        revision = revision_hash(seen.template)
        tenures = [each for each in await kit.history.tenures(target) if each.uid == change.uid]
        if tenures and tenures[-1].revision == revision and tenures[-1].began_seen:
            return tenures[-1].began_at, "memory"
        revisions = revisions_of(seen.workload, seen.revision_objects)
        current = current_revision(seen.workload, revisions)
        if current is None:
            return None, "no revision of the current template is there yet"
        if current.earlier_numbers or not current.born_numbered:
            return None, f"{title(current)} may have been taken up again, and our memory did not see when"
        return rollout_began(current, revisions), "replica_set"


def _open_before(spans: Iterable[AlertSpan], began: datetime) -> str | None:
    """Since when the same alert was already open in the calm that should precede the rollout."""
    for span in spans:
        open_until = span.closed_at
        if span.starts_at < began and (open_until is None or open_until > began - _CALM_BEFORE):
            return span.starts_at.isoformat()
    return None


async def _held_back(run: RunView, kit: Kit) -> timedelta | None:
    """The alerting rule's `for`, zero where there is none to be learnt; None while Prometheus does not answer."""
    try:
        return await kit.prometheus.alert_hold(run.the_alert.name, run.the_alert.labels) or timedelta(0)
    except Retryable:
        return None
    except Permanent:
        return timedelta(0)
