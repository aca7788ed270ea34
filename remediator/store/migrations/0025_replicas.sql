-- How many replicas a workload was seen to want when: the action `scale` goes back to what lasted.

create table replica_counts (
    id           bigint generated always as identity primary key,
    cluster      text not null,
    kind         text not null,
    namespace    text not null,
    name         text not null,
    uid          text not null,
    replicas     integer not null,
    began_at     timestamptz not null default remediator_now(),
    last_seen_at timestamptz not null default remediator_now(),
    ended_at     timestamptz
);
create unique index replica_counts_current on replica_counts (cluster, namespace, kind, name) where ended_at is null;
create index replica_counts_of on replica_counts (cluster, kind, namespace, name, id);
create index replica_counts_seen on replica_counts (last_seen_at);
comment on table replica_counts is 'How many replicas a workload wanted when, as our memory saw it.';
comment on column replica_counts.last_seen_at is 'Until then at least; written anew every five minutes at the latest.';

-- An autoscaler makes a row of every step: let go of with pods and contents, not after months.
create function forget_replica_counts(at_most integer) returns bigint
language sql security definer set search_path = public, pg_temp as $$
    with gone as (
        delete from replica_counts where id in (
            select id from replica_counts where last_seen_at < remediator_now() - interval '30 days'
            limit at_most for update skip locked)
        returning 1)
    select count(*) from gone
$$;
comment on function forget_replica_counts is 'Numbers last seen a month ago, also of what was deleted; none older than that is gone back to.';
