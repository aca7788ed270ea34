-- What is over and old is let go of. The daemon's own user may delete nothing but what these functions of the owner's
-- let go of: closed, older than it asks for, and never younger than a floor that it cannot change.

create index notices_of_episode on notices (episode_id) where episode_id is not null;
create index outbox_of_run on outbox (run_id) where run_id is not null;
create index incidents_closed on incidents (closed_at) where closed_at is not null;
create index attempts_of_target on attempts (cluster, kind, namespace, name, id);
create index journal_of_none on journal (at) where run_id is null and incident_id is null and episode_id is null;

create function forget_received(older interval, at_most integer) returns bigint
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    before timestamptz := remediator_now() - greatest(older, interval '30 days');
    old bigint[];
    gone bigint;
    most bigint;
begin
    delete from notices where id in (
        select n.id from notices n
        where n.read_at is not null and n.last_received_at < before
          and not exists (select 1 from episodes e where e.id = n.episode_id and (e.closed_at is null or e.closed_at >= before))
        order by n.id limit at_most for update of n skip locked);
    get diagnostics most = row_count;

    -- Episodes of which nothing came: no incident, and so no run.
    select array_agg(id) into old from (
        select e.id from episodes e
        where e.closed_at < before and e.incident_id is null and e.run_id is null
          and not exists (select 1 from notices n where n.episode_id = e.id)
        order by e.id limit at_most for update skip locked) as found;
    delete from journal where episode_id = any(old);
    delete from episodes where id = any(old);
    most := greatest(most, coalesce(cardinality(old), 0));

    delete from quarantine where id in (
        select id from quarantine where received_at < before order by id limit at_most for update skip locked);
    get diagnostics gone = row_count;
    most := greatest(most, gone);
    delete from backfills where id in (
        select id from backfills where done_at < before order by id limit at_most for update skip locked);
    get diagnostics gone = row_count;
    most := greatest(most, gone);
    delete from outbox where id in (
        select id from outbox where run_id is null and coalesce(delivered_at, given_up_at) < before
        order by id limit at_most for update skip locked);
    get diagnostics gone = row_count;
    return greatest(most, gone);
end $$;
comment on function forget_received is 'What was received, once read, and what came of nothing; the most of one kind.';

create function forget_incidents(older interval, shadow_older interval, at_most integer) returns bigint
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    before timestamptz := remediator_now() - greatest(older, interval '90 days');
    shadow_before timestamptz := remediator_now() - greatest(shadow_older, interval '90 days');
    gone_incidents bigint[];
    gone_runs bigint[];
    gone_episodes bigint[];
    each bigint;
begin
    select array_agg(id) into gone_incidents from (
        select i.id from incidents i
        where i.closed_at < greatest(before, shadow_before)
          and (i.closed_at < before
               or i.closed_at < shadow_before
                  and not exists (select 1 from runs r where r.incident_id = i.id and r.mode <> 'shadow'))
          and not exists (select 1 from runs r where r.incident_id = i.id and (
                r.ended_at is null or r.state = 'UNKNOWN' or r.ended_at >= greatest(before, shadow_before)
                -- Somebody else's alert belongs to it.
                or exists (select 1 from episodes e where e.run_id = r.id and e.incident_id is distinct from i.id)
                or exists (select 1 from outbox o where o.run_id = r.id and o.delivered_at is null and o.given_up_at is null)
                -- The last that may have been changed on a workload: its object names it, and guards ask about it.
                or exists (select 1 from attempts a where a.run_id = r.id and a.outcome is distinct from 'not_applied'
                             and not exists (select 1 from attempts l
                                 where (l.cluster, l.kind, l.namespace, l.name) = (a.cluster, a.kind, a.namespace, a.name)
                                   and l.id > a.id and l.run_id <> a.run_id and l.outcome is distinct from 'not_applied'))))
          and not exists (select 1 from episodes e where e.incident_id = i.id
                            and (e.closed_at is null or e.closed_at >= greatest(before, shadow_before)))
        order by i.closed_at limit at_most for update skip locked) as found;
    if gone_incidents is null then
        return 0;
    end if;
    select array_agg(id) into gone_runs from runs where incident_id = any(gone_incidents);
    -- An alert may have come back since they were chosen: from here on nobody can open one of their episodes.
    select array_agg(id) into gone_episodes from (
        select id from episodes where incident_id = any(gone_incidents) order by id for update) as held;
    if exists (select 1 from episodes where id = any(gone_episodes) and closed_at is null) then
        return 0;
    end if;
    delete from notices where episode_id = any(gone_episodes);
    delete from journal where run_id = any(gone_runs);
    delete from journal where episode_id = any(gone_episodes);
    delete from journal where incident_id = any(gone_incidents);
    delete from outbox where run_id = any(gone_runs);
    delete from approval_answers where request_id in (select id from approval_requests where run_id = any(gone_runs));
    delete from approval_requests where run_id = any(gone_runs);
    delete from attempts where run_id = any(gone_runs);
    delete from episodes where id = any(gone_episodes);
    delete from runs where id = any(gone_runs);
    delete from incidents where id = any(gone_incidents);
    -- The audit stays, and says why the rows it tells of are gone.
    for each in select split_part(chain, '/', 2)::bigint as run from audit_heads
                where chain = any(select 'run/' || id from unnest(gone_runs) as id) order by 1
    loop
        perform audit_append('run/' || each, 'pruned', 'run/' || each, jsonb_build_object('ended_before', before));
    end loop;
    return cardinality(gone_incidents);
end $$;
comment on function forget_incidents is 'Closed incidents, whole: with their episodes, runs, journal and delivered notices.';

create function forget_seen(older interval, at_most integer) returns bigint
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    before timestamptz := remediator_now() - greatest(older, interval '90 days');
    gone bigint;
    most bigint;
begin
    -- However old, the ten newest versions of a workload stay: one of them may be the last that was good.
    delete from tenures where id in (
        select t.id from tenures t where t.ended_at < before
          and (select count(*) from (
                  select 1 from tenures l
                  where (l.cluster, l.kind, l.namespace, l.name) = (t.cluster, t.kind, t.namespace, t.name) and l.id > t.id
                  limit 10) as later) = 10
        order by t.id limit at_most for update skip locked);
    get diagnostics most = row_count;
    delete from schema_heads where id in (
        select h.id from schema_heads h where h.last_seen_at < before
          and exists (select 1 from schema_heads l where l.name = h.name and l.id > h.id)
        order by h.id limit at_most for update skip locked);
    get diagnostics gone = row_count;
    most := greatest(most, gone);
    delete from storms where id in (
        select id from storms where ended_at < before order by id limit at_most for update skip locked);
    get diagnostics gone = row_count;
    most := greatest(most, gone);
    delete from journal where id in (
        select id from journal where run_id is null and incident_id is null and episode_id is null and at < before
        order by at limit at_most for update skip locked);
    get diagnostics gone = row_count;
    return greatest(most, gone);
end $$;
comment on function forget_seen is 'Versions of workloads and schemas that ended, storms, and journal lines about neither alert nor run.';
