"""What a rule would have done in shadow, held against what happened, in numbers."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from remediator.domain.confidence import Share, share
from remediator.domain.target import Target
from remediator.domain.value import Value
from remediator.hindsight.earned import Promotion, promotion
from remediator.hindsight.fate import Fate, Sequel, fate_of
from remediator.hindsight.waits import SelfHealing, self_healing
from remediator.rulebook.rule import Rule
from remediator.settings.sections import Shadow
from remediator.store.shadow_runs import ShadowRun, WatchedTenure


class Decisions(Value):
    """Incidents in which every guard would have let the rule act, or have asked a person."""

    count: int
    asks: int
    """In how many a person would have been asked."""
    same: int
    something_else: int
    alone: int
    worse: int
    unknown: dict[str, int]
    """Of how many it is not known what became of them, by why."""

    @property
    def known(self) -> int:
        """Of how many it is known."""
        return self.same + self.something_else + self.alone + self.worse


class LeftOut(Value):
    """What is no decision."""

    stopped: int
    """Incidents in which guards would have stopped it each time it looked."""
    stopped_by: dict[str, int]
    """By guard; one incident may stand under several."""
    without_plan: int
    """Incidents in which its action had nothing to propose."""
    of_other_versions: int
    """Looks of versions of the rule that could do something else."""


class RuleReport(Value):
    """One rule in the time that is looked back at."""

    rule: str
    digest: str
    decisions: Decisions
    left_out: LeftOut
    precision: Share
    """`same` of all that is known."""
    saved_seconds: float
    verification_seconds: float | None
    """What it takes the rule to verify a change, the median of when it did; None where it never did."""
    verified_within_seconds: float
    """What counts as that for harm where it is not known: the longest the rule waits for it."""
    harmed: int
    wait_seconds: float
    """What the rule waits for now."""
    self_healing: SelfHealing | None
    promotion: Promotion


@dataclass(frozen=True, slots=True)
class Hindsight:
    """What is known of what happened, and by what it is judged."""

    now: datetime
    tenures: Mapping[Target, Sequence[WatchedTenure]]
    thresholds: Shadow
    blind_after: timedelta
    """Longer than this between two looks of the memory is a time that nobody saw."""

    def fate_of(self, run: ShadowRun) -> Fate:
        """What became of one decision."""
        seen = self.tenures.get(run.target, ())
        return fate_of(run, seen, self.now, self.thresholds.window, self.blind_after)


def rule_report(
    rule: Rule,
    runs: Sequence[ShadowRun],
    verified: Sequence[timedelta],
    of_other_versions: int,
    hindsight: Hindsight,
) -> RuleReport:
    """The numbers of one rule, of its look at each incident and how long its verifications have taken.

    Precision is how many of the decisions with a known end people made themselves. Saved is, for these, the time from
    when it would have acted until the alert ended by what people did, less what its own verification takes (nothing
    less where that is not known). Harmed would have been: what ended with nobody changing anything, more alerts and
    all, before the change would have been verified; and where people helped themselves otherwise, while the plan would
    have set another version than theirs.
    """
    looks = [(each, hindsight.fate_of(each)) for each in runs]
    decided = [(run, fate) for run, fate in looks if run.wanted is not None and not run.stopped_by]
    decisions = _decisions(decided)
    precision = share(decisions.same, decisions.known)
    usual = timedelta(seconds=median(each.total_seconds() for each in verified)) if verified else None
    within = verified_within(rule)
    harmed = sum(1 for run, fate in decided if _harms(run, fate, within if usual is None else usual))
    healed = [_until_cleared(run) for run, fate in looks if fate.sequel is Sequel.ALONE]
    return RuleReport(
        rule=rule.rule,
        digest=rule.digest,
        decisions=decisions,
        left_out=_left_out([run for run, _ in looks], of_other_versions),
        precision=precision,
        saved_seconds=sum(_saved(run, fate, usual) for run, fate in decided),
        verification_seconds=None if usual is None else usual.total_seconds(),
        verified_within_seconds=within.total_seconds(),
        harmed=harmed,
        wait_seconds=rule.wait.total_seconds(),
        self_healing=self_healing(healed),
        promotion=promotion(precision, harmed, hindsight.thresholds),
    )


def verified_within(rule: Rule) -> timedelta:
    """After how long at the latest the first thing the rule tries is verified."""
    first = rule.ladder[0].verifications if rule.ladder else ()
    return max((each.within + each.hold_for for each in first), default=timedelta(0))


def _decisions(decided: Sequence[tuple[ShadowRun, Fate]]) -> Decisions:
    counted = Counter(fate.sequel for _, fate in decided)
    return Decisions(
        count=len(decided),
        asks=sum(1 for run, _ in decided if run.asks),
        same=counted[Sequel.SAME],
        something_else=counted[Sequel.SOMETHING_ELSE],
        alone=counted[Sequel.ALONE],
        worse=counted[Sequel.WORSE],
        unknown=_ranked(fate.why for _, fate in decided if fate.sequel is Sequel.UNKNOWN),
    )


def _left_out(looks: Sequence[ShadowRun], of_other_versions: int) -> LeftOut:
    stopped = [run for run in looks if run.wanted is not None and run.stopped_by]
    return LeftOut(
        stopped=len(stopped),
        stopped_by=_ranked(guard for run in stopped for guard in run.stopped_by),
        without_plan=sum(1 for run in looks if run.wanted is None),
        of_other_versions=of_other_versions,
    )


def _harms(run: ShadowRun, fate: Fate, verified_after: timedelta) -> bool:
    if fate.sequel is Sequel.SOMETHING_ELSE:
        return run.wanted is not None and not run.wanted.restarts
    ended = _ended_alone(run, fate)
    return ended is not None and ended - run.decided_at < verified_after


def _ended_alone(run: ShadowRun, fate: Fate) -> datetime | None:
    """When all of it was over with nobody changing anything; more alerts that are over belong to it."""
    if fate.sequel is Sequel.ALONE:
        return run.cleared_at
    if fate.sequel is Sequel.WORSE and run.cleared_at is not None and run.more_ended_at is not None:
        return max(run.cleared_at, run.more_ended_at)
    return None


def _saved(run: ShadowRun, fate: Fate, usual: timedelta | None) -> float:
    if fate.sequel is not Sequel.SAME or run.cleared_at is None:
        return 0.0
    return max(0.0, (run.cleared_at - run.decided_at - (usual or timedelta(0))).total_seconds())


def _until_cleared(run: ShadowRun) -> timedelta:
    begin = run.received_at or run.decided_at
    return max(timedelta(0), (run.cleared_at or begin) - begin)


def _ranked(names: Iterable[str]) -> dict[str, int]:
    """How often each, the most frequent first."""
    return dict(sorted(Counter(names).items(), key=lambda each: (-each[1], each[0])))
