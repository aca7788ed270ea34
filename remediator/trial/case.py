"""The shape of a file of tests: what an SRE may write in `high_error_rate.test.yaml`."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from remediator.domain.duration import Duration, format_duration, parse_duration
from remediator.domain.run_view import Mode
from remediator.domain.target import Target
from remediator.settings.sections import (
    Approvals,
    Breakers,
    Budgets,
    MonitoringWorks,
    Namespace,
    Storms,
)
from remediator.trial.series import Sample, parse_series

_EARLIEST, _LATEST = timedelta(days=-90), timedelta(days=2)
_WORKLOAD_OR_NAMESPACE = re.compile(r"(?:namespace|node)/[a-z0-9][-a-z0-9.]*")

Health = Literal["fine", "crashing", "unready", "unpullable"]
Ending = Literal["RESOLVED", "BLOCKED", "SHADOWED", "DECLINED", "CANCELLED", "ESCALATED", "UNKNOWN"]
Disposition = Literal[
    "no_rule",
    "no_target",
    "target_unknown",
    "other_cluster",
    "storm",
    "waiting",
    "shadowed",
    "settling",
    "handled",
    "joined",
]
KINDS = ("acts", "asks", "holds", "refuses", "ends", "nothing")
"""What can be expected; an entry says one of them."""


def _moment(given: Any) -> Any:
    if isinstance(given, timedelta):
        return given
    if not isinstance(given, str):
        raise ValueError(f"a time such as 0s, 5m or -3d, not {given!r} (quote it and add a unit)")
    before = given.startswith("-")
    moment = parse_duration(given[1:] if before else given)
    moment = -moment if before else moment
    if not _EARLIEST <= moment <= _LATEST:
        raise ValueError(f"{given!r} is not within -90d and 2d")
    return moment


def at_text(moment: timedelta) -> str:
    """`-4m` and `1h30m`, as a file of tests writes them."""
    return f"-{format_duration(-moment)}" if moment < timedelta(0) else format_duration(moment)


def _a_workload(text: str) -> str:
    Target.parse(text, "")
    return text


def _an_object(text: str) -> str:
    return text if _WORKLOAD_OR_NAMESPACE.fullmatch(text) else _a_workload(text)


def _a_series(text: str) -> str:
    parse_series(text)
    return text


Moment = Annotated[
    timedelta,
    BeforeValidator(_moment),
    WithJsonSchema(
        {"type": "string", "pattern": "^-?(0|([0-9]+(y|w|d|h|ms|m|s))+)$", "examples": ["-3d", "5m"]}
    ),
]
"""Time since the test began; what is before it is history."""
WorkloadName = Annotated[str, AfterValidator(_a_workload)]
SeriesText = Annotated[str, AfterValidator(_a_series)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Turn(_Shape):
    """From then on pods that start are otherwise; those that run stay as they are."""

    at: Moment
    health: Health


class Revision(_Shape):
    """One rollout of a workload, and what becomes of its pods."""

    image: str = Field(min_length=1)
    at: Moment
    health: Health = "fine"
    ready_after: Duration = timedelta(0)
    """From start to ready, of pods that are fine."""
    turns: tuple[Turn, ...] = Field(default=(), max_length=10)
    by: str = Field(default="kubectl", min_length=1)
    """The field manager that wrote it."""


class Autoscaler(_Shape):
    """A HorizontalPodAutoscaler of the workload. It stands there; it scales nothing by itself."""

    min: int = Field(strict=True, ge=1, le=1000)
    max: int = Field(strict=True, ge=1, le=1000)


class Workload(_Shape):
    """One workload with its history."""

    workload: WorkloadName
    """kind/namespace/name"""
    replicas: int = Field(default=2, strict=True, ge=0, le=50)
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    spec: dict[str, Any] = Field(default_factory=dict)
    """Fields of its spec beside replicas, selector and template: a strategy, for example."""
    autoscaler: Autoscaler | None = None
    revisions: tuple[Revision, ...] = Field(min_length=1, max_length=20)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        moments = [each.at for each in self.revisions]
        if sorted(set(moments)) != moments:
            raise ValueError("revisions stand in the order of their times, each at its own")
        return self


class NamespaceFacts(_Shape):
    """A namespace that is not merely there and opted in."""

    namespace: Namespace
    labels: dict[str, str] = Field(default_factory=dict)
    """`remediator.io/enabled` is "true" unless it is given here."""
    annotations: dict[str, str] = Field(default_factory=dict)


class NodeState(_Shape):
    """What becomes of the node that all pods run on."""

    at: Moment
    state: Literal["not_ready", "cordoned", "fine"] = Field(alias="is")


class Write(_Shape):
    """Somebody changes an object, or deletes it."""

    at: Moment
    to: Annotated[str, AfterValidator(_an_object)]
    """kind/namespace/name of a workload, namespace/NAME or node/NAME"""
    by: str = Field(default="kubectl", min_length=1)
    """The field manager."""
    patch: dict[str, Any] = Field(min_length=1)
    """A strategic merge patch, as `kubectl patch` takes it."""


class Stretch(_Shape):
    """Something that lasts: with `until` left out, to the end of the test."""

    begins: Moment = Field(default=timedelta(0), alias="from")
    until: Moment | None = None

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.until is not None and self.until <= self.begins:
            raise ValueError("until must be later than from")
        return self


class Silence(Stretch):
    """A silence in Alertmanager of all alerts with these labels."""

    labels: dict[str, str] = Field(min_length=1)


class AlertSeries(Stretch):
    """One alert, and when it fires: `values` from 0 on, every number but 0, or from one time until another."""

    labels: dict[str, str] = Field(min_length=1)
    annotations: dict[str, str] = Field(default_factory=dict)
    values: SeriesText | None = None

    @model_validator(mode="after")
    def _said_once(self) -> Self:
        if self.values is not None and self.model_fields_set & {"begins", "until"}:
            raise ValueError("give either values, or from and until")
        return self


class Metric(_Shape):
    """What Prometheus answers to one query: `value` always, or `values` from 0 on."""

    query: str = Field(min_length=1)
    """As the rule asks it, with placeholders filled in."""
    value: float | None = None
    values: SeriesText | None = None

    @model_validator(mode="after")
    def _said_once(self) -> Self:
        if (self.value is None) == (self.values is None):
            raise ValueError("give either value or values")
        return self

    def at(self, moment: timedelta, interval: timedelta) -> Sample:
        """The answer at this time; None where there is none."""
        if self.values is None:
            return self.value
        samples = parse_series(self.values)
        index = moment // interval
        return samples[index] if 0 <= index < len(samples) else None


class Expected(_Shape):
    """What has to be seen at one time: one of KINDS, which may be narrowed to a target, a rule and words."""

    at: Moment
    acts: str | None = None
    """`restart`, `rollback to IMAGE` or `eviction`: a change that the API server really applied then."""
    asks: str | None = None
    """The guard, or the action, for which a person was asked to agree then."""
    holds: str | None = None
    """The guard or verification that a run waits for at that time."""
    refuses: str | None = None
    """The guard that said no or could not know then, or the action that had nothing to propose."""
    ends: Ending | None = None
    """How a run ended then."""
    nothing: Disposition | None = None
    """Why no run is planned for an alert at that time."""
    target: WorkloadName | None = None
    rule: str | None = None
    because: str | None = None
    """Words that the sentence contains."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        said = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(said) != 1:
            raise ValueError(f"an entry expects one of {', '.join(KINDS)}; here {len(said)} are given")
        return self

    @property
    def kind(self) -> str:
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def what(self) -> str:
        return str(getattr(self, self.kind))


class Case(_Shape):
    """One test: facts, what happens over time, and what has to come of it."""

    name: str = Field(min_length=1)
    mode: Literal["act", "ask", "as_written"] = "act"
    """Of all its rules. Shipped rules are in shadow, where nothing is changed."""
    interval: Duration = Field(default=timedelta(minutes=1), ge=timedelta(seconds=1))
    """Between two values of a series."""
    workloads: tuple[Workload, ...] = Field(default=(), max_length=50)
    namespaces: tuple[NamespaceFacts, ...] = Field(default=(), max_length=50)
    node: tuple[NodeState, ...] = Field(default=(), max_length=20)
    objects: tuple[dict[str, Any], ...] = Field(default=(), max_length=50)
    """Whole manifests, made at the very beginning: Services, Jobs, PodDisruptionBudgets and the like."""
    writes: tuple[Write, ...] = Field(default=(), max_length=100)
    alerts: tuple[AlertSeries, ...] = Field(min_length=1, max_length=100)
    silences: tuple[Silence, ...] = Field(default=(), max_length=20)
    metrics: tuple[Metric, ...] = Field(default=(), max_length=100)
    expect: tuple[Expected, ...] = Field(min_length=1, max_length=100)


class CaseSettings(_Shape):
    """The settings that verdicts depend on, as in remediator.yml."""

    budgets: Budgets = Budgets()
    storm: Storms = Storms()
    breakers: Breakers = Breakers()
    monitoring: MonitoringWorks = MonitoringWorks()
    approvals: Approvals = Approvals()
    ceiling: Mode = "act"
    ceilings: dict[Namespace, Mode] = Field(default_factory=dict)
    protected_namespaces: tuple[str, ...] = ()
    protected_targets: tuple[str, ...] = ()


class CaseFile(_Shape):
    """One file of tests."""

    rule_files: tuple[str, ...] = Field(min_length=1, max_length=100)
    """Relative to the file of tests."""
    settings: CaseSettings = CaseSettings()
    tests: tuple[Case, ...] = Field(min_length=1, max_length=200)


def images_of(case: Case) -> Sequence[tuple[str, Revision]]:
    """Every revision of the case with the name of its workload."""
    return [(each.workload, revision) for each in case.workloads for revision in each.revisions]
