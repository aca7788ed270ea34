"""An operator's own query: chosen by a rule, bound to the alert, bounded, and unable to change anything."""

import json
import re
from typing import Any

import pytest
from pydantic import ValidationError

from remediator.diagnostics.sql_query import SqlQuery
from remediator.sandbox.postgres import PostgresServer
from remediator.settings.databases import ApplicationDatabase, NamedQuery
from tests.support.busy_postgres import execute, load
from tests.support.looks import LABELS, look

TENANT = {"value": "${labels.tenant}", "type": "integer"}
LOGINS = "select who, address, count(*) as times from logins where tenant = $1 group by 1, 2 order by 1"


def with_query(database: ApplicationDatabase, sql: str, **more: Any) -> list[ApplicationDatabase]:
    query = NamedQuery.model_validate({"name": "asked", "sql": sql, **more})
    return [database.model_copy(update={"queries": (query,)})]


async def test_rows_come_by_what_the_alert_says(looker: ApplicationDatabase) -> None:
    asked = with_query(looker, LOGINS + ";\n", parameters=[TENANT], masked=["who"])
    seen = await look(SqlQuery(query="asked"), asked)
    assert seen.summary == "orders: asked: 3 rows"
    assert seen.details["rows"] == [{"who": "***", "address": "10.0.0.1", "times": 5}] * 3
    assert seen.details["bound"] == ["1"]
    none = await look(SqlQuery(query="asked"), asked, labels={**LABELS, "tenant": "7"})
    assert none.details["rows"] == []


async def test_a_mask_that_is_on_no_column_lets_nothing_be_seen(looker: ApplicationDatabase) -> None:
    asked = with_query(looker, "select who as theUser, address from logins", masked=["theUser"])
    seen = await look(SqlQuery(query="asked"), asked)
    assert seen.failed
    assert "query asked has no column theUser, which masked names" in seen.summary
    assert "rows" not in seen.details


async def test_what_an_alert_says_is_never_part_of_the_query(
    server: PostgresServer, looker: ApplicationDatabase
) -> None:
    asked = with_query(
        looker,
        "select $1::text as said, $2::text as at -- a comment at its end",
        parameters=[{"value": "${labels.who}"}, {"value": "${target.namespace}"}],
    )
    hostile = "x'; drop table logins; --"
    seen = await look(SqlQuery(query="asked"), asked, labels={**LABELS, "who": hostile})
    assert seen.details["rows"] == [{"said": hostile, "at": "shop"}]
    await execute(server.dsn("orders"), "select 1 from logins")


@pytest.mark.parametrize(
    ("tenant", "why"),
    [
        (None, "${labels.tenant} has no value for this alert"),
        ("1.5", "${labels.tenant} is '1.5' for this alert, no integer"),
        ("1 or 1=1", "${labels.tenant} is '1 or 1=1' for this alert, no integer"),
        (".*", "${labels.tenant} is '.*' for this alert, which names nothing"),
    ],
)
async def test_without_a_value_of_its_type_it_is_not_asked(
    looker: ApplicationDatabase, tenant: str | None, why: str
) -> None:
    labels = {key: value for key, value in LABELS.items() if key != "tenant"}
    labels |= {} if tenant is None else {"tenant": tenant}
    seen = await look(SqlQuery(query="asked"), with_query(looker, LOGINS, parameters=[TENANT]), labels=labels)
    assert seen.failed
    assert seen.summary == f"orders: asked was not asked: {why}"


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("update orders set note = 'x' returning id", "syntax error"),
        ("with gone as (delete from orders returning id) select * from gone", "data-modifying statement"),
        (
            "select 1) as found) as lines; drop table orders; select * from (select * from (select 1",
            "cannot insert multiple commands",
        ),
        (
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'postgres'",
            "permission denied|must be a superuser",
        ),
        ("select set_config('transaction_read_only', 'off', true)", "cannot set transaction read-write mode"),
        ("select nextval('events_id_seq')", "permission denied"),
        ("select * from nowhere", 'relation "nowhere" does not exist'),
        ("select pg_sleep(60)", "a query took longer than 5 s"),
        ("select * from orders where id = $1", "the server expects 1 argument"),
    ],
)
async def test_nothing_is_changed_and_nothing_lasts(looker: ApplicationDatabase, sql: str, why: str) -> None:
    seen = await look(SqlQuery(query="asked"), with_query(looker, sql))
    assert seen.failed
    assert seen.summary.startswith("sql_query: database orders: ")
    assert re.search(why, seen.summary)


async def test_rows_and_bytes_are_bounded(looker: ApplicationDatabase) -> None:
    many = await look(SqlQuery(query="asked", most=5), with_query(looker, "select * from orders order by id"))
    assert many.summary == "orders: asked: 5 or more rows"
    assert [each["id"] for each in many.details["rows"]] == [1, 2, 3, 4, 5]
    wide = "select n, repeat('ab c', 1000 * n) as said from generate_series(1, 4) n"
    long = await look(SqlQuery(query="asked", most=500), with_query(looker, wide))
    assert long.details["rows"][2] == {"left_out": "a row of more than 8192 characters"}
    much = "select n, repeat('ab c', 1000) as said from generate_series(1, 500) n"
    large = await look(SqlQuery(query="asked", most=500), with_query(looker, much))
    assert len(json.dumps(large.details)) < 70_000
    assert large.details["left_out"] == 500 - len(large.details["rows"]) > 400


async def test_a_locked_table_is_given_up_on(server: PostgresServer, looker: ApplicationDatabase) -> None:
    async with load(server) as made:
        await (await made.connect("migration")).execute("begin; lock table logins in access exclusive mode")
        seen = await look(SqlQuery(query="asked"), with_query(looker, "select * from logins"))
    assert seen.summary == "sql_query: database orders: what it asks for was locked for 1 s"


async def test_a_query_that_is_not_configured_is_told(looker: ApplicationDatabase) -> None:
    seen = await look(SqlQuery(query="failed_logins"), [looker])
    assert seen.summary == "sql_query: database orders has no query failed_logins in remediator.yml"


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Failed logins", "sql": "select 1"},
        {"name": "asked", "sql": ""},
        {"name": "asked", "sql": "select $1", "parameters": [{"value": "tenant ${labels.tenant}"}]},
        {"name": "asked", "sql": "select $1", "parameters": [{"value": "1"}]},
        {"name": "asked", "sql": "select $1", "parameters": [{"value": "${annotations.x}"}]},
        {"name": "asked", "sql": "select $1", "parameters": [{**TENANT, "type": "jsonb"}]},
    ],
)
def test_settings_that_could_not_work_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NamedQuery.model_validate(wrong)


def test_two_queries_of_one_name_are_refused(looker: ApplicationDatabase) -> None:
    twice = [{"name": "asked", "sql": "select 1"}] * 2
    with pytest.raises(ValidationError, match="there are two queries named asked"):
        ApplicationDatabase.model_validate({"name": "orders", "dsn_file": "dsn", "queries": twice})
