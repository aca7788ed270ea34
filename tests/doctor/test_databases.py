"""Doctor tries every database of applications, and knows which of them the rules name."""

from collections.abc import Iterator
from typing import Any

import pytest

from remediator.sandbox.postgres import PostgresServer
from tests.doctor.installation import RULES, Installation
from tests.doctor.test_rules_live import live
from tests.support.busy_postgres import busy_server, dsn_of

LOGINS = {
    "name": "logins",
    "sql": "select who from logins where tenant = $1",
    "parameters": [{"value": "${labels.tenant}", "type": "integer"}],
}


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with busy_server("18") as running:
        yield running


@pytest.fixture
def configured(installation: Installation, server: PostgresServer) -> Installation:
    """With `orders`, which a role with the right grants looks into."""
    return with_orders(installation, dsn_of(server, "looker"), queries=[LOGINS])


def with_orders(installation: Installation, dsn: str, **more: Any) -> Installation:
    (installation.directory / "dsn").write_text(dsn)
    entry = {"name": "orders", "dsn_file": str(installation.directory / "dsn"), **more}
    installation.settings["databases"] = [entry]
    return installation


def rules(diagnostics: str) -> str:
    return RULES.replace("[pods, events, logs, rollout_history]", diagnostics)


async def test_a_database_that_can_be_looked_into_is_well(configured: Installation) -> None:
    (one, other) = await configured.finds("databases")
    assert one.level == "ok"
    assert one.saw.startswith("orders: PostgreSQL 18")
    assert one.saw.endswith("database orders, role looker")
    assert other.saw == "no rule looks into a database (1 configured)"


@pytest.mark.parametrize(
    ("role", "level", "saw"),
    [
        ("writer", "failed", "database orders is not looked into: the role writer may write to orders"),
        ("chief", "failed", "database orders is not looked into: the role chief is a superuser"),
        ("nobody", "failed", "database orders does not let us in: role"),
        ("blind", "warning", "orders: the role blind does not see what other roles do"),
    ],
)
async def test_a_role_with_too_many_or_too_few_rights_is_told(
    installation: Installation, server: PostgresServer, role: str, level: str, saw: str
) -> None:
    found = await with_orders(installation, dsn_of(server, role)).finds("databases")
    assert [each.level for each in found if each.saw.startswith(saw)] == [level]


async def test_a_query_that_cannot_be_asked_is_told(configured: Installation, server: PostgresServer) -> None:
    unreadable = {**LOGINS, "name": "unreadable", "sql": "selec 1"}
    too_few = {"name": "too_few", "sql": LOGINS["sql"]}
    with_orders(configured, dsn_of(server, "looker"), queries=[LOGINS, unreadable, too_few])
    found = [each.saw for each in await configured.finds("databases") if each.level == "failed"]
    assert found == [
        'query unreadable: database orders: syntax error at or near "1"',
        "query too_few of orders takes 1 parameters, and 0 are given",
    ]


@pytest.mark.parametrize(
    ("diagnostics", "saw"),
    [
        ("[pg_ping: orders, sql_query: {database: orders, query: logins}, sql_query: logins]", None),
        ("[pg_ping: stock]", "pg_ping names the database stock, which remediator.yml does not have"),
        ("[sql_query: audit]", "sql_query names the query audit, which no database has"),
        (
            "[sql_query: {database: orders, query: audit}]",
            "sql_query names the query audit, which the database orders does not have",
        ),
    ],
)
async def test_a_rule_that_names_what_is_not_configured_is_told(
    configured: Installation, diagnostics: str, saw: str | None
) -> None:
    status, found = await live(configured, rules(diagnostics))
    (one,) = found["databases"]
    assert one.level == ("ok" if saw is None else "failed")
    assert one.saw == (
        "3 diagnostics of rules can find their database" if saw is None else f"rule bad-release: {saw}"
    )
    assert status == (0 if saw is None else 1)
    assert [each.level for each in found["queries"]] == ["ok"]


async def test_a_rule_that_looks_into_a_database_where_none_is_configured_is_told(
    installation: Installation,
) -> None:
    _, found = await live(installation, rules("[pg_ping]"))
    assert found["databases"][0].saw == "rule bad-release: pg_ping finds no database in remediator.yml"
