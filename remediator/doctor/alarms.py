"""Remediator's own alarms: Prometheus scrapes us and has rules about us, and Alertmanager takes them to people.

Who watches the watchman is the part of an installation that nobody misses until it is needed.
"""

from collections.abc import Iterator
from datetime import timedelta

from remediator.doctor.finding import Finding, ok, some, warning
from remediator.doctor.peer_routing import of_each_peer
from remediator.doctor.routing import Routing
from remediator.doctor.systems import Systems
from remediator.domain.matcher import Matcher

_RECENT = timedelta(minutes=10)
_OURS = "remediator_build_info"

ALARMS = (
    "RemediatorDown",
    "RemediatorCannotAct",
    "RemediatorRulesNotReloaded",
    "RemediatorAlertsNotPlanned",
    "RemediatorCouldNotKnow",
    "RemediatorOutcomeUnknown",
    "RemediatorNoticesNotDelivered",
    "RemediatorDatabaseSlow",
)
"""Those of deploy/prometheus/remediator-alerts.yml."""

_LINE = (
    Matcher("alertname", "=", ALARMS[0]),
    Matcher("severity", "=", "warning"),
    Matcher("remediate", "=", ""),
)
"""What stands for all of them: they have no label by which one could be routed elsewhere."""


async def check_alarms(systems: Systems) -> list[Finding]:
    """Scraped, ruled and routed; the first two hang on Prometheus, the last on each Alertmanager.

    Of what does not answer, the checks of that say so.
    """
    findings = [*await _in_prometheus(systems)] if systems.settings.prometheus.url else []
    findings += await of_each_peer(systems, _routed, tell_unknown=False)
    return findings or [ok("Prometheus scrapes us, and its alerts about us go to people")]


async def _in_prometheus(systems: Systems) -> list[Finding]:
    prometheus = systems.prometheus
    findings = []
    if not await prometheus.metrics_among({_OURS}, systems.clock.now() - _RECENT):
        findings.append(
            warning(
                f"there is no series of {_OURS}: Prometheus does not scrape us",
                "apply deploy/prometheus-operator, whose ServiceMonitor your Prometheus has to select and whose Role "
                "lets it see the pods; or scrape as deploy/prometheus/prometheus.yml does",
            )
        )
    lacking = [each for each in ALARMS if each not in await prometheus.alert_names()]
    if lacking:
        findings.append(
            warning(
                f"Prometheus has no alerting rule called {some(lacking)}: nobody hears when remediator needs people",
                "load deploy/prometheus/remediator-alerts.yml, or its PrometheusRule, with labels that your Prometheus "
                "selects",
            )
        )
    return findings


def _routed(routing: Routing) -> Iterator[Finding]:
    _, perhaps = routing.top.receivers_of(_LINE)
    ours = sorted(perhaps & {each.receiver for each in routing.ours})
    if ours:
        yield warning(
            f"alerts about remediator itself go to {some(ours)}, which does not repair itself",
            'before its route, take those with alertname=~"Remediator.+" to people',
        )
    told = sorted(perhaps - set(ours))
    if not set(told) - routing.silent:
        whom = f"{some(told)}, which tells nobody" if told else "nobody else"
        yield warning(
            f"alerts about remediator itself go to {whom}",
            "route them to a receiver that pages or writes to people",
        )
