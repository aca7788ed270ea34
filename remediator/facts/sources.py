"""Who finds out which fact."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from types import MappingProxyType

from remediator.domain.run_view import RunView
from remediator.facts import autoscaler, backup, blocker, database, memory, revision, schema, target
from remediator.kit import Kit

Source = Callable[[RunView, Kit], Awaitable[str]]
"""Answers the value. Raises Retryable or Permanent with why it cannot be told."""

DEADLINE = timedelta(seconds=15)
"""For each fact."""

SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        "run.id": target.run_id,
        "target.kind": target.kind,
        "target.namespace": target.namespace,
        "target.name": target.name,
        "target.selector": target.selector,
        "target.match_labels": target.match_labels,
        "target.container": target.container,
        "target.replicas": target.replicas,
        "target.autoscaler": target.autoscaler,
        "target.pod": target.ready_pod,
        "target.config_map": target.config_map,
        "target.secret": target.secret,
        "target.secret_key": target.secret_key,
        "target.health": target.health,
        "memory.short": memory.short,
        "memory.container": memory.container,
        "memory.limit": memory.limit,
        "memory.suggested": memory.suggested,
        "memory.rests_on": memory.rests_on,
        "autoscaler.name": autoscaler.name,
        "autoscaler.min": autoscaler.fewest,
        "autoscaler.max": autoscaler.most,
        "autoscaler.raised": autoscaler.raised,
        "revision.current": revision.current,
        "revision.good": revision.good,
        "database.name": database.name,
        "database.restored": database.restored,
        "database.before": database.before,
        "database.namespace": database.namespace,
        "database.pod": database.pod,
        "database.container": database.container,
        "database.admin": database.admin,
        "backup.id": backup.identity,
        "backup.location": backup.location,
        "backup.file": backup.file,
        "backup.directory": backup.directory,
        "backup.format": backup.format_of,
        "backup.checksum": backup.checksum,
        "backup.made_at": backup.made_at,
        "backup.age_hours": backup.age_hours,
        "schema.head": schema.head,
        "schema.before": schema.before,
        "blocker.session": blocker.session,
        "blocker.holds_up": blocker.holds_up,
    }
)
"""The same names as FACTS; a test compares."""
