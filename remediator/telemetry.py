"""Every metric, and how log lines look.

Labels are bounded: rules, guards, states and the like, never a target or anything an alert says.
Times are in seconds. The metrics of one process hang on a registry of its own, so that tests may
run several daemons in one process.
"""

import json
import logging
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Literal, TextIO, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from remediator.redaction.document import redact_json

disable_created_metrics()  # type: ignore[no-untyped-call]  # A `_created` series beside every counter tells nobody anything.

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_DIAGNOSTIC_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
StandstillReason = Literal["ceiling", "cluster", "rights", "pause", "storm", "monitoring", "database"]
"""Why nothing at all may be changed. `ceiling` and `pause` (a freeze too) are people's will. `cluster`: the database is
another cluster's, or that cannot be told. `rights`: more in the whole cluster than declared, or that cannot be told.
`monitoring`: no Alertmanager says that monitoring works. `database`: it does not answer."""


class Metrics:
    """Every metric of one daemon."""

    def __init__(self, role: str = "all") -> None:
        """`role` is what this process does: all, or intake or executor alone."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._of_intake()
        self._of_runs()
        self._of_weeks()
        self._of_loops()
        self.build_info = self._gauge(
            "build_info", "Always 1; version and role are in the labels.", "version", "role"
        )
        self.build_info.labels(version("remediator"), role).set(1)

    def exposition(self) -> bytes:
        """Everything in Prometheus' text format, which is CONTENT_TYPE."""
        return generate_latest(self.registry)

    def set_runs(self, count_by_state: Mapping[str, int]) -> None:
        """Replace how many runs stand in each state; a state that is not named has none."""
        self.runs.clear()
        for state, count in count_by_state.items():
            self.runs.labels(state).set(count)

    def set_pauses(self, count_by: Mapping[tuple[str, str, str], int]) -> None:
        """Replace how many pauses and freezes are in force, by kind, scope and source."""
        self.pauses.clear()
        for (kind, scope, source), count in count_by.items():
            self.pauses.labels(kind, scope, source).set(count)

    def set_rule_modes(self, modes: Mapping[str, tuple[str, str, str]]) -> None:
        """Replace the modes of all rules: by name, as configured, as effective now, and what makes the difference."""
        self.rule_mode.clear()
        for rule, labels in modes.items():
            self.rule_mode.labels(rule, *labels).set(1)

    def set_cannot_act(self, reasons: Collection[StandstillReason]) -> None:
        """Replace why nothing at all may be changed; a reason that is not named does not hold now."""
        for reason in get_args(StandstillReason):
            self.cannot_act.labels(reason).set(1 if reason in reasons else 0)

    def set_changes(self, by_rule: Mapping[str, Mapping[str, int]]) -> None:
        """Replace what became of each rule's changes."""
        self.changes.clear()
        for rule, sequels in by_rule.items():
            for sequel, count in sequels.items():
                self.changes.labels(rule, sequel).set(count)

    def config_reloaded(self, successfully: bool, at: datetime) -> None:
        """Record how the last reload went."""
        self.config_last_reload_successful.set(1 if successfully else 0)
        if successfully:
            self.config_last_reload_success_timestamp.set(at.timestamp())

    def web_config_reloaded(self, successfully: bool) -> None:
        """Record how the last reload of web.config.file went."""
        self.web_config_last_reload_successful.set(1 if successfully else 0)

    def _of_intake(self) -> None:
        self.webhook_requests = self._counter(
            "webhook_requests_total", "Requests of Alertmanager by the code they were answered with.", "code"
        )
        self.webhook_seconds = self._histogram(
            "webhook_request_duration_seconds", "From a request's headers to its answer.", _REQUEST_BUCKETS
        )
        self.alerts_received = self._counter(
            "alerts_received_total", "Alerts: stored, repeated or quarantined.", "disposition"
        )
        self.dispositions = self._counter(
            "dispositions_total", "What planning decided about episodes.", "disposition"
        )
        self.oldest_unplanned_alert = self._gauge(
            "oldest_unplanned_alert_seconds",
            "How long the oldest alert has waited that planning should have decided about; 0 when none does.",
        )

    def _of_runs(self) -> None:
        self.guard_verdicts = self._counter("guard_verdicts_total", "Answers of guards.", "guard", "answer")
        self.runs = self._gauge("runs", "Runs by state.", "state")
        self.pauses = self._gauge("pauses", "Pauses and freezes in force.", "kind", "scope", "source")
        self.transitions = self._counter("transitions_total", "Times a run entered a state.", "state")
        self.storm = self._gauge("storm", "Storms that are on: everywhere, or in namespaces.", "scope")
        self.budget_taken = self._gauge(
            "budget_taken", "Effects that take a slot of a budget; of namespaces the fullest.", "budget"
        )
        self.budget_limit = self._gauge("budget_limit", "Effects that a budget has room for.", "budget")
        self.approvals_waiting = self._gauge("pending_approvals", "Runs that wait for people to agree.")
        self.oldest_approval = self._gauge(
            "oldest_pending_approval_seconds", "Age of the oldest request that waits; 0 when none does."
        )
        self.actions = self._counter("actions_total", "Attempts by what became of them.", "action", "outcome")
        self.diagnostic_seconds = self._histogram(
            "diagnostic_duration_seconds", "How long diagnostics take.", _DIAGNOSTIC_BUCKETS, "diagnostic"
        )
        self.notices_delivered = self._counter("notices_delivered_total", "Notices that arrived.", "channel")
        self.notices_failed = self._counter(
            "notices_failed_total", "Tries to deliver a notice that failed.", "channel"
        )
        self.oldest_undelivered_notice = self._gauge(
            "oldest_undelivered_notice_seconds",
            "Age of the oldest notice still to be delivered; 0 when none is.",
        )

    def _of_weeks(self) -> None:
        self.changes = self._gauge(
            "changes",
            "Runs of the last 30 days that alerts made and that changed something, by what became of that.",
            "rule",
            "sequel",
        )
        self.alerts_ended = self._gauge(
            "alerts_ended", "Alerts about workloads that ended in the last 30 days, by who ended them.", "by"
        )
        self.to_recovery = self._gauge(
            "alert_to_recovery_seconds", "From an alert's first notice to its end.", "by", "quantile"
        )
        self.to_effect = self._gauge(
            "alert_to_effect_seconds", "From an alert's first notice to our change.", "quantile"
        )
        self.longest_lock = self._gauge(
            "oldest_locked_target_seconds",
            "How long one run has held its target, the longest of all; 0 when none does.",
        )

    def _of_loops(self) -> None:
        self.rule_mode = self._gauge(
            "rule_mode",
            "Always 1; a rule's mode as written and in force.",
            "rule",
            "configured",
            "effective",
            "held_by",
        )
        self.cannot_act = self._gauge(
            "cannot_act", "1 for each reason why nothing at all may be changed now.", "reason"
        )
        self.config_last_reload_successful = self._gauge(
            "config_last_reload_successful", "1 when the last reload was taken, 0 when it was refused."
        )
        self.config_last_reload_success_timestamp = self._gauge(
            "config_last_reload_success_timestamp_seconds", "When the running rules were loaded."
        )
        self.web_config_last_reload_successful = self._gauge(
            "web_config_last_reload_successful",
            "1 when web.config.file was taken as it is, 0 when the one before stays in force.",
        )
        self.web_config_last_reload_successful.set(1)
        self.database_is_ours = self._gauge(
            "database_of_this_cluster", "0 when the database is another cluster's, or that cannot be told."
        )
        self.database_commit = self._gauge(
            "database_commit_seconds", "How long the database took for the last commit that was timed."
        )
        self.loop_last_success = self._gauge(
            "loop_last_success_timestamp_seconds",
            "When a loop last finished a unit of its work, or was started.",
            "loop",
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"remediator_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"remediator_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"remediator_{name}", text, labels, registry=self.registry, buckets=buckets)


_CONTEXT: ContextVar[Mapping[str, str | int]] = ContextVar("log_context", default={})  # noqa: B039 -- never mutated


@contextmanager
def log_context(
    *, run: int | None = None, rule: str | None = None, target: str | None = None
) -> Iterator[None]:
    """Log lines written inside the block say which run, rule and target they are about."""
    given = {"run": run, "rule": rule, "target": target}
    named = {name: value for name, value in given.items() if value is not None}
    before = _CONTEXT.set({**_CONTEXT.get(), **named})
    try:
        yield
    finally:
        _CONTEXT.reset(before)


class JsonLines(logging.Formatter):
    """One JSON object a line, without secrets: time, level, logger, message, and what `log_context` says.

    `extra={"fields": {...}}` of a log call adds fields of its own.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_CONTEXT.get(),
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, Mapping):
            line.update({str(name): value for name, value in fields.items() if name not in line})
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(redact_json(line), default=str)


def configure_logging(
    level: Literal["debug", "info", "warning", "error"], stream: TextIO | None = None
) -> None:
    """Send log lines as JSON to `stream` (standard error), and no others anywhere."""
    lines = logging.StreamHandler(sys.stderr if stream is None else stream)
    lines.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [lines]
    root.setLevel(level.upper())
