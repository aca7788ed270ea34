"""The two receivers `make bench` compares, in processes of their own: `... receivers NAME DSN`.

`intake` is the product's. `bare` is the least that is durable: it neither authenticates nor reads nor
deduplicates, and puts all bodies that wait into one transaction. Each prints its URL, and ends when
its standard input does.
"""

import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
from aiohttp import web
from asyncpg.pool import PoolConnectionProxy

from remediator.clock import SystemClock
from remediator.domain.rule_mode import RuleMode
from remediator.people.roster import People
from remediator.settings.load import Settings
from remediator.store.database import open_database
from remediator.store.migrate import migrate
from remediator.store.pauses import PauseRequest
from remediator.telemetry import Metrics, configure_logging
from remediator.web.collaborators import Collaborators
from remediator.web.listen import listening
from remediator.web.server import make_application
from tests.bench.load import TOKEN
from tests.support.web import Daemon

_PATH = "/api/v1/alertmanager"


async def intake(dsn: str, stack: AsyncExitStack) -> str:
    """The product's whole path: authentication, validation, deduplication, metrics, security headers."""
    await migrate(dsn)
    configure_logging("info")
    token = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "token"
    token.write_text(f"{TOKEN}\n")
    settings = Settings.model_validate({"database_url": dsn, "intake": {"token_file": token}})
    database = await open_database(dsn)
    stack.push_async_callback(database.close)

    async def never() -> None:
        return None

    async def nothing(pause: PauseRequest) -> None:
        return None

    async def reload() -> str:
        return "nothing to reload"

    async def no_modes() -> list[RuleMode]:
        return []

    application = make_application(
        Collaborators(
            web_config=None,
            settings=settings,
            database=database,
            metrics=Metrics(),
            people=People(settings, SystemClock()),
            rules=tuple,
            rule_modes=no_modes,
            of_another_cluster=never,
            why_not_act=never,
            reload=reload,
            still_set=nothing,
            stored=lambda: None,
            asked=Daemon(),
            slos=Daemon(),
            digest=Daemon().digest,
        )
    )
    return await stack.enter_async_context(listening(application, "127.0.0.1:0")) + _PATH


async def bare(dsn: str, stack: AsyncExitStack) -> str:
    """Group commit of raw bodies, and nothing else."""
    pool = await asyncpg.create_pool(dsn, min_size=2, max_size=2)
    stack.callback(pool.terminate)
    await pool.execute("create table bodies (id bigint generated always as identity, body bytea not null)")
    flushers: set[asyncio.Task[None]] = set()
    waiting: list[tuple[bytes, asyncio.Future[None]]] = []
    idle = [await pool.acquire(), await pool.acquire()]

    async def flush(connection: "PoolConnectionProxy[asyncpg.Record]") -> None:
        while waiting:
            batch = waiting[:]
            waiting.clear()
            await connection.copy_records_to_table(
                "bodies", records=[(body,) for body, _ in batch], columns=["body"]
            )
            for _, committed in batch:
                committed.set_result(None)
        idle.append(connection)

    async def receive(request: web.Request) -> web.Response:
        committed = asyncio.get_running_loop().create_future()
        waiting.append((await request.read(), committed))
        if idle:
            flushers.add(flusher := asyncio.create_task(flush(idle.pop())))
            flusher.add_done_callback(flushers.discard)
        await committed
        return web.Response()

    application = web.Application()
    application.router.add_post(_PATH, receive)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}{_PATH}"


async def main(name: str, dsn: str) -> None:
    """Serve until standard input ends."""
    async with AsyncExitStack() as stack:
        url = await {"intake": intake, "bare": bare}[name](dsn, stack)
        print(url, flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
