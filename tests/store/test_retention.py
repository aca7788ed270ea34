"""A year of alerts does not fill the disk: what is over and old is let go of, and nothing else is."""

import asyncio
from datetime import timedelta
from functools import partial

import asyncpg
import pytest
from pydantic import BaseModel, ValidationError

from remediator.actions.rollback import Rollback
from remediator.clock import SystemClock
from remediator.domain.duration import REMEMBERED
from remediator.guards.limit import Limit
from remediator.memory.forgetting import Forgetting
from remediator.settings.sections import Breakers, Budgets, Retention
from remediator.store import attempts, audit_verify, episodes
from remediator.store.attempts import Attempt
from remediator.store.database import Connection, Database
from tests.support.clock import DrivenClock
from tests.support.intents import OWNER, approved, intend
from tests.support.waiting import until

DAYS = 365
BREAKERS = ("per", "came_back_within", "demote_within")
A_DAY = 12
"""Incidents, each of one alert that fired and resolved, was looked at and had one change."""
LONG_AGO = "remediator_now() - interval '400 days'"

YEAR = f"""
create temporary table days on commit drop as
    select n, remediator_now() - make_interval(mins => (n * {24 * 60 // A_DAY})::int) as at
    from generate_series(1, {DAYS * A_DAY}) as n;
insert into incidents (id, subject, title, cluster, opened_at, closed_at) overriding system value
    select 1000 + n, 's' || n, 't', 'default', at, at + interval '10 minutes' from days;
insert into runs (id, incident_id, rule, rule_digest, rule_text, mode, trigger, cluster, kind, namespace, name, state,
                  created_at, ended_at) overriding system value
    select 1000 + n, 1000 + n, 'hung', 'd', '{{}}', case n % 4 when 0 then 'act' else 'shadow' end,
        '{{"kind": "alert"}}',
           'default', 'deployment', 'shop', 'w' || n % 50, case n % 4 when 0 then 'RESOLVED' else 'SHADOWED' end,
           at, at + interval '10 minutes' from days;
insert into episodes (id, source, fingerprint, alertname, labels, annotations, starts_at, opened_at, closed_at,
                      incident_id, run_id, target) overriding system value
    select 1000 + n, 'alertmanager', 'f' || n, 'Slow', '{{}}', '{{}}', at, at, at + interval '5 minutes',
           1000 + n, 1000 + n, 'deployment/shop/w' || n % 50 from days;
insert into episodes (id, source, fingerprint, alertname, labels, annotations, starts_at,
    opened_at, closed_at, disposition)
    overriding system value
    select 1000000 + n, 'alertmanager', 'g' || n, 'Other', '{{}}', '{{}}', at, at, at + interval '5 minutes', 'no_rule'
    from days;
insert into notices (delivery_key, source, fingerprint, status, labels, annotations, starts_at, received_at,
                     last_received_at, read_at, episode_id)
    select sha256(convert_to(e.id || status, 'UTF8')), 'alertmanager', e.fingerprint, status, '{{"a": "b"}}', '{{}}',
           e.starts_at, e.opened_at, e.opened_at, e.opened_at, e.id
    from episodes e, unnest(array['firing', 'resolved']) as status where e.id >= 1000;
insert into journal (at, kind, text, incident_id, run_id, episode_id)
    select at, kind, repeat('evidence ', 30), 1000 + n, 1000 + n, 1000 + n
    from days, unnest(array['planned', 'guard', 'state']) as kind;
insert into journal (at, kind, text) select at, 'reload', 'reloaded' from days where n % 40 = 0;
insert into outbox (run_id, channel, key, payload, created_at, delivered_at)
    select 1000 + n, 'webhook:0', 'k' || n, '{{}}', at, at from days;
insert into attempts (run_id, rung, action_index, action, rule, cluster, kind, namespace, name, from_revision,
                      to_revision, change, epoch, sends, intended_at)
    select 1000 + n, 0, 0, 'restart', 'hung', 'default', 'deployment', 'shop', 'w' || n % 50, 'a', 'b', '{{}}', 1, 1,
           at from days where n % 4 = 0;
update attempts set outcome = 'applied', outcome_why = 'seen', outcome_at = intended_at;
update runs set state = 'ESCALATED' where mode = 'act';
insert into tenures (cluster, kind, namespace, name, uid, revision, template, began_at, began_seen,
    ended_at, last_seen_at)
    select 'default', 'deployment', 'shop', 'w' || n % 50, 'u', 'r' || n, '{{}}', at, true, at,
        at from days order by n desc;
insert into quarantine (source, reason, body, received_at) select 'alertmanager', 'r', 'b',
    at from days where n % 10 = 0;
"""
OPEN = """
insert into incidents (id, subject, title, cluster, opened_at) overriding system value
    values (1, 'open', 't', 'default', remediator_now() - interval '350 days');
insert into episodes (id, source, fingerprint, alertname, labels, annotations, starts_at, opened_at, incident_id)
    overriding system value values (1, 'alertmanager', 'open', 'Slow', '{}', '{}', remediator_now(),
    remediator_now() - interval '350 days', 1);
insert into notices (delivery_key, source, fingerprint, status, labels, annotations, starts_at, received_at,
                     last_received_at, read_at, episode_id) values ('\\x01', 'alertmanager',
                         'open', 'firing', '{}', '{}',
    remediator_now(), remediator_now() - interval '350 days', remediator_now() - interval '350 days',
    remediator_now() - interval '350 days', 1),
    ('\\x02', 'alertmanager', 'unread', 'firing', '{}', '{}', remediator_now(), remediator_now() - interval '350 days',
    remediator_now() - interval '350 days', null, null);
update runs set state = 'UNKNOWN', name = 'held' where id = 5000;
update outbox set delivered_at = null where run_id = 5001;
"""


async def count(connection: Connection, table: str, where: str = "true") -> int:
    found: int = await connection.fetchval(f"select count(*) from {table} where {where}")
    return found


@pytest.mark.timeout(120)
async def test_a_year_of_alerts_is_let_go_of_as_the_settings_say(
    database: Database, database_url: str
) -> None:
    administrator = await asyncpg.connect(database_url, command_timeout=100)
    try:
        async with administrator.transaction():
            await administrator.execute(YEAR)
            await administrator.execute(OPEN)
        await administrator.execute("analyze")
    finally:
        await administrator.close()
    async with database.connection() as connection:
        audited = await count(connection, "audit")
        rows = sum([await count(connection, each) for each in ("notices", "episodes", "runs", "journal")])
    forgetting = Forgetting(database, Retention(incidents=timedelta(days=180)), "one")
    began, slowest, batches = SystemClock().monotonic(), 0.0, 0
    more = True
    while more:
        asked = SystemClock().monotonic()
        more = await forgetting.tick()
        slowest, batches = max(slowest, SystemClock().monotonic() - asked), batches + 1
    seconds = SystemClock().monotonic() - began
    async with database.connection() as connection:
        left = sum([await count(connection, each) for each in ("notices", "episodes", "runs", "journal")])
        print(
            f"retention: rows={rows} left={left} seconds={seconds:.1f} batches={batches} slowest={slowest:.2f}"
        )
        old = "< remediator_now() - interval"
        assert await count(connection, "incidents", f"closed_at {old} '180 days'") == await kept(connection)
        assert (
            await count(connection, "runs", f"mode = 'shadow' and ended_at {old} '91 days' and id <> 5001")
            == 0
        )
        assert (
            await count(
                connection, "runs", "mode = 'act' and ended_at > remediator_now() - interval '179 days'"
            )
            > 0
        )
        assert await count(connection, "episodes", f"incident_id is null and closed_at {old} '31 days'") == 0
        assert await count(connection, "quarantine", f"received_at {old} '31 days'") == 0
        assert await count(connection, "notices", "fingerprint in ('open', 'unread')") == 2
        assert await count(connection, "episodes", "id = 1") == 1
        assert await count(connection, "journal", "run_id = 5000") == 3
        assert await count(connection, "attempts", "run_id = 5000") == 1
        assert await count(connection, "outbox", "delivered_at is null") == 1
        named = await count(connection, "(select distinct name from attempts) as named")
        assert named == 25, "the last change of every workload stays"
        newest = "(select count(*) from tenures l where l.name = tenures.name and l.id > tenures.id) >= 10"
        assert await count(connection, "tenures", f"ended_at {old} '91 days' and {newest}") == 0
        assert await count(connection, "audit") == audited + await count(
            connection, "audit", "kind = 'pruned'"
        )
    async with database.transaction() as connection:
        assert [each.what for each in (await audit_verify.verify(connection, {})).breaks] == []
    assert slowest < 5


async def kept(connection: Connection) -> int:
    """Old incidents that have to stay, by their runs: UNKNOWN, not delivered, the last change of a workload."""
    found: int = await connection.fetchval(
        """select count(*) from incidents i where closed_at < remediator_now() - interval '180 days'
             and exists (select 1 from runs r where r.incident_id = i.id and (r.state = 'UNKNOWN'
               or exists (select 1 from outbox o where o.run_id = r.id and o.delivered_at is null)
               or exists (select 1 from attempts a where a.run_id = r.id and not exists (
                     select 1 from attempts l where l.name = a.name and l.id > a.id))))"""
    )
    return found


async def test_what_is_open_stays_however_old(database: Database, clock: DrivenClock) -> None:
    run = await approved(database, "api")
    made = await intend(database, run)
    assert isinstance(made, Attempt)
    await clock.advance(2 * 365 * 86400)
    forgetting = Forgetting(database, Retention(), "one")
    assert not await forgetting.tick()
    async with database.transaction() as connection:
        assert await count(connection, "attempts") == 1
        await connection.execute("update runs set lease_until = remediator_now() + interval '1 day'")
        assert await attempts.record_outcome(connection, run, OWNER, made, "applied", "seen")


async def test_one_replica_at_a_time_forgets(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "insert into quarantine (source, reason, body, received_at) values ('a', 'r', 'b', '2020-01-01Z')"
        )
        await connection.execute(
            "insert into loop_leases values ('retention', 'another', remediator_now() + interval '1 minute')"
        )
    forgetting = Forgetting(database, Retention(), "one")
    await forgetting.tick()
    async with database.connection() as connection:
        assert await count(connection, "quarantine") == 1
        await connection.execute("delete from loop_leases")
    await forgetting.tick()
    async with database.connection() as connection:
        assert await count(connection, "quarantine") == 0


async def test_nobody_can_ask_for_what_is_young_to_go(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "insert into quarantine (source, reason, body, received_at) values ('a', 'r', 'b', remediator_now())"
        )
        assert await connection.fetchval("select forget_received('0 days', 10)") == 0
        assert await connection.fetchval("select forget_incidents('-1 year', '-1 year', 10)") == 0
        with pytest.raises(asyncpg.PostgresError):
            await connection.fetchval("select forget_received('0 days', -1)")


@pytest.mark.parametrize(
    ("counting", "key"),
    [(Limit, "per"), (Rollback, "max_age"), (Budgets, "per"), *((Breakers, key) for key in BREAKERS)],
)
def test_nothing_counts_or_looks_further_back_than_what_is_kept_at_least(
    counting: type[BaseModel], key: str
) -> None:
    given = {"effects": 1, "of": "target"} if counting is Limit else {}
    counting.model_validate({**given, key: "90d"})
    with pytest.raises(ValidationError, match="less than or equal to 90 days"):
        counting.model_validate({**given, key: "91d"})


def test_what_is_kept_is_kept_at_least_as_long_as_anything_counts() -> None:
    for kept in ("shadow_runs", "incidents", "memory"):
        assert Retention.model_validate({kept: "90d"}).model_dump()[kept] == REMEMBERED
        with pytest.raises(ValidationError):
            Retention.model_validate({kept: "89d"})


async def an_incident_of_long_ago(connection: Connection) -> None:
    """Number 1."""
    await connection.execute(
        f"""insert into incidents (id, subject, title, cluster, opened_at, closed_at) overriding system value
            values (1, 'over', 't', 'default', {LONG_AGO}, {LONG_AGO})"""
    )


async def test_an_alert_that_comes_back_meanwhile_keeps_its_incident(database: Database) -> None:
    async with database.transaction() as connection:
        await an_incident_of_long_ago(connection)
        await connection.execute(
            f"""insert into episodes (id, source, fingerprint, alertname, labels, annotations, starts_at, opened_at,
                                      closed_at, incident_id) overriding system value
                values (1, 'alertmanager', 'over', 'Slow', '{{}}', '{{}}', {LONG_AGO}, {LONG_AGO}, {LONG_AGO}, 1)"""
        )
    async with asyncio.TaskGroup() as tasks:
        async with database.transaction() as connection:
            await episodes.reopen(connection, 1)
            forgetting = tasks.create_task(Forgetting(database, Retention(), "one").tick())
            await until(partial(waits_for_a_row, database), "letting go waits for the episode")
        assert await forgetting is False
    async with database.connection() as connection:
        assert await count(connection, "incidents") == await count(connection, "episodes") == 1


async def test_one_kind_that_cannot_be_let_go_of_keeps_none_of_the_others(
    database: Database, database_url: str
) -> None:
    async with database.transaction() as connection:
        await an_incident_of_long_ago(connection)
        await connection.execute(
            "insert into quarantine (source, reason, body, received_at) "
            f"values ('alertmanager', 'r', 'b', {LONG_AGO})"
        )
    administrator = await asyncpg.connect(database_url)
    try:
        async with administrator.transaction():
            await administrator.execute("lock table quarantine in access exclusive mode")
            with pytest.raises(asyncpg.LockNotAvailableError):
                await Forgetting(database, Retention(), "one").tick()
    finally:
        await administrator.close()
    async with database.connection() as connection:
        assert (await count(connection, "incidents"), await count(connection, "quarantine")) == (0, 1)


async def waits_for_a_row(database: Database) -> bool:
    """Whether somebody waits for a row that another transaction holds."""
    async with database.connection() as connection:
        return await count(connection, "pg_locks", "not granted") > 0
