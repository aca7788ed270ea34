"""The alerts that always fire: without a fresh one, an alert that is absent is never believed to be over."""

from datetime import timedelta

from remediator.clients.alertmanager import PeerAnswer
from remediator.clients.http import place
from remediator.doctor.finding import Finding, failed, ok, unknown
from remediator.doctor.systems import Systems
from remediator.domain.duration import format_duration
from remediator.rulebook.load import Rulebook
from remediator.verifications.alert_cleared import WATCHDOG_FRESH, AlertCleared


async def check_watchdog(systems: Systems) -> list[Finding]:
    """Is each that a verification alert_cleared of the rules waits for fresh at every peer?"""
    names = _names(await systems.rulebook())
    if not names:
        return [ok("no rule has the verification alert_cleared, so none is needed")]
    if not systems.settings.alertmanagers.urls:
        return [failed("no Alertmanager is configured", "see alertmanagers")]
    return [
        _fresh(systems, name, peer)
        for name in names
        for peer in await systems.alertmanager.ask({"alertname": name})
    ]


def _names(rulebook: Rulebook) -> list[str]:
    return sorted(
        {
            each.watchdog
            for rule in rulebook.rules
            for rung in rule.ladder
            for each in rung.verifications
            if isinstance(each, AlertCleared)
        }
    )


def _fresh(systems: Systems, name: str, peer: PeerAnswer) -> Finding:
    if peer.alerts is None:
        return unknown(f"{place(peer.peer)} was not asked for {name}: {peer.error}", "see alertmanagers")
    ages = [systems.clock.now() - each.updated_at for each in peer.alerts if each.state == "active"]
    if not ages:
        saw = f"{name} does not fire at {place(peer.peer)}: no verification alert_cleared can succeed by it"
        return failed(saw, _load(name))
    if min(ages) >= WATCHDOG_FRESH:
        old = format_duration(timedelta(seconds=round(min(ages).total_seconds())))
        saw = f"{name} at {place(peer.peer)} is {old} old: Prometheus no longer reaches this Alertmanager"
        return failed(saw, "see to Prometheus and its alerting section")
    return ok(f"{name} is fresh at {place(peer.peer)}")


def _load(name: str) -> str:
    if name == AlertCleared().watchdog:
        return "load deploy/prometheus/alerts.yml, and send its alerts to this peer"
    return f"load an alerting rule {name} that always fires, and send its alerts to this peer"
