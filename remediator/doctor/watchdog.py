"""What shows that monitoring works: without it nothing is changed, and an absent alert never counts as over."""

from datetime import timedelta

from remediator.clients.monitoring import PeerWatchdog
from remediator.doctor.finding import Finding, failed, ok, unknown
from remediator.doctor.systems import Systems
from remediator.domain.duration import format_duration
from remediator.rulebook.load import Rulebook
from remediator.settings.sections import MonitoringWorks
from remediator.verifications.alert_cleared import AlertCleared

_SEE_TO = "see to Prometheus and its alerting section"


async def check_watchdog(systems: Systems) -> list[Finding]:
    """Is the one of the settings fresh at every peer, or what they name instead, and are those of the rules?"""
    settings = systems.settings.monitoring
    names = _names(await systems.rulebook())
    findings = []
    if settings.substitute is not None:
        findings.append(await _substitute(systems))
    else:
        names = sorted({*names, settings.watchdog})
    if names and not systems.settings.alertmanagers.urls:
        return [*findings, failed("no Alertmanager is configured", "see alertmanagers")]
    return findings + [
        _fresh(systems, name, peer) for name in names for peer in await systems.monitoring.peers(name)
    ]


def _names(rulebook: Rulebook) -> list[str]:
    """Those that a verification alert_cleared names itself."""
    return sorted(
        {
            each.watchdog
            for rule in rulebook.rules
            for rung in rule.ladder
            for each in rung.verifications
            if isinstance(each, AlertCleared) and each.watchdog is not None
        }
    )


async def _substitute(systems: Systems) -> Finding:
    found = await systems.monitoring.heartbeat()
    if found.beats is None:
        return unknown(
            found.why, "see to monitoring.substitute: until it answers a number, nothing is changed"
        )
    return ok(found.why) if found.beats else failed(f"{found.why}: nothing is changed", _SEE_TO)


def _fresh(systems: Systems, name: str, peer: PeerWatchdog) -> Finding:
    where, age = f"{name} at {peer.peer}", ""
    if peer.age is not None:
        age = format_duration(timedelta(seconds=round(abs(peer.age.total_seconds()))))
    match peer.state:
        case "fresh":
            return ok(f"{name} is fresh at {peer.peer}")
        case "unreachable":
            return unknown(f"{peer.peer} was not asked for {name}: {peer.error}", "see alertmanagers")
        case "old":
            return failed(f"{where} is {age} old: Prometheus no longer reaches this Alertmanager", _SEE_TO)
        case "ahead":
            return failed(f"{where} is of {age} from now: that clock is ahead of ours", "mend the clock")
        case "suppressed":
            return failed(f"{where} is silenced or inhibited: {_lost(systems, name)}", "end the silence")
        case _:
            return failed(f"{name} does not fire at {peer.peer}: {_lost(systems, name)}", _load(name))


def _lost(systems: Systems, name: str) -> str:
    if name == systems.settings.monitoring.watchdog:
        return "nothing is changed without it"
    return "no verification alert_cleared that names it can succeed"


def _load(name: str) -> str:
    if name == MonitoringWorks().watchdog:
        return "load deploy/prometheus/watchdog.yml, and send its alerts to this peer"
    return f"load an alerting rule {name} that always fires, and send its alerts to this peer"
