"""A run: one execution of one rule for one incident, its states, and what a stage may answer."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from remediator.catalogue import UNDO
from remediator.domain.answers import Evidence, GuardVerdict
from remediator.domain.basis import Basis
from remediator.domain.change import Change, TemplatePatch
from remediator.domain.levels import Agreement
from remediator.domain.notice import Notice
from remediator.domain.run_view import Mode, RunView, Trigger, TriggerAlert, TriggerPerson
from remediator.domain.target import Target
from remediator.domain.value import Value, digest
from remediator.rulebook.rule import LoadedRule, Rung
from remediator.step import Action, Guard, Verification
from remediator.verifications.rollout_complete import RolloutComplete


class State(StrEnum):
    """Where a run stands. The order of the first six is the lifecycle's, the rest are endings."""

    PLANNED = "PLANNED"
    DIAGNOSED = "DIAGNOSED"
    PROPOSED = "PROPOSED"
    CLEARED = "CLEARED"
    APPROVED = "APPROVED"
    ACTED = "ACTED"

    RESOLVED = "RESOLVED"
    BLOCKED = "BLOCKED"
    SHADOWED = "SHADOWED"
    DECLINED = "DECLINED"
    CANCELLED = "CANCELLED"
    ESCALATED = "ESCALATED"
    UNKNOWN = "UNKNOWN"


ACTIVE = frozenset(
    {State.PLANNED, State.DIAGNOSED, State.PROPOSED, State.CLEARED, State.APPROVED, State.ACTED}
)
"""States in which there is work to do. UNKNOWN is not active, and yet it keeps its target locked."""

BEFORE_EFFECTS = ACTIVE - {State.ACTED}
"""States in which a run may still be held from changing anything."""


class Plan(Value):
    """What one rung would change, exactly."""

    rung: int
    changes: tuple[Change, ...]
    asked: tuple[str, ...] = ()
    """What guards want a person to agree to, as they said it when they cleared the plan."""
    caveats: tuple[str, ...] = ()
    """What guards that allow it want to be known."""
    basis: Basis | None = None
    """The facts of the workload before the actions looked; what changes of them later stops the plan."""
    verdicts: tuple[str, ...] = ()
    """What each guard answered when it cleared the plan, with its sentence where it asks."""

    def judged(self, verdicts: Iterable[GuardVerdict]) -> "Plan":
        """The plan with what the guards say of it now."""
        every = tuple(verdicts)
        said = {f"{each.guard}: {each.answer}{f', {each.why}' if each.asks else ''}" for each in every}
        return self.model_copy(
            update={
                "asked": tuple(dict.fromkeys(each.sentence for each in every if each.asks)),
                "caveats": tuple(dict.fromkeys(caveat for each in every for caveat in each.caveats)),
                "verdicts": tuple(sorted(said)),
            }
        )

    @property
    def reasons(self) -> tuple[str, ...]:
        """What its changes and the guards want a person to agree to."""
        because = (reason for change in self.changes for reason in change.ask_because)
        return tuple(dict.fromkeys((*because, *self.asked)))

    @property
    def outcome(self) -> Change:
        """What verifications look for: the last template that is set, else the last change."""
        templates = [each for each in self.changes if isinstance(each, TemplatePatch)]
        return (templates or self.changes)[-1]


class Streak(Value):
    """How long a verification has given the same answer."""

    answer: str
    since: datetime
    why: str
    recovered_once: bool = Field(default=False, alias="settled")
    """It recovered for as long as it had to, at some look. What happens to the workload afterwards is no sign that
    the change did not help; it is none that all is well either. Stored as `settled`, as the version before wrote it."""


@dataclass(frozen=True, slots=True)
class Undoing:
    """The one rung of a run that undoes another. People's, so that no rule can say it."""

    actions: tuple[Action, ...] = (UNDO,)
    verifications: tuple[Verification, ...] = (RolloutComplete(),)


@dataclass(frozen=True, slots=True)
class Run:
    """A run as read from the database; changed only by a transition."""

    id: int
    incident_id: int
    rule: LoadedRule
    mode: Mode
    trigger: Trigger
    target: Target
    depends_on: tuple[str, ...]
    state: State
    rung: int
    plan: Plan | None
    progress: dict[str, Streak]
    epoch: int
    created_at: datetime
    rung_since: datetime
    """When its current rung began: how long that one may wait is counted from here."""
    acted_at: datetime | None

    @property
    def alert(self) -> TriggerAlert | None:
        """The alert that made it; None when a person asked for it."""
        return self.trigger if isinstance(self.trigger, TriggerAlert) else None

    @property
    def asked_by(self) -> TriggerPerson | None:
        """Who asked for it; None when an alert made it."""
        return self.trigger if isinstance(self.trigger, TriggerPerson) else None

    @property
    def undoes(self) -> int | None:
        """The run whose changes a person asked it to take back."""
        return self.asked_by.undo_of if self.asked_by is not None else None

    @property
    def ladder(self) -> tuple[Rung | Undoing, ...]:
        """What it tries, in order: the rungs of its rule, or the undoing of another run of that rule."""
        return self.rule.ladder if self.undoes is None else (Undoing(),)

    @property
    def guards(self) -> tuple[Guard, ...]:
        """Those of its rule, which say when the rule's own cure may be made: undoing one is asked none of them."""
        return self.rule.guards if self.undoes is None else ()

    @property
    def view(self) -> RunView:
        """What the run's steps may know of it."""
        return RunView(
            run_id=self.id,
            rule=self.rule.rule,
            rule_digest=self.rule.digest,
            mode=self.mode,
            target=self.target,
            alert=self.alert,
            asked_by=self.asked_by,
            created_at=self.created_at,
            rung=self.rung,
            acted_at=self.acted_at,
            depends_on=self.depends_on,
            basis=self.plan.basis if self.plan is not None else None,
        )

    def digest_of(self, plan: Plan, needed: Agreement) -> str:
        """What an approval is bound to: this run and rung, its rule, what is changed from what to what, what
        the guards said, and what is asked of whom.
        """
        return digest(
            [
                self.id,
                plan.rung,
                self.rule.digest,
                [change.digest for change in plan.changes],
                plan.verdicts,
                [needed.level.name, needed.people, *needed.why],
            ]
        )[:16]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal a transition writes along."""

    kind: str
    text: str
    details: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, evidence: Evidence) -> "Entry":
        """Evidence as a journal line."""
        return cls("evidence", f"{evidence.step}: {evidence.summary}", evidence.to_json())


class Asks(Value):
    """A request for approval."""

    digest: str
    needed: Agreement
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """A stage's answer: what becomes of the run, and what is recorded with it in the same transaction."""

    why: str
    entries: tuple[Entry, ...] = ()
    plan: Plan | None = None
    """A new plan to store with the run."""
    progress: dict[str, Streak] | None = None
    acted: bool = False
    """True when effects of this rung are recorded now: verification counts from here."""
    notices: tuple[Notice, ...] = ()
    asks: Asks | None = None
    """A request for approval to make; it takes the place of an earlier one."""


@dataclass(frozen=True, slots=True)
class Proceed(Verdict):
    """On to the next line of the runbook."""


@dataclass(frozen=True, slots=True)
class Hold(Verdict):
    """Stay in this state and ask again after `seconds`."""

    seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class TryNext(Verdict):
    """This rung did not help: the next one starts from the top, or people take over."""


@dataclass(frozen=True, slots=True)
class End(Verdict):
    """The run is over."""

    state: State = State.ESCALATED
    plan_again: bool = False
    """For BLOCKED: its alerts are planned again once the target has settled, since a new plan may be allowed."""
