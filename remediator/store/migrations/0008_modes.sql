-- Which version of a rule may act and why, and which rules are effectively disarmed.

alter table rule_versions
    add column content         jsonb,
    add column loaded_at       timestamptz,
    add column probation_since timestamptz,
    add column inherits_from   text references rule_versions;
comment on column rule_versions.content is 'The whole rule, with the entries of targets that can apply to it.';
comment on column rule_versions.probation_since is
    'Since when it has been loaded in shadow or above; taken away while it is not and its probation is not over.';
comment on column rule_versions.inherits_from is 'The version whose standing it took over, because it only narrows it.';
create index rule_versions_of on rule_versions (rule, loaded_at desc);

create table demotions (
    id         bigint generated always as identity primary key,
    rule       text not null,
    mode       text not null check (mode in ('ask', 'shadow')),
    why        text not null,
    demoted_at timestamptz not null default remediator_now()
);
create index demotions_of on demotions (rule, id desc);
comment on table demotions is 'Rules that failed too often; each holds until a person approves the rule after it.';

create table rule_modes (
    rule       text primary key,
    configured text not null,
    effective  text not null,
    why        text not null,
    changed_at timestamptz not null default remediator_now()
);
comment on table rule_modes is 'The mode of each rule as people were last told.';

create table breaker_openings (
    id         bigint generated always as identity primary key,
    cluster    text not null,
    kind       text not null,
    namespace  text not null,
    name       text not null,
    opened_at  timestamptz not null default remediator_now(),
    until      timestamptz not null,
    why        text not null,
    rules      text[] not null,
    closed_at  timestamptz,
    closed_by  text,
    closed_why text
);
create index breaker_openings_of on breaker_openings (cluster, kind, namespace, name, id desc);
comment on table breaker_openings is 'Targets left to people, because what was tried there failed.';
comment on column breaker_openings.rules is 'The rules whose runs failed there.';
create index runs_ended on runs (ended_at) where state in ('RESOLVED', 'ESCALATED');
