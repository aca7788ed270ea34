-- The schema of the first version. Forward only: a later change is a later file.

-- The one clock of all SQL: read once in each statement, so that indexes can be used with it.
-- Tests replace this function in their template database.
create function remediator_now() returns timestamptz language sql stable as 'select clock_timestamp()';

-- Fencing numbers of leases and claims. One sequence for all targets, so they only ever grow.
create sequence epochs;

-- ---------------------------------------------------------------------------------------------
-- What Alertmanager told us

create table notices (
    id               bigint generated always as identity primary key,
    delivery_key     bytea not null unique,
    source           text not null,
    fingerprint      text not null,
    status           text not null check (status in ('firing', 'resolved')),
    labels           jsonb not null,
    annotations      jsonb not null,
    starts_at        timestamptz not null,
    ends_at          timestamptz,
    generator_url    text not null default '',
    received_at      timestamptz not null default remediator_now(),
    last_received_at timestamptz not null default remediator_now(),
    deliveries       integer not null default 1,
    read_at          timestamptz,
    claimed_until    timestamptz,
    disposition      text,
    episode_id       bigint
);
create index notices_unread on notices (id) where read_at is null;
comment on table notices is 'Every firing or resolved notice, committed before it was acknowledged.';

create table quarantine (
    id          bigint generated always as identity primary key,
    source      text not null,
    reason      text not null,
    body        text not null,
    received_at timestamptz not null default remediator_now()
);
comment on table quarantine is 'Single alerts that could not be read, out of bodies that could.';

create table backfills (
    id           bigint generated always as identity primary key,
    source       text not null,
    group_key    text not null,
    group_labels jsonb not null,
    truncated    integer not null,
    due_at       timestamptz not null default remediator_now(),
    tries        integer not null default 0,
    last_error   text,
    done_at      timestamptz,
    received_at  timestamptz not null default remediator_now()
);
create index backfills_due on backfills (due_at) where done_at is null;
comment on table backfills is 'Groups Alertmanager truncated: the missing alerts are fetched from its API.';

-- ---------------------------------------------------------------------------------------------
-- Problems

create table incidents (
    id         bigint generated always as identity primary key,
    subject    text not null,
    title      text not null,
    cluster    text not null,
    kind       text,
    namespace  text,
    name       text,
    severity   text not null default '',
    opened_at  timestamptz not null default remediator_now(),
    closed_at  timestamptz
);
create unique index incidents_open on incidents (subject) where closed_at is null;
comment on column incidents.subject is 'The target, or the alert itself where no target could be resolved.';

create table episodes (
    id              bigint generated always as identity primary key,
    source          text not null,
    fingerprint     text not null,
    alertname       text not null,
    labels          jsonb not null,
    annotations     jsonb not null,
    starts_at       timestamptz not null,
    opened_at       timestamptz not null default remediator_now(),
    last_seen_at    timestamptz not null default remediator_now(),
    ends_at         timestamptz,
    closed_at       timestamptz,
    closed_because  text,
    absent_since    timestamptz,
    plan_due_at     timestamptz,
    disposition     text,
    why             text,
    incident_id     bigint references incidents,
    run_id          bigint,
    target          text
);
create unique index episodes_open on episodes (source, fingerprint) where closed_at is null;
create index episodes_of on episodes (source, fingerprint, id desc);
create index episodes_due on episodes (plan_due_at) where plan_due_at is not null;
create index episodes_target on episodes (target, alertname);
create index episodes_run on episodes (run_id);
create index episodes_incident on episodes (incident_id);

alter table notices add foreign key (episode_id) references episodes;

-- ---------------------------------------------------------------------------------------------
-- Runs and what they did

create table runs (
    id           bigint generated always as identity primary key,
    incident_id  bigint not null references incidents,
    rule         text not null,
    rule_digest  text not null,
    rule_text    jsonb not null,
    mode         text not null check (mode in ('shadow', 'ask', 'act')),
    trigger      jsonb not null,
    cluster      text not null,
    kind         text not null,
    namespace    text not null,
    name         text not null,
    depends_on   text[] not null default '{}',
    state        text not null,
    rung         integer not null default 0,
    plan         jsonb,
    progress     jsonb not null default '{}',
    why          text,
    hold_why     text,
    due_at       timestamptz not null default remediator_now(),
    lease_owner  text,
    lease_until  timestamptz,
    epoch        bigint not null default 0,
    created_at   timestamptz not null default remediator_now(),
    acted_at     timestamptz,
    ended_at     timestamptz
);
create unique index runs_one_active_per_target on runs (cluster, kind, namespace, name)
    where mode <> 'shadow' and state in ('PLANNED', 'DIAGNOSED', 'PROPOSED', 'CLEARED', 'APPROVED', 'ACTED', 'UNKNOWN');
create index runs_due on runs (due_at)
    where state in ('PLANNED', 'DIAGNOSED', 'PROPOSED', 'CLEARED', 'APPROVED', 'ACTED');
create index runs_of_target on runs (cluster, kind, namespace, name, id desc);
create index runs_of_incident on runs (incident_id);

alter table episodes add foreign key (run_id) references runs;

create function runs_epoch_only_grows() returns trigger language plpgsql as $$
begin
    if new.epoch < old.epoch then
        raise exception 'run %: epoch % is older than %', old.id, new.epoch, old.epoch;
    end if;
    return new;
end $$;
create trigger runs_epoch before update on runs for each row execute function runs_epoch_only_grows();

create table attempts (
    id            bigint generated always as identity primary key,
    run_id        bigint not null references runs,
    rung          integer not null,
    action_index  integer not null,
    action        text not null,
    rule          text not null,
    cluster       text not null,
    kind          text not null,
    namespace     text not null,
    name          text not null,
    from_revision text not null,
    to_revision   text not null,
    change        jsonb not null,
    epoch         bigint not null,
    sends         integer not null default 0,
    intended_at   timestamptz not null default remediator_now(),
    outcome       text check (outcome in ('applied', 'converged', 'not_applied', 'superseded',
                                          'applied_then_changed', 'target_replaced', 'unknown')),
    outcome_why   text,
    outcome_at    timestamptz,
    unique (run_id, rung, action_index)
);
create index attempts_recent on attempts (intended_at);
comment on table attempts is 'One durable record of trying a change; written before the change is sent.';

create table pauses (
    id         bigint generated always as identity primary key,
    scope      text not null check (scope in ('everything', 'namespace', 'rule', 'target')),
    value      text not null default '',
    who        text not null,
    why        text not null,
    until      timestamptz,
    created_at timestamptz not null default remediator_now(),
    cleared_at timestamptz,
    cleared_by text
);

-- Locked by every intent and every pause, so that the two are totally ordered.
create table intent_gate (only_row boolean primary key default true check (only_row));
insert into intent_gate default values;

create table journal (
    id          bigint generated always as identity primary key,
    at          timestamptz not null default remediator_now(),
    incident_id bigint references incidents,
    episode_id  bigint references episodes,
    run_id      bigint references runs,
    kind        text not null,
    text        text not null,
    details     jsonb not null default '{}'
);
create index journal_of_run on journal (run_id, id);
create index journal_of_incident on journal (incident_id, id);
create index journal_of_episode on journal (episode_id, id);
comment on table journal is 'What was seen, decided and done, in order; every decision is explained from here.';

create table outbox (
    id           bigint generated always as identity primary key,
    run_id       bigint references runs,
    channel      text not null,
    key          text not null unique,
    payload      jsonb not null,
    due_at       timestamptz not null default remediator_now(),
    tries        integer not null default 0,
    last_error   text,
    created_at   timestamptz not null default remediator_now(),
    delivered_at timestamptz,
    given_up_at  timestamptz
);
create index outbox_due on outbox (due_at) where delivered_at is null and given_up_at is null;

-- ---------------------------------------------------------------------------------------------
-- Memory and rules

create table tenures (
    id                        bigint generated always as identity primary key,
    cluster                   text not null,
    kind                      text not null,
    namespace                 text not null,
    name                      text not null,
    uid                       text not null,
    revision                  text not null,
    template                  jsonb not null,
    began_at                  timestamptz not null,
    began_seen                boolean not null,
    ended_at                  timestamptz,
    replaced_by               text,
    available_since           timestamptz,
    longest_available_seconds double precision not null default 0,
    last_seen_at              timestamptz not null
);
create unique index tenures_current on tenures (cluster, kind, namespace, name, uid) where ended_at is null;
create index tenures_of on tenures (cluster, kind, namespace, name, id);
comment on table tenures is 'Which revision was current when, and how long it was seen fully available.';

create table rule_versions (
    digest      text primary key,
    rule        text not null,
    first_seen  timestamptz not null default remediator_now(),
    approved_at timestamptz,
    approved_by text
);

create table loop_leases (
    name   text primary key,
    owner  text not null,
    until  timestamptz not null
);
comment on table loop_leases is 'Loops that one replica at a time runs: memory, reconciliation.';
