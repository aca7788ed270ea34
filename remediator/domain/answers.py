"""What steps answer: evidence, verdicts of guards, findings of verifications. Never a bare boolean."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from remediator.domain.change import Change
from remediator.domain.switch import Switch
from remediator.domain.value import JsonObject, Value


class Refusal(Value):
    """Why something is not done, as a sentence. `passing` means it may end soon by itself."""

    why: str
    passing: bool = False


class Evidence(Value):
    """What a diagnostic (or an action looking around) saw."""

    step: str
    """The step that looked, as the rule file names it."""
    summary: str
    """One line for a person."""
    details: JsonObject = Field(default_factory=dict)
    """What was seen, bounded in size."""
    failed: bool = False
    """True when it could not look; then `summary` says why."""


class Proposal(Value):
    """An action's answer: the changes it would make in order, or why there is none, and what it looked at."""

    changes: tuple[Change, ...] = ()
    refusal: Refusal | None = None
    evidence: tuple[Evidence, ...] = ()


class GuardAnswer(StrEnum):
    ALLOW = "allow"
    ASK = "ask"
    """Only if a person agrees: the daemon may not decide this by itself."""
    REFUSE = "refuse"
    UNKNOWN = "unknown"


class GuardVerdict(Value):
    """A guard's answer with everything needed to explain it later. Unknown refuses."""

    guard: str
    answer: GuardAnswer
    why: str
    passing: bool = False
    """For a refusal: may end soon, so ask again instead of giving up. Unknown always is."""
    hands_over: bool = False
    """For a refusal that lasts: people take over (ESCALATED), instead of the run being merely BLOCKED."""
    plan_again: bool = False
    """For a refusal that lasts: what is wrong is the plan, and a new one may be allowed."""
    inputs: dict[str, Any] = Field(default_factory=dict)
    """What it looked at, and the threshold it held that against."""
    caveats: tuple[str, ...] = ()
    """What whoever reads the plan should know although it is allowed."""
    switches: tuple[Switch, ...] = Field(default=(), exclude=True)
    """Pauses it saw set outside the database: whoever asked it makes them pauses of the database as well."""
    observed_at: datetime | None = None
    """When the inputs were observed; stamped by whoever asked when the guard does not know better."""

    @property
    def allows(self) -> bool:
        return self.answer is GuardAnswer.ALLOW

    @property
    def asks(self) -> bool:
        return self.answer is GuardAnswer.ASK

    @property
    def sentence(self) -> str:
        """What it says and who says it; two verdicts that ask for the same have the same sentence."""
        return f"{self.guard}: {self.why}"


class Answer(StrEnum):
    """Of one look by a verification."""

    RECOVERED = "recovered"
    NOT_RECOVERED = "not_recovered"
    UNKNOWN = "unknown"


class Finding(Value):
    """One look by a verification: did it help, as far as can be seen right now?"""

    answer: Answer
    why: str
    inputs: dict[str, Any] = Field(default_factory=dict)


class Limit(Value):
    """A count that must stay below `fewer_than`, enforced inside the intent's own transaction.

    `of` is the scope that is counted; `pair` is this very from-to change on this target, `return` is any effect on
    this target that left the version we want to go to, `put_back` is a person's undoing that set the version we
    want to leave, `action` is any change of this target by the same action. The changes of one rung are one of
    `effects`: a stuck StatefulSet needs two, and half a cure is none. Of `slots` and `unsettled` each change takes
    its own, and a plan that begins takes them for all its changes.
    """

    guard: str
    count: Literal["effects", "runs", "pauses", "freezes", "slots", "unsettled", "storms"]
    of: Literal["target", "rule", "namespace", "everything", "pair", "return", "put_back", "action"]
    fewer_than: int
    """There must exist fewer than this many already; of `slots` and `unsettled`, with those the plan needs."""
    per_seconds: float
    """Length of the window; 0 for things that are simply in force or not, as pauses are."""
    why: str
    """The refusal's sentence when the limit is reached."""
    passing: bool
    other_runs_only: bool = False
    """Leave out what the asking run did itself, so that a second rung is not refused for the first."""
