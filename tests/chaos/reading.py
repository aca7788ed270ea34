"""Reads a history: rows of the database as they are, and the emulator's log."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import asyncpg

from remediator.sandbox.kubernetes.effects import Effect
from tests.chaos.history import (
    Attempt,
    Episode,
    Expected,
    History,
    Notice,
    Parcel,
    Pause,
    Ready,
    Run,
    Told,
    Verdict,
    Write,
)

OURS = "remediator"
"""The user under which the emulator knows the daemons."""


async def read(
    connection: "asyncpg.Connection[asyncpg.Record]",
    effects: Iterable[Effect],
    acknowledged: Iterable[Told],
    expected: Expected,
    *,
    ready: Sequence[Ready] = (),
    arrived: Mapping[int, datetime] | None = None,
) -> History:
    """The history of one database and its cluster; `arrived` says by sequence when an effect really came."""
    arrived = arrived or {}
    return History(
        expected=expected,
        now=await connection.fetchval("select remediator_now()"),
        writes=[
            Write.of(each, arrived.get(each.sequence))
            for each in effects
            if each.user == OURS and each.resource != "events"
        ],
        attempts=[Attempt(**row) for row in await connection.fetch(_ATTEMPTS)],
        verdicts=[Verdict(**row) for row in await connection.fetch(_VERDICTS)],
        outcomes=[(row["marker"], row["outcome"]) for row in await connection.fetch(_OUTCOMES)],
        audited=[(row["marker"], row["kind"], row["outcome"]) for row in await connection.fetch(_AUDITED)],
        runs=[Run(**row) for row in await connection.fetch(_RUNS)],
        notices=[Notice(Told(*tuple(row)[:4]), *tuple(row)[4:]) for row in await connection.fetch(_NOTICES)],
        episodes=[
            Episode(**row)
            for row in await connection.fetch("select id, disposition, closed_at, opened_at from episodes")
        ],
        pauses=[Pause(**row) for row in await connection.fetch(_PAUSES)],
        outbox=[Parcel(**row) for row in await connection.fetch(_OUTBOX)],
        acknowledged=list(acknowledged),
        ready=list(ready),
    )


_COMMITTED = """case current_setting('track_commit_timestamp') when 'on' then pg_xact_commit_timestamp(j.xmin)
                end as committed"""
_ATTEMPTS = f"""
select concat_ws('/', a.run_id, rung, action_index) as marker, a.change->>'pod_uid' as pod_uid,
       concat_ws('/', a.kind, namespace, name) as target, namespace, a.run_id, action, epoch, sends, intended_at,
       sent_at, outcome, outcome_at, {_COMMITTED}
from attempts a left join journal j on j.kind = 'intent' and j.run_id = a.run_id
    and j.details->>'attempt' = concat_ws('/', a.run_id, rung, action_index)
order by a.id"""
_VERDICTS = """
select i.details->>'attempt' as marker, g.details->>'guard' as guard, g.details->>'answer' as answer,
       (g.details->>'observed_at')::timestamptz as observed_at,
       exists (select 1 from approval_requests r where r.run_id = i.run_id and r.used_at is not null) as agreed
from journal i join journal g on g.run_id = i.run_id and g.kind = 'guard' and g.xmin = i.xmin
where i.kind = 'intent'"""
"""The lines that the transaction of an intent wrote: lines are never changed, so that xmin is who wrote them."""
_OUTCOMES = """
select details->>'attempt' as marker, details->>'outcome' as outcome from journal
where kind in ('effect', 'outcome') and details ? 'outcome' order by id"""
_AUDITED = """
select record::jsonb->>'attempt' as marker, kind, record::jsonb->>'outcome' as outcome from audit
where kind in ('intent', 'outcome') order by id"""
_RUNS = """
select id, concat_ws('/', kind, namespace, name) as target, mode, rule, state, created_at, ended_at, due_at
from runs order by id"""
_NOTICES = """
select fingerprint, status, starts_at, ends_at, read_at, disposition, episode_id, last_received_at from notices"""
_PAUSES = "select scope, value, starts_at, coalesce(cleared_at, until) as ended_at from pauses"
_OUTBOX = """
select key, created_at, delivered_at is not null or given_up_at is not null as done from outbox"""
