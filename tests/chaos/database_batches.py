"""Stories under the faults of a database, one after the other in one world, in a process with a server of its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import asyncpg

from remediator.sandbox.postgres import PostgresServer
from remediator.store.database import open_database
from tests.chaos.checks import violations
from tests.chaos.database_faults import Cycle, Laid, What
from tests.chaos.postgres_wire import Statements, Trap
from tests.chaos.proxy import Proxy, to_postgres
from tests.chaos.shops import STEP, Shops, shops
from tests.chaos.tallies import Tally
from tests.chaos.unforeseen import mistakes
from tests.support.clock import DrivenClock
from tests.support.databases import Databases, private_postgres
from tests.support.waiting import until

WORLD = 6
"""Stories in one world: their releases are made together, and the last may not be too old for a rollback."""
_POOL = 10
_MOST_HELD_SECONDS = 20.0
_LIMITS = {"connections": _POOL, "statement_timeout": "3s"}
"""The second is also how long a unit of work waits for a connection."""
_LASTING = ("read-only", "no connection left", "pool exhausted")


@dataclass
class Broken:
    """A world whose daemon reaches its database through a proxy."""

    world: Shops
    server: PostgresServer
    statements: Statements
    proxy: Proxy
    healed_at: datetime
    """By the clock of the world: when the last fault so far was over."""
    heals: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    def trap(self, laid: Laid) -> Trap:
        """What makes this fault happen."""
        traps: dict[What, Trap] = {
            "cut before": Trap(laid.nth, "before"),
            "cut after": Trap(laid.nth, "after", text=laid.text),
            "no space": Trap(laid.nth, "refused", sqlstate="53100"),
            "restart": Trap(laid.nth, "before", then=self._restart),
            "read-only": Trap(laid.nth, "goes on", then=self._read_only),
            "no connection left": Trap(laid.nth, "before", then=self._full),
            "pool exhausted": Trap(laid.nth, "goes on", then=self._exhausted),
        }
        return traps[laid.what]

    async def _restart(self) -> None:
        self.server.stop("immediate")
        self.server.start()

    async def _read_only(self) -> None:
        await self._everywhere("alter system set default_transaction_read_only = on")

        async def heal() -> None:
            await self._everywhere("alter system reset default_transaction_read_only")

        self.heals.append(heal)

    async def _everywhere(self, statement: str) -> None:
        connection = await asyncpg.connect(self.world.database_url)
        try:
            await connection.execute(statement)
            await connection.execute("select pg_reload_conf()")
        finally:
            await connection.close()

    async def _full(self) -> None:
        self.statements.full = True

        async def heal() -> None:
            self.statements.full = False

        self.heals.append(heal)
        # The statement it springs at is lost by the trap, and every other connection here.
        asyncio.get_running_loop().call_soon(self.proxy.cut)

    async def _exhausted(self) -> None:
        """Somebody holds every connection of the pool until somebody else has waited for one in vain."""
        complaints = self.world.complaints

        async def felt() -> bool:
            return self.world.complaints > complaints

        async def hold() -> None:
            async with AsyncExitStack() as held:
                for _ in range(_POOL):
                    await held.enter_async_context(self.world.daemon.database.connection())
                with suppress(AssertionError):  # then it counts as invalid
                    await until(felt, "somebody waits in vain", seconds=_MOST_HELD_SECONDS)

        holding = asyncio.create_task(hold())

        async def heal() -> None:
            await holding

        self.heals.append(heal)

    async def healthy(self) -> None:
        """What lasts is over."""
        while self.heals:
            await self.heals.pop()()
        self.healed_at = self.world.clock.now()


@asynccontextmanager
async def broken(
    directory: Path, dsn: str, server: PostgresServer, names: Sequence[str]
) -> AsyncIterator[Broken]:
    """Shops that run v2 badly, and a proxy that does nothing yet."""
    async with AsyncExitStack() as opened:
        database = await open_database(f"{dsn}&default_transaction_read_only=off", size=1)
        opened.push_async_callback(database.close)
        statements = Statements()
        proxy = await opened.enter_async_context(Proxy(to_postgres(dsn), statements))
        through = f"postgresql://postgres@127.0.0.1:{proxy.port}/{dsn.partition('///')[2].partition('?')[0]}"
        clock = DrivenClock(database)
        world = await opened.enter_async_context(
            shops(directory, dsn, names, clock=clock, daemon_url=through, limits=_LIMITS)
        )
        await world.soaked()
        await world.bad_releases(names)
        yield Broken(world, server, statements, proxy, clock.now())


async def clean(directory: Path, dsn: str, server: PostgresServer) -> list[str]:
    """The statements of a story in which nothing goes wrong."""
    async with broken(directory, dsn, server, ["shop-0"]) as one:
        log: list[str] = []
        one.statements.log = log
        await one.world.fire(["shop-0"])
        await one.world.until_over(180)
        assert one.world.effects_on("shop-0") == ["app:v1"]
        return log


async def _story(one: Broken, name: str, cycle: Cycle) -> tuple[list[Laid], list[str]]:
    """Which faults befell this shop's story, and what was wrong with how it went."""
    world, fired = one.world, list[Laid]()
    going: Awaitable[object] = world.fire([name])
    for laid in cycle.laid:
        complaints = world.complaints
        one.statements.trap = trap = one.trap(laid)
        await going
        if not trap.sprung:
            await world.until_over(180)
        elif laid.what in _LASTING:
            await world.let(2 * STEP)
        await one.healthy()
        one.statements.trap = None
        # A cut or refused statement is felt by whoever sent it, be it a guard that then cannot tell.
        if trap.sprung and (laid.what not in _LASTING or world.complaints > complaints):
            fired.append(laid)
        going = world.until_over(180, at_least=STEP)
    await going
    await world.let(60)
    found = [f"{each['what']} is undisposed 60 s after the faults" for each in await world.undisposed()]
    await world.until_over(180)
    state, why = (await world.endings()).get(name, ("no run", ""))
    effects = world.effects_on(name)
    if (state, effects) != ("RESOLVED", ["app:v1"]):
        found.append(f"{state} with the effects {effects}: {why}")
    return fired, found


async def _world(directory: Path, dsn: str, server: PostgresServer, cycles: Sequence[Cycle]) -> Tally:
    tally = Tally()
    names = [f"shop-{number}" for number in range(len(cycles))]
    async with broken(directory, dsn, server, names) as one:
        for name, cycle in zip(names, cycles, strict=True):
            fired, found = await _story(one, name, cycle)
            tally.hit.update(each.kind for each in fired)
            tally.violations += [f"{each} ({cycle})" for each in found]
            tally.invalid += [f"{each} (in: {cycle})" for each in cycle.laid if each not in fired]
        ended = violations(await one.world.history(one.healed_at)) + mistakes(one.world.failures)
        tally.violations += [f"{each} (one of: {'; '.join(str(each) for each in cycles)})" for each in ended]
    return tally


@dataclass(frozen=True)
class Job:
    """What one process does."""

    directory: Path
    cycles: Sequence[Cycle]


def batches(job: Job) -> Tally:
    """Live through all of them."""
    tally = Tally()
    with private_postgres() as server:
        databases = Databases(server)
        databases.make_templates()
        for start in range(0, len(job.cycles), WORLD):
            directory = job.directory / str(start)
            directory.mkdir()
            with databases.clone("driven") as dsn:
                some = job.cycles[start : start + WORLD]
                tally.add(asyncio.run(_world(directory, dsn, server, some)))
    return tally
