"""The shape of a rule file: what an SRE may write. Reading it from YAML is load.py's part."""

import re
from datetime import date, timedelta
from difflib import get_close_matches
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_serializer,
    model_validator,
)

from remediator.actions.scale import Scale
from remediator.catalogue import PROCEDURES, ActionStep, DiagnosticStep, GuardStep, VerificationStep
from remediator.domain.duration import Duration
from remediator.domain.run_view import Mode
from remediator.domain.value import digest
from remediator.guards.alerts_correlated import AlertsCorrelated
from remediator.guards.promql import Promql

_RULE_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WEB_ADDRESS = re.compile(r"https?://\S+")


def _a_rule_name(text: str) -> str:
    if not _RULE_NAME.fullmatch(text):
        raise ValueError(f"{text!r} is not a rule's name: up to 63 lower-case letters, digits, inner dashes")
    return text


def _a_web_address(text: str) -> str:
    if not _WEB_ADDRESS.fullmatch(text):
        raise ValueError(f"{text!r} is not a web address: it starts with https:// or http://")
    return text


def _a_day(given: Any) -> Any:
    if isinstance(given, date):
        return given
    if not isinstance(given, str) or not _DAY.fullmatch(given):
        raise ValueError(f"a day such as 2027-01-31, not {given!r}")
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise ValueError(f"there is no day {given!r}") from None


RuleName = Annotated[
    str,
    AfterValidator(_a_rule_name),
    Field(json_schema_extra={"pattern": f"^{_RULE_NAME.pattern}$"}),
]
"""Like a Kubernetes name: it becomes a metric label and part of messages."""

WebAddress = Annotated[
    str,
    AfterValidator(_a_web_address),
    Field(json_schema_extra={"pattern": f"^{_WEB_ADDRESS.pattern}$"}),
]
"""Shown to people as a link, so it may be nothing that a browser would run."""


Day = Annotated[
    date,
    BeforeValidator(_a_day),
    Field(json_schema_extra={"pattern": f"^{_DAY.pattern}$"}),
]
"""Written 2027-01-31. Which zone's day does not matter: it is for reviews."""


def _a_procedure(name: str) -> str:
    if name not in PROCEDURES:
        near = get_close_matches(name, PROCEDURES, n=1)
        known = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(PROCEDURES))}"
        raise ValueError(f"there is no procedure {name!r}: {known}")
    return name


ProcedureName = Annotated[
    str, AfterValidator(_a_procedure), Field(json_schema_extra={"enum": sorted(PROCEDURES)})
]
"""One of the catalogue."""


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


_WHAT_IT_MAY_DO = {
    "rule",
    "match",
    "priority",
    "wait",
    "guards",
    "actions",
    "verifications",
    "rungs",
    "targets",
}
"""The fields that a rule's digest is made of."""


class Rung(_Shape):
    """One act-and-verify try of a rule that has several."""

    actions: tuple[ActionStep, ...] = Field(min_length=1, max_length=5)
    """What this rung changes: one action, as a second would find what the first has changed."""
    verifications: tuple[VerificationStep, ...] = Field(min_length=1, max_length=10)
    """All have to say that it helped. The next rung is tried only when one says that it did not."""


class HandOver(_Shape):
    """Written `hand_over`, or `{hand_over: [...]}` with the procedures that people may need."""

    hand_over: tuple[ProcedureName, ...] = Field(default=(), max_length=10)
    """Procedures that are filled in for whoever takes over: commands with every value, for people to run."""

    @model_validator(mode="before")
    @classmethod
    def _alone(cls, given: Any) -> Any:
        if isinstance(given, str) and given != "hand_over":
            raise ValueError(f"expected hand_over, found {given!r}")
        return {} if isinstance(given, str) else given

    @model_serializer(mode="plain")
    def _as_in_a_rule_file(self) -> str | dict[str, list[str]]:
        return {"hand_over": list(self.hand_over)} if self.hand_over else "hand_over"


class Rule(_Shape):
    """One rule: which alerts, what to look at, what may be changed, and how to tell whether it helped."""

    rule: RuleName
    """Its name, of all rules in all files: up to 63 lower-case letters, digits and inner dashes."""
    match: tuple[str, ...] = Field(min_length=1, max_length=100)
    """Alertmanager matchers: lines are alternatives, inside the braces all must hold."""
    mode: Mode = "shadow"
    """`off`; `shadow` goes all the way to the change and does not make it; `ask` waits for a person; `act`."""
    owner: str | None = None
    """Whose rule it is, for people."""
    runbook: WebAddress | None = None
    """A web address that is shown with every notice."""
    description: str | None = None
    """What it is for, for people."""
    review_by: Day | None = None
    """By when somebody is to look whether the rule is still right; nothing but a warning comes of it."""
    priority: int = Field(default=100, strict=True, ge=0, le=1000)
    """The lowest wins among the rules that match; then the order in the file."""
    wait: Duration = timedelta(0)
    """The alert must have fired this long since we first received it; a flap starts anew."""
    diagnostics: tuple[DiagnosticStep, ...] = Field(default=(), max_length=20)
    """What to look at before anything changes."""
    guards: tuple[GuardStep, ...] = Field(default=(), max_length=20)
    """Reasons not to act, besides those that are always asked."""
    actions: tuple[ActionStep, ...] = Field(default=(), max_length=5)
    """What to change. A rule without only looks and hands over."""
    verifications: tuple[VerificationStep, ...] = Field(default=(), max_length=10)
    """How to tell whether it helped; needed where there are actions."""
    rungs: tuple[Rung, ...] = Field(default=(), max_length=5)
    """In the place of actions and verifications: several of them, tried in turn."""
    otherwise: HandOver = HandOver()
    """When nothing helped, people take over with all that was seen: `hand_over`, or with procedures filled in for
    them, `{hand_over: [restore_database]}`."""

    @model_validator(mode="after")
    def _either_actions_or_rungs(self) -> Self:
        if self.rungs and (self.actions or self.verifications):
            raise ValueError("give either actions and verifications, or rungs")
        if self.actions and not self.verifications:
            raise ValueError("actions need verifications: how would anyone know that they helped?")
        if self.verifications and not self.actions:
            raise ValueError("verifications need actions to verify")
        return self

    @model_validator(mode="after")
    def _two_signs_of_a_load(self) -> Self:
        """What looks like no load may wait on a network: Slack was scaled the wrong way on 4 January 2021."""
        by_load = any(
            isinstance(action, Scale) and action.by is not None
            for rung in self.ladder
            for action in rung.actions
        )
        if by_load and not any(isinstance(guard, Promql | AlertsCorrelated) for guard in self.guards):
            raise ValueError(
                "scale with by needs a second sign of the load beside the alert: a guard promql or alerts_correlated"
            )
        return self

    @cached_property
    def ladder(self) -> tuple[Rung, ...]:
        """The rungs in order; empty for a rule that only looks and hands over."""
        if self.actions:
            return (Rung(actions=self.actions, verifications=self.verifications),)
        return self.rungs

    @cached_property
    def digest(self) -> str:
        """Names what this rule may do: all that could widen it. What it looks at and says does not count."""
        return digest(self.model_dump(mode="json", include=_WHAT_IT_MAY_DO))[:16]


class RuleTarget(_Shape):
    """Which workload alerts mean that carry no workload labels."""

    match: tuple[str, ...] = Field(min_length=1, max_length=100)
    """Which alerts: lines of matchers as in a rule."""
    target: str
    """kind/namespace/name, such as `deployment/checkout/api`."""
    depends_on: tuple[str, ...] = ()
    """What the workload needs to be well, each as kind/namespace/name."""


class LoadedRule(Rule):
    """A rule as it is in force: with its file's defaults, and the entries of `targets:` that can apply to it.

    Which workload an alert means is part of what the rule may do, wherever the entry is written.
    """

    targets: tuple[RuleTarget, ...] = ()

    @classmethod
    def of(cls, rule: Rule, targets: tuple[RuleTarget, ...]) -> "LoadedRule":
        """`rule` with these entries, which are those of its alerts."""
        fields = {name: getattr(rule, name) for name in Rule.model_fields}
        return cls.model_construct(rule.model_fields_set, **fields, targets=targets)


class Defaults(_Shape):
    """What every rule of the file has unless it says otherwise."""

    owner: str | None = None
    """As in a rule."""
    mode: Mode | None = None
    """As in a rule."""
    runbook: WebAddress | None = None
    """As in a rule."""
    review_by: Day | None = None
    """As in a rule."""
    priority: int | None = Field(default=None, strict=True, ge=0, le=1000)
    """As in a rule."""


class RuleFile(_Shape):
    """One file of rules/."""

    defaults: Defaults = Defaults()
    """What every rule of this file has unless it says otherwise."""
    targets: tuple[RuleTarget, ...] = ()
    """Which workload alerts mean whose labels name none."""
    rules: tuple[Rule, ...] = ()
    """The rules."""
