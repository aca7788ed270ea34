"""Every connection to our database has limits, and nothing of the product needs more than statements."""

import ast
import re
from datetime import timedelta

import asyncpg
import pytest

from remediator.settings.sections import DatabaseLimits
from remediator.store.database import Database, one_state, open_database
from tests.deploy.manifests import ROOT

LIMITS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


async def limits(database: Database) -> list[str]:
    async with database.connection() as connection:
        return [await connection.fetchval(f"show {each}") for each in LIMITS]


async def test_limits_are_the_usual_ones_unless_settings_say_otherwise(
    database: Database, database_url: str
) -> None:
    assert await limits(database) == ["10s", "2s", "5s"]
    chosen = DatabaseLimits(
        connections=2,
        statement_timeout=timedelta(seconds=1),
        lock_timeout=timedelta(milliseconds=300),
        idle_in_transaction_timeout=timedelta(seconds=2),
    )
    other = await open_database(database_url, limits=chosen)
    try:
        assert await limits(other) == ["1s", "300ms", "2s"]
        async with other.connection() as connection:
            with pytest.raises(asyncpg.QueryCanceledError):
                await connection.execute("select pg_sleep(5)")
        async with other.connection(), other.connection():
            with pytest.raises(TimeoutError):
                async with other.connection():
                    pass
    finally:
        await other.close()


async def test_reading_a_whole_table_changes_nothing(database: Database, database_url: str) -> None:
    async with one_state(database_url) as connection:
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await connection.execute("insert into demotions (rule, mode, why) values ('a', 'ask', 'b')")


def test_every_connection_is_opened_with_limits_and_none_listens() -> None:
    """A session that is lost takes nothing with it: replicas look for work, and nobody waits to be told."""
    bare, listening = [], []
    for path in (ROOT / "remediator").rglob("*.py"):
        if "sandbox" in path.parts:
            continue
        text = path.read_text()
        for call in ast.walk(ast.parse(text)):
            if (
                isinstance(call, ast.Call)
                and ast.unparse(call.func) in ("asyncpg.connect", "asyncpg.create_pool")
                and "server_settings" not in {each.arg for each in call.keywords}
            ):
                bare.append(f"{path.relative_to(ROOT)}:{call.lineno}")
        if re.search(r"add_listener|\bpg_notify\b|[\"']\s*(?:un)?listen\s", text, re.IGNORECASE):
            listening.append(str(path.relative_to(ROOT)))
    assert bare == []
    assert listening == []
