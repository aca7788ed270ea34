-- Budgets look at the effects of the last minutes, and at those of runs that are not over.
create index attempts_slots on attempts (outcome_at);
drop index attempts_recent;
create index runs_not_over on runs (id) where ended_at is null or state = 'UNKNOWN';

-- Storms: too many targets began to fire at once for anybody to tell cause from effect.
alter table episodes add column acting boolean not null default false;
comment on column episodes.acting is 'A rule in mode ask or act matched it when it was planned.';
alter table episodes add column depends_on text[] not null default '{}';
create index episodes_newly_firing on episodes (opened_at) where acting;
create index episodes_unplanned on episodes (opened_at) where disposition is null and closed_at is null;
create index episodes_depending on episodes using gin (depends_on) where closed_at is null and depends_on <> '{}';

create table storms (
    id         bigint generated always as identity primary key,
    namespace  text,
    began_at   timestamptz not null default remediator_now(),
    reached_at timestamptz not null default remediator_now(),
    ends_at    timestamptz not null,
    ended_at   timestamptz,
    looks      integer not null default 0,
    looked_at  timestamptz,
    told_at    timestamptz,
    evidence   jsonb,
    offered    text,
    offer      text
);
create unique index storms_in_force on storms (coalesce(namespace, '')) where ended_at is null;
comment on table storms is 'One row for each time in which nothing acts; without a namespace it is everywhere.';
comment on column storms.reached_at is 'When the threshold was last reached; the cool-down counts from there.';
comment on column storms.offered is 'The one target that a person may let be changed in the storm, and why that one.';
