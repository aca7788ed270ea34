"""The private PostgreSQL: it starts as any user, keeps what was committed, and never outlives its owner."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from remediator.sandbox.postgres import PostgresError, PostgresServer, default_bin_dirs, find_bin_dir

OWNER = """
import sys
from remediator.sandbox.postgres import PostgresServer
server = PostgresServer(sys.argv[1], durable=False)
server.start()
print(server.pid, server.dsn(), flush=True)
sys.stdin.read()
"""
DEADLINE = 30.0


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Where any user can reach it, which pytest's own directories are not."""
    parent = Path(tempfile.mkdtemp(prefix="postgres-test-"))
    parent.chmod(0o755)
    yield parent / "data"
    shutil.rmtree(parent)


@pytest.fixture
def server(data_dir: Path) -> Iterator[PostgresServer]:
    with PostgresServer(data_dir, durable=False) as server:
        yield server


async def ask(dsn: str, *statements: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(dsn, timeout=DEADLINE)
    try:
        answers = [await connection.fetch(statement, timeout=DEADLINE) for statement in statements]
    finally:
        await connection.close(timeout=DEADLINE)
    return answers[-1]


def processes_of(data_dir: Path) -> list[str]:
    """The processes that work in the data directory, as every process of a PostgreSQL server does."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == data_dir:
                found.append(f"{process.name}: {(process / 'cmdline').read_bytes()!r}")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found


def start_owner(data_dir: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", OWNER, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )


async def test_it_speaks_utf8_in_utc_with_locale_c(server: PostgresServer) -> None:
    (row,) = await ask(
        server.dsn(),
        "select datcollate, pg_encoding_to_char(encoding), current_setting('timezone'),"
        " current_setting('max_connections'), current_setting('fsync')"
        " from pg_database where datname = 'template1'",
    )
    assert tuple(row) == ("C", "UTF8", "UTC", "100", "off")


async def test_committed_rows_survive_a_crash_and_the_address_stays(server: PostgresServer) -> None:
    address = server.dsn()
    await ask(address, "create table kept (n int)", "insert into kept select generate_series(1, 300)")
    server.stop("immediate")
    with pytest.raises(OSError, match="No such file"):
        await ask(address, "select 1")
    server.start()
    (row,) = await ask(address, "select count(*) from kept")
    assert (row["count"], server.dsn()) == (300, address)


async def test_a_durable_server_syncs_and_settings_go_over_the_defaults(data_dir: Path) -> None:
    with PostgresServer(data_dir, settings={"max_connections": 7}) as server:
        (row,) = await ask(
            server.dsn(), "select current_setting('fsync'), current_setting('max_connections')"
        )
    assert tuple(row) == ("on", "7")


async def test_databases_with_awkward_names_can_be_reached(server: PostgresServer) -> None:
    await ask(server.dsn(), 'create database "a b/c?d"')
    (row,) = await ask(server.dsn("a b/c?d"), "select current_database()")
    assert row["current_database"] == "a b/c?d"


async def test_over_tcp_it_listens_on_loopback_and_wants_the_password(
    data_dir: Path, unused_tcp_port: int
) -> None:
    with PostgresServer(data_dir, durable=False, port=unused_tcp_port) as server:
        (row,) = await ask(server.dsn(tcp=True), "show listen_addresses")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await ask(f"postgresql://postgres:wrong@127.0.0.1:{unused_tcp_port}/postgres", "select 1")
    assert row["listen_addresses"] == "127.0.0.1"


def test_without_a_port_there_is_no_tcp_address(server: PostgresServer) -> None:
    with pytest.raises(PostgresError, match="no TCP port"):
        server.dsn(tcp=True)


def test_the_socket_and_the_data_are_closed_to_other_users(server: PostgresServer) -> None:
    assert server.data_dir.stat().st_mode & 0o077 == 0
    assert (server.data_dir / "password").stat().st_mode & 0o077 == 0


async def test_a_long_path_gets_a_short_socket_path(data_dir: Path) -> None:
    long = data_dir / ("d" * 80) / "data"
    with PostgresServer(long, durable=False) as server:
        await ask(server.dsn(), "select 1")
        again = PostgresServer(long, durable=False)
        assert again.dsn() == server.dsn()
        assert str(long) not in server.dsn()


def test_starting_and_stopping_twice_change_nothing(server: PostgresServer) -> None:
    pid = server.pid
    server.start()
    assert server.pid == pid
    server.stop()
    server.stop()
    assert server.pid is None


@pytest.mark.kill
@pytest.mark.parametrize("path", [os.environ["PATH"], ""], ids=["with-unshare", "without-unshare"])
async def test_no_process_outlives_an_owner_that_was_killed(data_dir: Path, path: str) -> None:
    """Without unshare, root's server runs as nobody; another user's runs as that user, both ways."""
    binaries = find_bin_dir(default_bin_dirs())
    if not path and os.geteuid() == 0 and not all(p.stat().st_mode & 0o001 for p in binaries.parents):
        pytest.skip(f"nobody cannot reach {binaries}")
    owner = start_owner(data_dir, os.environ | {"PATH": path})
    assert owner.stdin
    assert owner.stdout
    with owner, owner.stdout, owner.stdin:
        pid, dsn = owner.stdout.readline().split()
        assert (await ask(dsn, "select 1"))[0][0] == 1
        assert any(line.startswith(f"{pid}:") for line in processes_of(data_dir))
        owner.kill()
        owner.wait(DEADLINE)
    give_up = time.monotonic() + DEADLINE
    while left := processes_of(data_dir):
        assert time.monotonic() < give_up, left
        await asyncio.sleep(0.01)


@pytest.mark.kill
async def test_the_next_owner_may_start_at_once(data_dir: Path) -> None:
    owner = start_owner(data_dir, dict(os.environ))
    assert owner.stdin
    assert owner.stdout
    with owner, owner.stdout, owner.stdin:
        address = owner.stdout.readline().split()[1]
        await ask(address, "create table kept (n int)", "insert into kept values (1)")
        owner.kill()
        owner.wait(DEADLINE)
    with PostgresServer(data_dir, durable=False) as server:
        assert server.dsn() == address
        assert [tuple(row) for row in await ask(address, "select n from kept")] == [(1,)]


def test_a_half_made_data_directory_is_made_again(data_dir: Path) -> None:
    unfinished = data_dir.with_name("data.tmp")
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    with PostgresServer(data_dir, durable=False) as server:
        assert server.pid is not None
    assert not unfinished.exists()


def test_a_data_directory_of_another_version_is_refused_with_both_versions(server: PostgresServer) -> None:
    server.stop()
    ours = (server.data_dir / "PG_VERSION").read_text().strip()
    (server.data_dir / "PG_VERSION").write_text("12\n")
    with pytest.raises(PostgresError, match=rf"made by PostgreSQL 12, .* are PostgreSQL {ours}\."):
        server.start()


def test_a_directory_of_something_else_is_refused(data_dir: Path) -> None:
    data_dir.mkdir()
    with pytest.raises(PostgresError, match="not a PostgreSQL data directory"):
        PostgresServer(data_dir).start()


def test_missing_binaries_are_an_error_that_says_what_to_install(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(PostgresError, match=rf"looked in {tmp_path}\).*pip install 'remediator\[demo\]'"):
        PostgresServer(data_dir, bin_dir=tmp_path)


def test_a_failed_start_shows_the_end_of_the_log(data_dir: Path) -> None:
    server = PostgresServer(data_dir, durable=False, settings={"shared_buffers": "nonsense"})
    with pytest.raises(PostgresError, match='invalid value for parameter "shared_buffers": "nonsense"'):
        server.start()
    assert server.pid is None


def test_a_start_from_another_thread_is_refused(server: PostgresServer) -> None:
    server.stop()
    refusals: list[str] = []

    def start() -> None:
        try:
            server.start()
        except PostgresError as error:
            refusals.append(str(error))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join(DEADLINE)
    assert len(refusals) == 1
    assert "main thread" in refusals[0]
