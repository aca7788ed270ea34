"""Every part of one daemon, and the loops that keep them going."""

from dataclasses import dataclass, replace

from remediator.digest.compose import compose
from remediator.digest.section import Digest, Period
from remediator.digest.sources import Sources, Stretch
from remediator.domain.belonging import Belongs
from remediator.gauges import LOOK_BACK_EVERY, Gauges
from remediator.kit import Kit
from remediator.memory import switches
from remediator.memory.forgetting import EVERY_SECONDS as FORGET_EVERY
from remediator.memory.forgetting import Forgetting
from remediator.memory.schemas import EVERY_SECONDS, Schemas
from remediator.memory.standstill import Standstill
from remediator.memory.switches import Switches
from remediator.memory.watcher import Watcher
from remediator.people.roster import People
from remediator.planning.arming import Arming
from remediator.planning.asked import AskedRuns
from remediator.planning.backfill import Backfiller
from remediator.planning.own_rights import EVERY_SECONDS as RIGHTS_EVERY
from remediator.planning.own_rights import OwnRights
from remediator.planning.planner import Planner
from remediator.planning.reader import Reader
from remediator.planning.reconcile import Reconciler
from remediator.planning.rules_in_force import RulesInForce
from remediator.planning.storm_watch import StormWatch
from remediator.runbook.aftermath import Aftermath
from remediator.runbook.audit_printer import AuditPrinter
from remediator.runbook.breaker_watch import BreakerWatch
from remediator.runbook.courier import Courier
from remediator.runbook.worker import Worker
from remediator.settings.load import Settings
from remediator.store.database import Database
from remediator.store.database_clock import DatabaseClock
from remediator.supervise import Bell, Loop
from remediator.telemetry import Metrics

_ANYWHERE = ("audit", "clock", "gauges", "numbers", "rights")
"""Loops that go on with another cluster's database."""
_UNTOLD = ("reader", "backfiller", "switches")
"""Those that only take in, and go on also while it cannot be told whose database it is. All others conclude something
from what this cluster, its Alertmanager or its clock say, and wait."""
_PLANNERS = 4
"""Looking up a target waits for the cluster; the alerts behind it need not."""


@dataclass(frozen=True, slots=True)
class Daemon:
    """Every part of one process, wired and not yet running."""

    settings: Settings
    clock: DatabaseClock
    database: Database
    kit: Kit
    metrics: Metrics
    people: People
    rules: RulesInForce
    rights: OwnRights
    reader: Reader
    planner: Planner
    storm_watch: StormWatch
    asked: AskedRuns
    backfiller: Backfiller
    reconciler: Reconciler
    watcher: Watcher
    standstill: Standstill
    schemas: Schemas
    forgetting: Forgetting
    worker: Worker
    courier: Courier
    audit_printer: AuditPrinter
    aftermath: Aftermath
    breaker_watch: BreakerWatch
    arming: Arming
    gauges: Gauges

    @property
    def belonging(self) -> Belongs:
        """Whose database it is."""
        return self.standstill.belonging

    async def digest(self, period: Period) -> Digest:
        """The digest of the day or the week that ends now."""
        rules = self.rules
        sources = Sources(
            stretch=Stretch(period, self.clock.now()),
            kit=self.kit,
            database=self.database,
            rules=rules.rules,
            rule_modes=rules.modes,
            opted_in=self.watcher.opted_in,
            watchdog=self.settings.monitoring.watchdog,
        )
        return await compose(sources)

    @property
    def switches(self) -> Switches:
        """What stops everything, set without the database."""
        return self.standstill.switches


def loops(daemon: Daemon, arrivals: Bell) -> list[Loop]:
    """Every loop of the daemon, in the order of the way of an alert."""
    engine = daemon.settings.engine
    tick = engine.tick.total_seconds()
    told = Bell()
    planned = tuple(Bell() for _ in range(_PLANNERS))
    at_work = tuple(Bell() for _ in range(engine.workers))
    every = [
        Loop("reader", daemon.reader.tick, tick, arrivals, planned),
        Loop("backfiller", daemon.backfiller.tick, tick, Bell(), (arrivals,)),
        *(
            Loop(f"planner-{number}", daemon.planner.tick, tick, bell, at_work)
            for number, bell in enumerate(planned)
        ),
        *(
            Loop(f"worker-{number}", daemon.worker.tick, tick, bell, (told,))
            for number, bell in enumerate(at_work)
        ),
        Loop("storms", daemon.storm_watch.tick, tick, Bell(), (told, *at_work)),
        Loop("courier", daemon.courier.tick, tick, told),
        Loop("audit", daemon.audit_printer.tick, tick, Bell()),
        Loop("aftermath", daemon.aftermath.tick, engine.verify_every.total_seconds(), Bell(), (told,)),
        Loop("breakers", daemon.breaker_watch.tick, 15.0, Bell(), (told,)),
        Loop("arming", daemon.arming.tick, 15.0, Bell(), (told,)),
        Loop("switches", daemon.switches.tick, switches.EVERY, Bell(), longest_pause=switches.EVERY),
        Loop("rights", daemon.rights.tick, RIGHTS_EVERY, Bell()),
        Loop("memory", daemon.watcher.tick, engine.memory_every.total_seconds(), Bell()),
        Loop("schemas", daemon.schemas.tick, EVERY_SECONDS, Bell()),
        Loop("reconciler", daemon.reconciler.tick, engine.reconcile_every.total_seconds(), Bell()),
        Loop("clock", daemon.clock.tick, 15.0, Bell()),
        Loop("retention", daemon.forgetting.tick, FORGET_EVERY, Bell()),
        Loop("gauges", daemon.gauges.tick, 15.0, Bell()),
        Loop("numbers", daemon.gauges.look_back, LOOK_BACK_EVERY, Bell()),
    ]
    return [each if each.name in _ANYWHERE else _at_home(daemon.belonging, each) for each in every]


def _at_home(belonging: Belongs, loop: Loop) -> Loop:
    """The same, but for doing nothing with another cluster's database: what is seen here is not about it."""
    why_not = belonging.foreign if loop.name in _UNTOLD else belonging.against

    async def guarded() -> bool:
        return await loop.tick() if await why_not() is None else False

    return replace(loop, tick=guarded)
