"""The terms of a simulation: the settings it goes by, and what it takes for granted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from remediator.catalogue import always_on
from remediator.domain.duration import format_duration
from remediator.domain.rule_mode import RuleMode, Standing
from remediator.domain.run_view import Mode
from remediator.planning.policy import Policy
from remediator.rulebook.rule import Rule
from remediator.settings.load import Settings
from remediator.settings.protected import Protected, protected_by
from remediator.settings.sections import Storms
from remediator.step import Guard

LONGEST_FOR = timedelta(days=1)
"""Of an alerting rule whose own `for` the history does not tell."""
HEARD_AGAIN = timedelta(hours=4)
"""Alertmanager's repeat_interval unless said otherwise: an open alert is planned again then."""


@dataclass(frozen=True)
class Terms:
    """What the operator decided, as far as a simulation asks, and in which mode it reads rules."""

    policy: Policy
    protected: Protected
    settle: timedelta
    hold: timedelta
    give_up_holding_after: timedelta
    storm: Storms
    always_on: tuple[Guard, ...]
    as_mode: Mode | None = None
    """The mode of every rule that is not off; None leaves each its own."""

    @classmethod
    def of(cls, settings: Settings, as_mode: Mode | None = None) -> "Terms":
        """As configured."""
        return cls(
            policy=Policy.of(settings),
            protected=protected_by(settings, own_namespace=None),
            settle=settings.engine.settle,
            hold=settings.engine.hold,
            give_up_holding_after=settings.engine.give_up_holding_after,
            storm=settings.storm,
            always_on=always_on(settings),
            as_mode=as_mode,
        )

    @property
    def cluster(self) -> str:
        """Its name."""
        return self.policy.cluster

    def mode_of(self, rule: Rule) -> RuleMode:
        """The mode a rule has in the simulation."""
        mode = self.as_mode or rule.mode
        why = "as its file says" if self.as_mode is None else "as was asked for"
        standing = Standing(digest=rule.digest)
        return RuleMode(
            rule=rule.rule,
            digest=rule.digest,
            configured=rule.mode,
            effective=mode,
            why=why,
            standing=standing,
        )

    @property
    def assumptions(self) -> Sequence[str]:
        """What nobody can know, and is taken for granted; printed with every result."""
        modes = (
            "rules are in the mode their files say"
            if self.as_mode is None
            else f"rules are in mode {self.as_mode}"
        )
        settle = format_duration(self.settle)
        return (
            f"{modes}: probation, demotion and ceilings are left out",
            "what might have been done counts as done for every limit, and alerts go on as they did: nothing is cured",
            f"a run holds its target for the longest `within` of its verifications, then it settles for {settle}",
            "only the first rung is tried",
            "a person who is asked says yes at once; in a storm nobody is asked",
            f"an alerting rule's own `for` that the history does not tell is at most {format_duration(LONGEST_FOR)}",
            "every alert reached remediator: Alertmanager's routes, silences and inhibition are left out",
            f"an alert that stays open is heard of again every {format_duration(HEARD_AGAIN)}",
        )


def held_for(rule: Rule) -> timedelta:
    """How long the first rung's verifications may take."""
    return max((each.within for each in rule.ladder[0].verifications), default=timedelta(0))
