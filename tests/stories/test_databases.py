"""A run looks into the database of its target, and its evidence says what was seen."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from remediator.sandbox.postgres import PostgresServer
from tests.support.busy_postgres import busy_server, dsn_of, execute, load
from tests.support.clock import DrivenClock
from tests.support.story import told

LOOKS = """
rules:
  - rule: look
    mode: act
    match: ['{alertname="HighErrorRate"}']
    diagnostics:
      - pg_ping
      - pg_connections
      - pg_activity: {longer_than: 1m, most: 5}
      - pg_slow_statements
      - pg_database
      - pg_integrity
      - pg_index_report
      - schema_version
      - sql_query: {database: orders, query: failed_logins}
      - pg_ping: stock
"""
LOGINS = {
    "name": "failed_logins",
    "sql": "select who, count(*) as times from logins where tenant = $1 group by 1 order by 1",
    "parameters": [{"value": "${labels.tenant}", "type": "integer"}],
    "masked": ["who"],
}


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with busy_server("18") as running:
        yield running


async def test_a_run_keeps_what_it_saw_in_the_database_of_its_target(
    tmp_path: Path, database_url: str, clock: DrivenClock, server: PostgresServer
) -> None:
    (tmp_path / "dsn").write_text(dsn_of(server, "looker"))
    (tmp_path / "down").write_text("postgresql://looker:s3cret@127.0.0.1:1/stock")
    databases = [
        {
            "name": "orders",
            "dsn_file": tmp_path / "dsn",
            "targets": ["deployment/shop/api"],
            "queries": [LOGINS],
        },
        {"name": "stock", "dsn_file": tmp_path / "down"},
    ]
    async with (
        told(tmp_path, database_url, clock, LOOKS, {"databases": databases}) as story,
        load(server) as made,
    ):
        await made.holds(1, "importer")
        made.waits(await made.connect("api"), 1)
        await made.all_wait()
        await story.create("app:v1")
        await story.let(3 * 60, step=45)
        story.release("app:v2")
        await story.let(60)
        await execute(server.dsn("orders"), "update alembic_version set version_num = 'c3'")
        await story.fire(tenant="1")
        lines = [each for each in await story.journal() if each.kind == "evidence"]
    said = {
        f"{each.details['step']} {each.details['details'].get('database', '')}": each.text for each in lines
    }
    assert len(said) == 10
    assert "orders: answers in " in said["pg_ping orders"]
    assert "database stock does not answer: " in said["pg_ping "]
    assert "1 wait for locks, 1 of them for pid " in said["pg_activity orders"]
    assert (
        "schema at alembic_version c3, was at alembic_version b2 in the time of"
        in said["schema_version orders"]
    )
    assert "orders: failed_logins: 3 rows" in said["sql_query orders"]
    kept = json.dumps([each.details for each in lines])
    assert "user0" not in kept
    assert "hunter2" not in kept
    assert "s3cret" not in kept
