"""The shape of a file of tests: what an SRE may write in `high_error_rate.test.yaml`."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    model_validator,
)

from remediator.domain.duration import Duration
from remediator.domain.run_view import Mode
from remediator.settings.sections import (
    Approvals,
    Breakers,
    Budgets,
    MonitoringWorks,
    Namespace,
    Storms,
)
from remediator.trial.expected import Expected, Shape, WorkloadName, a_workload
from remediator.trial.moment import Moment
from remediator.trial.series import Sample, parse_series

_WORKLOAD_OR_NAMESPACE = re.compile(r"(?:namespace|node)/[a-z0-9][-a-z0-9.]*")

Health = Literal["fine", "crashing", "out_of_memory", "unready", "unpullable"]


def _an_object(text: str) -> str:
    return text if _WORKLOAD_OR_NAMESPACE.fullmatch(text) else a_workload(text)


def _a_series(text: str) -> str:
    parse_series(text)
    return text


SeriesText = Annotated[str, AfterValidator(_a_series)]


class Turn(Shape):
    """From then on pods that start are otherwise; those that run stay as they are."""

    at: Moment
    health: Health


class Revision(Shape):
    """One rollout of a workload, and what becomes of its pods."""

    image: str = Field(min_length=1)
    at: Moment
    health: Health = "fine"
    ready_after: Duration = timedelta(0)
    """From start to ready, of pods that are fine."""
    turns: tuple[Turn, ...] = Field(default=(), max_length=10)
    by: str = Field(default="kubectl", min_length=1)
    """The field manager that wrote it."""


class Autoscaler(Shape):
    """A HorizontalPodAutoscaler of the workload. It stands there; it scales nothing by itself."""

    min: int = Field(strict=True, ge=1, le=1000)
    max: int = Field(strict=True, ge=1, le=1000)


class Workload(Shape):
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


class NamespaceFacts(Shape):
    """A namespace that is not merely there and opted in."""

    namespace: Namespace
    labels: dict[str, str] = Field(default_factory=dict)
    """`remediator.io/enabled` is "true" unless it is given here."""
    annotations: dict[str, str] = Field(default_factory=dict)


class NodeState(Shape):
    """What becomes of the node that all pods run on."""

    at: Moment
    state: Literal["not_ready", "cordoned", "fine"] = Field(alias="is")


class Write(Shape):
    """Somebody changes an object, or deletes it."""

    at: Moment
    to: Annotated[str, AfterValidator(_an_object)]
    """kind/namespace/name of a workload, namespace/NAME or node/NAME"""
    by: str = Field(default="kubectl", min_length=1)
    """The field manager."""
    patch: dict[str, Any] = Field(min_length=1)
    """A strategic merge patch, as `kubectl patch` takes it."""


class Stretch(Shape):
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


class Metric(Shape):
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


class Case(Shape):
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


class CaseSettings(Shape):
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


class CaseFile(Shape):
    """One file of tests."""

    rule_files: tuple[str, ...] = Field(min_length=1, max_length=100)
    """Relative to the file of tests."""
    settings: CaseSettings = CaseSettings()
    tests: tuple[Case, ...] = Field(min_length=1, max_length=200)


def images_of(case: Case) -> Sequence[tuple[str, Revision]]:
    """Every revision of the case with the name of its workload."""
    return [(each.workload, revision) for each in case.workloads for revision in each.revisions]
