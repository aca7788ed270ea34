"""The composition root: makes every part, hands each its collaborators, runs the loops, stops in order."""

import asyncio
import logging
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import uuid4

from remediator.catalogue import always_on, notifiers_of
from remediator.clients.alertmanager import AlertmanagerClient
from remediator.clients.bearer import BearerFile
from remediator.clients.databases import Databases
from remediator.clients.http import HttpClient
from remediator.clients.kube_connection import KubeConnection, connect
from remediator.clients.kube_read import KubeReader
from remediator.clients.kube_review import KubeReviewer
from remediator.clients.kube_rules import KubeOwnRules
from remediator.clients.kube_watch import KubeWatcher
from remediator.clients.kube_write import KubeWriter
from remediator.clients.monitoring import Monitoring
from remediator.clients.pause_file import PauseFile
from remediator.clients.prometheus import PrometheusClient
from remediator.clients.schema_version import SchemaVersion
from remediator.clock import Clock, SystemClock
from remediator.daemon import Daemon, loops
from remediator.domain.levels import LEVELS
from remediator.effects.doors import Effects
from remediator.gauges import Gauges
from remediator.kit import Kit
from remediator.memory.belonging import Belonging
from remediator.memory.follower import Cluster
from remediator.memory.forgetting import Forgetting
from remediator.memory.schemas import Schemas
from remediator.memory.standstill import Standstill
from remediator.memory.switches import Switches
from remediator.memory.watcher import Watcher
from remediator.people.roster import People
from remediator.planning.arming import Arming
from remediator.planning.asked import AskedRuns
from remediator.planning.backfill import Backfiller
from remediator.planning.own_rights import OwnRights
from remediator.planning.planner import Planner
from remediator.planning.policy import Policy
from remediator.planning.reader import Reader
from remediator.planning.reconcile import Reconciler
from remediator.planning.resolve import Resolver
from remediator.planning.rules_in_force import RulesInForce
from remediator.planning.storm_watch import StormWatch
from remediator.runbook.aftermath import Aftermath
from remediator.runbook.audit_printer import AuditPrinter
from remediator.runbook.breaker_watch import BreakerWatch
from remediator.runbook.courier import Courier
from remediator.runbook.desk import Desk, Rhythm
from remediator.runbook.worker import Worker
from remediator.settings.load import Settings
from remediator.settings.process_role import ROLES
from remediator.settings.protected import namespace_of_this_pod, protected_by
from remediator.slo.of_prometheus import PrometheusSlos
from remediator.store.database import Database
from remediator.store.database_clock import DatabaseClock
from remediator.store.history import DatabaseHistory
from remediator.store.migrate import open_migrated
from remediator.store.outbox import KUBERNETES_EVENT
from remediator.supervise import Bell, stopped_by_signal, supervise
from remediator.telemetry import Metrics
from remediator.web.collaborators import Collaborators
from remediator.web.listen import listening
from remediator.web.server import make_application

__all__ = ["Daemon", "assembled", "collaborators", "running", "serve"]

_log = logging.getLogger(__name__)

_STOP_SECONDS = 20.0


@asynccontextmanager
async def assembled(settings: Settings, clock: Clock) -> AsyncIterator[Daemon]:
    """Make every part, closed at the end of the block. Only monotonic time is taken from `clock`.

    Raises Permanent with what to do when something that cannot work is configured.
    """
    async with AsyncExitStack() as opened:
        database = await open_migrated(settings.database_url, settings.database)
        opened.push_async_callback(database.close)
        http = await opened.enter_async_context(HttpClient())
        connection = await connect(settings.kubernetes.kubeconfig)
        opened.push_async_callback(connection.close)
        agreed = await DatabaseClock.told(database, clock)
        daemon = _wire(settings, agreed, database, http, connection)
        opened.push_async_callback(daemon.watcher.close)
        yield daemon


def _wire(
    settings: Settings, clock: DatabaseClock, database: Database, http: HttpClient, connection: KubeConnection
) -> Daemon:
    engine, metrics, reader = settings.engine, Metrics(settings.role), _reading(settings, connection)
    owner = engine.owner or f"{socket.gethostname()}-{uuid4().hex[:8]}"
    policy, notifiers = Policy.of(settings), notifiers_of(settings)
    watcher = _memory(settings, owner, database, clock, reader, connection)
    rights = OwnRights(KubeOwnRules(connection), clock, settings.kubernetes, policy, watcher.opted_in)
    rules = RulesInForce(settings.rules, database, metrics, clock, policy, rights)
    kit = _kit(settings, clock, database, rules, http, reader)
    desk = _desk(settings, owner, database, kit, metrics, connection, tuple(notifiers))
    resolver = Resolver(reader, database, kit.cluster)
    standstill = _standstill(settings, kit, desk, watcher, rights)
    return Daemon(
        settings=settings,
        clock=clock,
        database=database,
        kit=kit,
        metrics=metrics,
        people=desk.people,
        rules=rules,
        rights=rights,
        reader=Reader(database),
        planner=Planner(database, resolver, rules.matching, metrics, policy),
        asked=AskedRuns(database, resolver, rules.rulebook, policy),
        storm_watch=StormWatch(database, clock, policy, notifiers),
        backfiller=Backfiller(database, kit.alertmanager),
        reconciler=Reconciler(database, kit.alertmanager),
        watcher=watcher,
        standstill=standstill,
        schemas=Schemas(database, kit.schemas, owner),
        forgetting=Forgetting(database, settings.retention, owner),
        worker=Worker(desk, engine.lease.total_seconds()),
        courier=Courier(database, kit, desk.effects, notifiers, metrics, desk.belonging),
        audit_printer=AuditPrinter(database, owner),
        aftermath=Aftermath(desk, engine.settle),
        breaker_watch=BreakerWatch(desk, settings.breakers, rules.rules),
        arming=Arming(database, rules, owner, tuple(notifiers)),
        gauges=Gauges(database, metrics, rules, settings, standstill),
    )


def _standstill(settings: Settings, kit: Kit, desk: Desk, watcher: Watcher, rights: OwnRights) -> Standstill:
    return Standstill(
        settings.effective_ceiling,
        desk.belonging,
        Switches(desk.database, kit.kube, kit.pause_file, watcher, settings.kubernetes.namespaces),
        desk.database,
        kit.monitoring,
        rights.why_not_act,
    )


def _desk(
    settings: Settings,
    owner: str,
    database: Database,
    kit: Kit,
    metrics: Metrics,
    connection: KubeConnection,
    notifiers: tuple[str, ...],
) -> Desk:
    engine, approvals, reader = settings.engine, settings.approvals, kit.kube
    return Desk(
        owner=owner,
        database=database,
        kit=kit,
        effects=Effects(reader, KubeWriter(connection)),
        always_on=always_on(settings),
        channels=(KUBERNETES_EVENT, *notifiers),
        rhythm=Rhythm(engine.hold, engine.give_up_holding_after, engine.verify_every, approvals.expire_after),
        metrics=metrics,
        people=People(settings, kit.clock, KubeReviewer(connection)),
        levels=LEVELS,
        belonging=Belonging(database, reader, kit.clock, kit.cluster),
    )


def _reading(settings: Settings, connection: KubeConnection) -> KubeReader:
    return KubeReader(connection, cluster_uid=settings.cluster.uid)


def _memory(
    settings: Settings,
    owner: str,
    database: Database,
    clock: Clock,
    reader: KubeReader,
    connection: KubeConnection,
) -> Watcher:
    cluster = Cluster(settings.cluster.name, reader, KubeWatcher(connection))
    namespaces, every = settings.kubernetes.namespaces, settings.engine.memory_every
    return Watcher(database, cluster, clock, owner, namespaces, every)


def _kit(
    settings: Settings,
    clock: Clock,
    database: Database,
    rules: RulesInForce,
    http: HttpClient,
    reader: KubeReader,
) -> Kit:
    peers, server = settings.alertmanagers, settings.prometheus
    prometheus = PrometheusClient(http, server.url, BearerFile(server.token_file))
    alertmanager = AlertmanagerClient(http, peers.urls, BearerFile(peers.token_file))
    return Kit(
        cluster=settings.cluster.name,
        cluster_label=settings.cluster.label,
        protected=protected_by(settings, namespace_of_this_pod()),
        kube=reader,
        prometheus=prometheus,
        alertmanager=alertmanager,
        monitoring=Monitoring(alertmanager, prometheus, clock, settings.monitoring, settings.cluster),
        http=http,
        http_allow=frozenset(settings.http_allow),
        clock=clock,
        history=DatabaseHistory(database, settings.breakers),
        slos=PrometheusSlos(prometheus, clock, settings.slos),
        rules=rules,
        pause_file=PauseFile(settings.pause_file),
        databases=Databases(settings.databases),
        look_at_nodes=settings.kubernetes.look_at_nodes,
        schemas=SchemaVersion.of_each(settings.databases),
    )


async def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; SIGHUP reloads the rules. Raises Permanent when it cannot start."""
    async with assembled(settings, SystemClock()) as daemon:
        await daemon.rules.reload()
        stop, loop = stopped_by_signal(), asyncio.get_running_loop()
        reloads: set[asyncio.Task[None]] = set()

        def reload() -> None:
            reloading = loop.create_task(daemon.rules.reload_if_possible())
            reloads.add(reloading)
            reloading.add_done_callback(reloads.discard)

        loop.add_signal_handler(signal.SIGHUP, reload)
        async with running(daemon) as url:
            _log.info("listening on %s", url)
            await stop.wait()
            _log.info("stopping: no new alerts are taken; what is under way is finished")


@asynccontextmanager
async def running(daemon: Daemon) -> AsyncIterator[str]:
    """Run every loop and listen, for the length of the block; the URL alerts can be sent to.

    At the end no new requests are taken, and each loop finishes the unit of work it is at.
    """
    stopping = asyncio.Event()
    arrivals = Bell()
    every_loop = loops(daemon, arrivals)
    under_way = [
        asyncio.create_task(supervise(each, daemon.metrics, daemon.clock, stopping), name=each.name)
        for each in every_loop
    ]
    try:
        async with _listening(daemon, arrivals) as url:
            yield url
    finally:
        stopping.set()
        for each in every_loop:
            each.bell.ring()
        _, late = await asyncio.wait(under_way, timeout=_STOP_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


@asynccontextmanager
async def _listening(daemon: Daemon, arrivals: Bell) -> AsyncIterator[str]:
    settings, parts, given = daemon.settings, ROLES[daemon.settings.role], collaborators(daemon, arrivals)
    config = daemon.people.web_config
    async with AsyncExitStack() as opened:
        if parts.inside:
            inside = make_application(given, parts.inside)
            url = await opened.enter_async_context(listening(inside, settings.api_listen_address, config))
            _log.info("people are answered on %s", url)
        outside = make_application(given, parts.outside)
        yield await opened.enter_async_context(listening(outside, settings.listen_address, config))


def collaborators(daemon: Daemon, arrivals: Bell) -> Collaborators:
    return Collaborators(
        settings=daemon.settings,
        database=daemon.database,
        metrics=daemon.metrics,
        people=daemon.people,
        rules=daemon.rules.rules,
        rule_modes=daemon.rules.modes,
        of_another_cluster=daemon.belonging.known_foreign,
        why_not_act=daemon.standstill.why,
        reload=daemon.rules.reload,
        still_set=daemon.switches.still_set,
        web_config=daemon.people.web_config,
        stored=arrivals.ring,
        asked=daemon.asked,
        slos=daemon.kit.slos,
        digest=daemon.digest,
    )
