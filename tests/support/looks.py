"""Looking into databases as a run does, without the rest of a run: every other tool of the kit is missing."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from remediator.clients.databases import Databases
from remediator.clock import SystemClock
from remediator.domain.answers import Evidence
from remediator.domain.run_view import RunView, TriggerAlert
from remediator.domain.target import Target
from remediator.kit import Kit
from remediator.runbook.call_step import Unanswered, call_step
from remediator.settings.databases import ApplicationDatabase
from remediator.step import DatabaseDiagnostic

TARGET = Target(cluster="default", kind="deployment", namespace="shop", name="api")
LABELS = {"alertname": "HighErrorRate", "namespace": "shop", "deployment": "api", "tenant": "1"}


def orders(directory: Path, dsn: str, **more: Any) -> ApplicationDatabase:
    """The settings of a database at this address, which serves the target."""
    (directory / "dsn").write_text(f"{dsn}\n")
    entry = {"name": "orders", "dsn_file": directory / "dsn", "targets": [str(TARGET)], **more}
    return ApplicationDatabase.model_validate(entry)


def kit_with(databases: Sequence[ApplicationDatabase] | Databases, history: Any = None) -> Kit:
    """Nothing in it but databases and the clock."""
    missing = cast("Any", None)
    clock = SystemClock()
    return Kit(
        cluster="default",
        cluster_label=None,
        protected=missing,
        kube=missing,
        prometheus=missing,
        alertmanager=missing,
        monitoring=missing,
        http=missing,
        http_allow=frozenset(),
        clock=clock,
        history=history,
        slos=missing,
        rules=missing,
        pause_file=missing,
        databases=databases if isinstance(databases, Databases) else Databases(tuple(databases)),
    )


async def look(
    step: DatabaseDiagnostic,
    databases: Sequence[ApplicationDatabase] | Databases,
    labels: Mapping[str, str] = LABELS,
    target: Target = TARGET,
    history: Any = None,
) -> Evidence:
    """What a run of an alert with these labels would keep of it."""
    kit = kit_with(databases, history)
    clock = kit.clock
    alert = TriggerAlert(
        source="alertmanager",
        fingerprint="f",
        labels=dict(labels),
        annotations={},
        starts_at=clock.now(),
        received_at=clock.now(),
    )
    run = RunView(run_id=1, rule="r", mode="shadow", target=target, alert=alert, created_at=clock.now())
    seen = await call_step(step.key(), step.look(run, kit), step.deadline)
    if isinstance(seen, Unanswered):
        return Evidence(step=step.key(), summary=seen.why, failed=True)
    json.dumps(seen.details)  # what cannot be kept is no evidence
    return seen
