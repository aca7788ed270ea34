"""The table of checks, and how they are run: side by side, each with a deadline, told in a fixed order."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from remediator.doctor import (
    alert_labels,
    alertmanagers,
    clock,
    database,
    databases,
    files,
    kubernetes,
    prometheus,
    rights,
    rule_routes,
    rule_targets,
    watchdog,
)
from remediator.doctor.finding import Examined, Finding, unknown
from remediator.doctor.systems import Systems
from remediator.errors import RemediatorError
from remediator.store.database import DATABASE_ERRORS

_SHOW_EVERY = 1.0


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the table."""

    name: str
    ask: Callable[[Systems], Awaitable[list[Finding]]]
    seconds: float = 20.0
    """Its deadline."""


CHECKS = (
    Check("rules", files.check_rules),
    Check("secrets", files.check_secrets),
    Check("database", database.check_database, 30.0),
    Check("kubernetes", kubernetes.check_kubernetes),
    Check("cluster", kubernetes.check_cluster),
    Check("clock", clock.check_clock),
    Check("namespaces", kubernetes.check_namespaces),
    Check("rights", rights.check_rights, 60.0),
    Check("alertmanagers", alertmanagers.check_alertmanagers),
    Check("routing", alertmanagers.check_routing),
    Check("delivery", alertmanagers.check_delivery, 30.0),
    Check("watchdog", watchdog.check_watchdog),
    Check("prometheus", prometheus.check_prometheus),
    Check("queries", prometheus.check_queries, 60.0),
    Check("alerts", prometheus.check_alerts),
    Check("notifiers", files.check_notifiers),
    Check("databases", databases.check_databases, 30.0),
)
"""In the order they are printed. A new check is its function and its line here."""

OF_RULES = (
    Check("queries", prometheus.check_queries, 60.0),
    Check("alerts", prometheus.check_alerts),
    Check("labels", alert_labels.check_alert_labels),
    Check("routes", rule_routes.check_rule_routes),
    Check("databases", databases.check_rule_databases),
    Check("workloads", rule_targets.check_rule_targets, 60.0),
    Check("rights", rights.check_rights, 60.0),
)
"""What `rules check --live` asks: about the rules it was given, not about the installation."""


async def examine(
    systems: Systems,
    waiting_for: Callable[[Sequence[str]], None] = lambda _: None,
    checks: Sequence[Check] = CHECKS,
) -> list[Examined]:
    """Run the checks. `waiting_for` is told now and then which have not answered yet."""
    under_way = {check.name: asyncio.create_task(_answered(check, systems)) for check in checks}
    try:
        while left := [name for name, task in under_way.items() if not task.done()]:
            waiting_for(left)
            await asyncio.wait(under_way.values(), timeout=_SHOW_EVERY)
    finally:
        for task in under_way.values():
            task.cancel()
    return [Examined(check=name, findings=tuple(task.result())) for name, task in under_way.items()]


async def _answered(check: Check, systems: Systems) -> list[Finding]:
    """What it found. A check whose system does not answer says so and takes no other with it."""
    try:
        async with asyncio.timeout(check.seconds):
            return await check.ask(systems)
    except RemediatorError as reason:
        return [unknown(reason.sentence, "see to that first")]
    except TimeoutError:
        return [unknown(f"no answer within {check.seconds:g} s", "see what its system is busy with")]
    except DATABASE_ERRORS as reason:
        return [unknown(f"the database: {str(reason) or type(reason).__name__}", "see the check database")]
