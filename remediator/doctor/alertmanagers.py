"""Alertmanager: every peer answers, routes alerts to us, and what it should have sent has come."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from remediator.clients.alertmanager import PeerAlert
from remediator.clients.alertmanager_status import PeerStatus
from remediator.clients.http import place
from remediator.doctor.finding import Finding, failed, ok, some, unknown, warning
from remediator.doctor.peer_routing import of_each_peer
from remediator.doctor.routing import INTAKE, Route, Routing, Webhook, read_routing
from remediator.doctor.rule_routes import NOT_ABOUT_US
from remediator.doctor.systems import Systems
from remediator.domain.duration import format_duration
from remediator.domain.matcher import Matcher
from remediator.errors import Permanent, RemediatorError
from remediator.store import notices
from remediator.store.database import Database

_OLDEST = (0, 25)
_SURELY_SENT = timedelta(minutes=15)
"""Longer than group_wait and group_interval are by default (30 s and 5 m), with one more try."""
_RECEIVER = "paste deploy/alertmanager/receiver.yml into its configuration"


async def check_alertmanagers(systems: Systems) -> list[Finding]:
    """Each peer: does it answer, as what, and are all of its cluster known to us?"""
    peers = await systems.peers()
    if not peers:
        return [
            failed(
                "no Alertmanager is configured, so nothing is ever changed",
                "name every peer under alertmanagers.urls",
            )
        ]
    return [finding for url, status in peers.items() for finding in _peer(url, status, len(peers))]


def _peer(url: str, status: PeerStatus | RemediatorError, known: int) -> Iterator[Finding]:
    if isinstance(status, RemediatorError):
        yield failed(
            status.sentence, "start it, or put alertmanagers.urls right: too few peers mean no change"
        )
        return
    saw = f"{status.version} at {place(url)}, cluster {status.cluster}"
    if _version(status.version) < _OLDEST:
        yield failed(f"{saw}: older than 0.25", "upgrade it")
    elif status.peers > known:
        yield warning(
            f"{saw}: {status.peers} peers, of which {known} are configured",
            "name every peer under alertmanagers.urls: a silence may be known to one of them only",
        )
    else:
        yield ok(saw)


def _version(text: str) -> tuple[int, ...]:
    parts = [part for part in text.split("-", maxsplit=1)[0].split(".")[:2] if part.isdecimal()]
    return tuple(map(int, parts)) if len(parts) == 2 else _OLDEST


async def check_routing(systems: Systems) -> list[Finding]:
    """Each peer that answers: does its configuration lead alerts to us, and as we need them?"""
    insecure = systems.settings.intake.insecure
    return await of_each_peer(systems, lambda routing: _reaches(routing, insecure))


def _reaches(routing: Routing, insecure: bool) -> Iterator[Finding]:
    if not routing.ours:
        hidden = sorted({each.receiver for each in routing.webhooks if each.place is None})
        if hidden:
            saw = f"it hides the addresses of webhooks, and no receiver is called remediator: {some(hidden)}"
            yield unknown(saw, f"see yourself whether one of them posts to {INTAKE}")
        else:
            yield failed(f"no receiver posts to {INTAKE}", _RECEIVER)
    for webhook in routing.ours:
        routes = [each for each in routing.to(webhook.receiver) if each.reachable]
        if not routes:
            saw = f"no route leads to the receiver {webhook.receiver}"
            yield failed(saw, f"{_RECEIVER}, its route before any that takes every alert")
            continue
        yield _leads(webhook, [each.title for each in routes])
        yield from _as_we_need_it(webhook, insecure)
        yield from _kept_away(routes)
        for route in routes:
            if not route.goes_on:
                saw = f"what {route.title} sends to {webhook.receiver} reaches nobody else"
                yield warning(
                    saw, "set continue: true on it, and let a route after it take the alert to people"
                )
            else:
                yield from _alone(routing, route)
            if not route.group_by:
                saw = f"{route.title} puts all alerts into one group"
                yield warning(saw, "set group_by: [alertname, namespace, deployment]")


def _alone(routing: Routing, route: Route) -> Iterator[Finding]:
    """A route that lets its alerts go on, but no route after it surely takes them."""
    if route.line is None:
        return
    surely, _ = routing.top.receivers_of((*route.line, NOT_ABOUT_US))
    if not surely - {each.receiver for each in routing.ours}:
        yield warning(
            f"what {route.title} sends to {route.receiver} may reach nobody else: the receiver at the top gets only "
            "what no route took",
            "let a last route without matchers take every alert to people",
        )


def _kept_away(routes: Sequence[Route]) -> Iterator[Finding]:
    """All of them ask for a namespace: the Prometheus operator adds that by itself."""
    asked = [_namespace(each) for each in routes]
    if asked and all(asked):
        saw = f"only alerts with {' or '.join(dict.fromkeys(map(str, asked)))} come to us, and none without a namespace"
        yield warning(
            f"{saw}, as SLO alerts are",
            "where an AlertmanagerConfig made the route: set alertmanagerConfigMatcherStrategy as "
            "deploy/prometheus-operator/alertmanager-config.yaml says",
        )


def _namespace(route: Route) -> Matcher | None:
    return next(
        (each for each in route.line or () if each.name == "namespace" and not each.accepts("")), None
    )


def _leads(webhook: Webhook, routes: list[str]) -> Finding:
    if webhook.place is not None:
        return ok(f"receiver {webhook.receiver} posts to {webhook.place}; {' and '.join(routes)} leads there")
    return unknown(
        f"{' and '.join(routes)} leads to the receiver {webhook.receiver}, whose address it hides",
        f"see that it is this daemon's {INTAKE}; the check delivery tells whether alerts come",
    )


def _as_we_need_it(webhook: Webhook, insecure: bool) -> Iterator[Finding]:
    name = webhook.receiver
    if not webhook.send_resolved:
        yield failed(f"receiver {name} never tells when an alert is over", "set send_resolved: true")
    if webhook.max_alerts:
        saw = f"receiver {name} cuts groups to {webhook.max_alerts} alerts, perhaps those that still fire"
        yield warning(saw, "set max_alerts: 0")
    if not webhook.has_credentials and not insecure:
        saw = f"receiver {name} shows no credentials: every alert it posts is refused"
        yield failed(saw, "set http_config.authorization.credentials_file")


async def check_delivery(systems: Systems) -> list[Finding]:
    """What every peer says it sends to us, compared with what has come."""
    database = await systems.database()
    async with database.connection() as connection:
        last = await notices.last_arrival(connection)
    if last is None:
        findings = [warning("no alert has ever come", "wait for one, or send one with amtool alert add")]
    else:
        ago = format_duration(timedelta(seconds=round((systems.clock.now() - last).total_seconds())))
        findings = [ok(f"the last alert came {ago} ago")]
    for url, status in (await systems.peers()).items():
        if isinstance(status, PeerStatus):
            findings += await _lost(systems, database, url, status)
    return findings


async def _lost(systems: Systems, database: Database, url: str, status: PeerStatus) -> list[Finding]:
    """Alerts that this peer has surely sent by now and that are not here."""
    try:
        receivers = {each.receiver for each in read_routing(status.config).ours}
    except Permanent:
        return []
    (answer,) = [each for each in await systems.alertmanager.ask({}) if each.peer == url]
    since = systems.clock.now() - _SURELY_SENT
    sent = [
        alert
        for alert in answer.alerts or ()
        if alert.state == "active" and alert.starts_at < since and receivers & set(alert.receivers)
    ]
    async with database.connection() as connection:
        came = await notices.last_arrivals(connection, [each.fingerprint for each in sent])
    lost = [each for each in sent if each.fingerprint not in came or came[each.fingerprint] < each.starts_at]
    if not lost:
        return []
    saw = f"{place(url)} has {len(lost)} firing for us that never came, such as {_named(lost[0])}"
    return [
        failed(
            saw,
            "look at alertmanager_notifications_failed_total and its log: the address or the token is wrong, "
            "or no daemon runs",
        )
    ]


def _named(alert: PeerAlert) -> str:
    return f"{alert.labels.get('alertname', 'one without a name')} since {alert.starts_at:%Y-%m-%d %H:%M} UTC"
