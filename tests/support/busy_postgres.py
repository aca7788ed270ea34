"""A PostgreSQL of an application that has seen something, and sessions in it that hold each other up."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from remediator.sandbox.postgres import PostgresServer
from tests.support.databases import create_database, private_postgres
from tests.support.waiting import until

Session = Any
"""An asyncpg.Connection, which is generic to type checkers only."""

SETTINGS: dict[str, str | int] = {
    "max_connections": 400,
    "shared_preload_libraries": "pg_stat_statements",
    "max_prepared_transactions": 5,
    "wal_level": "replica",
    "max_wal_senders": 2,
    "max_replication_slots": 4,
    "autovacuum": "off",
}
ROLES = """
create role looker login in role pg_monitor;
create role blind login;
create role writer login in role pg_monitor;
create role chief login superuser;
create role killer login in role pg_signal_backend;
create role shop login;
grant select on all tables in schema public to looker, blind, writer, killer;
grant select on all sequences in schema public to looker;
grant update (note) on orders to writer;
grant all on all tables in schema public to shop;
"""
TABLES = """
create extension pg_stat_statements;
create table orders (id bigint primary key, customer int not null, note text);
insert into orders select n, n % 500, 'order ' || n from generate_series(1, 20000) n;
create index orders_customer on orders (customer);
create index orders_customer_again on orders (customer);
create table events (id int primary key, customer int);
create sequence events_id_seq owned by events.id;
select setval('events_id_seq', 2000000000);
create table logins (who text, address inet, kind text, tenant int);
insert into logins select 'user' || n % 3, '10.0.0.1', 'failed_login', n % 2 from generate_series(1, 30) n;
create table alembic_version (version_num text);
insert into alembic_version values ('b2');
"""
FIFTEEN = tuple(
    root / "usr/lib/postgresql/15/bin"
    for root in (Path("/"), Path(__file__).parents[2] / ".cache" / "debian")
)
"""Where Debian 12's own is, installed or unpacked by tests/e2e/fetch-debian-binaries."""


@contextmanager
def busy_server(version: str, *, port: int | None = None) -> Iterator[PostgresServer]:
    """A server of version 18 (the embedded one) or 15 (Debian's), with a database `orders`."""
    bin_dir = None
    if version == "15":
        bin_dir = next((each for each in FIFTEEN if os.access(each / "postgres", os.X_OK)), None)
        assert bin_dir is not None, "PostgreSQL 15 is neither installed nor fetched: run this with `make e2e`"
    with _libraries(bin_dir), private_postgres(settings=SETTINGS, bin_dir=bin_dir, port=port) as server:
        create_database(server, "orders")
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            runner.run(execute(server.dsn("orders"), TABLES + ROLES, "vacuum analyze"))
        yield server


@contextmanager
def _libraries(bin_dir: Path | None) -> Iterator[None]:
    """What is started finds the libraries that were unpacked with it."""
    with pytest.MonkeyPatch.context() as patched:
        for each in bin_dir.parents[2].glob("*-linux-gnu") if bin_dir else ():
            if each.parts[1] != "usr":  # the machine's own are found anyway
                patched.setenv("LD_LIBRARY_PATH", str(each))
        yield


def dsn_of(server: PostgresServer, role: str) -> str:
    """The address for one of the roles."""
    return server.dsn("orders").replace("user=postgres", f"user={role}")


async def execute(dsn: str, *statements: str) -> None:
    """Each in an implicit transaction of its own."""
    connection = await asyncpg.connect(dsn, timeout=30)
    try:
        for each in statements:
            await connection.execute(each)
    finally:
        await connection.close()


@dataclass
class Load:
    """Sessions of the role `shop` over one server, gone at the end of the block that `load` opened."""

    server: PostgresServer
    sessions: list[Session] = field(default_factory=list)
    waiting: list[asyncio.Task[str]] = field(default_factory=list)

    async def connect(self, application: str) -> Session:
        connection = await asyncpg.connect(
            dsn_of(self.server, "shop"), timeout=60, server_settings={"application_name": application}
        )
        self.sessions.append(connection)
        return connection

    async def idle(self, count: int) -> None:
        """So many sessions that do nothing."""
        for begin in range(0, count, 20):
            await asyncio.gather(*(self.connect("pool") for _ in range(min(20, count - begin))))

    async def holds(self, order: int, application: str) -> Session:
        """A session that has updated this order, and is idle in its transaction."""
        connection = await self.connect(application)
        await connection.execute("begin")
        await connection.execute(f"update orders set note = 'secret-{order}' where id = {order}")
        return connection

    def waits(self, connection: Session, order: int) -> None:
        """The session updates this order too, and waits."""
        statement = f"update orders set note = 'hunter2' where id = {order} /* by kim */"
        self.waiting.append(asyncio.create_task(connection.execute(statement)))

    async def three_hundred(self) -> tuple[int, int]:
        """240 idle sessions, and 60 of which one holds up another, and that one all the rest: the pids of the two."""
        await self.idle(240)
        top, second = await self.holds(1, "importer"), await self.holds(2, "worker")
        self.waits(second, 1)
        for _ in range(58):
            self.waits(await self.connect("api"), 2)
        await self.all_wait()
        return top.get_server_pid(), second.get_server_pid()

    async def all_wait(self) -> None:
        """Until every one of them does."""

        async def asked() -> bool:
            waiting = await looking.fetchval(
                "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
            )
            return bool(waiting == len(self.waiting))

        looking = await asyncpg.connect(self.server.dsn("orders"), timeout=60)
        try:
            await until(asked, "all of them wait for locks", every=0.05)
        finally:
            await looking.close()


@asynccontextmanager
async def load(server: PostgresServer) -> AsyncIterator[Load]:
    """No session yet."""
    made = Load(server)
    try:
        yield made
    finally:
        for task in made.waiting:
            task.cancel()
        for connection in made.sessions:
            connection.terminate()
        await asyncio.gather(*made.waiting, return_exceptions=True)
