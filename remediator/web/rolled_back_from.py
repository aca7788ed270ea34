"""Whether an image was rolled back from, judged from what is stored. Pure.

It was, when a rollback left a version with it for one without it. A rollback between two versions that both
have the image blames something else (an environment variable, another container), so it says nothing here.

It is accepted again once a later version with it has been seen fully available, without a break, for the `soak`
of the rollback, nobody went back past it since, and the alert that made the run was not open in its time: the
measure by which a rollback itself calls a version good, but for one thing. There an alert that only goes on is what
an earlier version left; here it is this image's own. That it was deployed again, or that its pods are available, is
not enough: a sync of Argo CD and a deliberate second try look the same, and pods that answer errors are available.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from remediator.actions.rollback import Rollback
from remediator.domain.duration import format_duration
from remediator.domain.history import AlertSpan, Tenure
from remediator.domain.value import JsonObject
from remediator.store.rollbacks import RolledBack
from remediator.workloads.image import Comparison, among_images
from remediator.workloads.version import versions_of

_ONLY_TAG = "Only the tag was compared: what it points to may have changed since"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer and what it rests on."""

    rolled_back: bool
    why: str
    rollbacks: tuple[tuple[RolledBack, Comparison], ...] = ()
    """Those that left the image, newest first, and by what it was recognised."""
    accepted_again: Tenure | None = None

    def to_json(self) -> JsonObject:
        """As the API answers it."""
        again = self.accepted_again
        return {
            "rolled_back": self.rolled_back,
            "why": self.why,
            "compared_by": self.rollbacks[0][1] if self.rollbacks else None,
            "rollbacks": [_shown(each, by) for each, by in self.rollbacks],
            "accepted_again": None
            if again is None
            else {
                "revision": again.revision,
                "began_at": again.began_at.isoformat(),
                "available_seconds": again.longest_available_seconds,
            },
        }


def judged(
    image: str, rollbacks: Sequence[RolledBack], tenures: Sequence[Tenure], spans: Sequence[AlertSpan]
) -> Verdict:
    """`rollbacks` are newest first, `tenures` and the `spans` of the rollbacks' alerts oldest first.

    All are of one target.
    """
    left = tuple(
        (each, by)
        for each in rollbacks
        if (by := among_images(image, each.change.from_template))
        and not among_images(image, each.change.to_template)
    )
    if not left:
        return Verdict(False, _not_left(rollbacks, tenures))
    newest, by = left[0]
    soak = _soak(newest)
    later = [
        each
        for each in tenures
        if each.began_at > newest.intended_at and among_images(image, each.template) is not None
    ]
    left_at = {each.hash: each.left_at for each in versions_of((), tenures)}
    same_alert = [each for each in spans if newest.alert is None or each.alertname == newest.alert.name]
    against = [(each, _against(each, soak, left_at, same_alert)) for each in later]
    good = [each for each, objection in against if objection is None]
    if good:
        why = (
            f"it was rolled back from in run {newest.run_id}, and accepted again: since {_at(good[-1])} it was "
            f"seen fully available for {_available(good[-1])}, at least the {format_duration(soak)} that count"
        )
        return Verdict(False, why, left, good[-1])
    return Verdict(True, _left(newest, by, against), left)


def _against(
    again: Tenure, soak: timedelta, left_at: Mapping[str, datetime | None], spans: Sequence[AlertSpan]
) -> str | None:
    """Why this later time of the image does not accept it, or None when it does."""
    gone_back = left_at[again.revision]
    if gone_back is not None and gone_back > again.began_at:
        return f"an older version was taken up after it, at {_minute(gone_back)}"
    if open_in_it := [each for each in spans if _overlap(each, again)]:
        return f"{open_in_it[-1].alertname} was open in its time, since {_minute(open_in_it[-1].starts_at)}"
    if again.longest_available_seconds < soak.total_seconds():
        return (
            f"it was seen fully available for {_available(again)} so far, "
            f"and counts as accepted after {format_duration(soak)}"
        )
    return None


def _overlap(span: AlertSpan, tenure: Tenure) -> bool:
    return (span.closed_at is None or span.closed_at > tenure.began_at) and (
        tenure.ended_at is None or span.starts_at < tenure.ended_at
    )


def _not_left(rollbacks: Sequence[RolledBack], tenures: Sequence[Tenure]) -> str:
    if not rollbacks and not tenures:
        return "remediator has never seen this workload: is its name right, and has its namespace opted in?"
    if not rollbacks:
        return "no rollback of this workload is recorded"
    return f"none of the {len(rollbacks)} newest rollbacks of this workload left this image for another"


def _left(newest: RolledBack, by: Comparison, against: Sequence[tuple[Tenure, str | None]]) -> str:
    done = "went" if newest.outcome is not None and newest.outcome != "unknown" else "may have gone"
    said = f"run {newest.run_id} of rule {newest.rule.rule} {done} at {_minute(newest.intended_at)} "
    said += f"from {newest.change.from_title} back to {newest.change.to_title}"
    if against:
        again, objection = against[-1]
        said += f"; it was deployed again at {_at(again)}, but {objection}"
    return f"{said}. {_ONLY_TAG}" if by == "tag" else said


def _soak(rollback: RolledBack) -> timedelta:
    """What the rule that rolled back asks of a version."""
    ladder = rollback.rule.ladder
    actions = ladder[rollback.rung].actions if rollback.rung < len(ladder) else ()
    return next((each.soak for each in actions if isinstance(each, Rollback)), Rollback().soak)


def _at(tenure: Tenure) -> str:
    return _minute(tenure.began_at)


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _available(tenure: Tenure) -> str:
    return format_duration(timedelta(seconds=round(tenure.longest_available_seconds)))


def _shown(rollback: RolledBack, by: Comparison) -> JsonObject:
    change = rollback.change
    return {
        "at": (rollback.outcome_at or rollback.intended_at).isoformat(),
        "run": rollback.run_id,
        "run_state": rollback.run_state,
        "rule": rollback.rule.rule,
        "outcome": rollback.outcome,
        "from": change.from_title,
        "from_revision": change.from_revision,
        "to": change.to_title,
        "to_revision": change.to_revision,
        "compared_by": by,
    }
