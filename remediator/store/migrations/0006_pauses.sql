-- Freezes beside pauses, names, and where a request to stand still came from.

alter table pauses
    add column kind      text not null default 'pause' check (kind in ('pause', 'freeze')),
    add column name      text,
    add column source    text not null default 'request' check (source in ('request', 'annotation', 'file')),
    add column starts_at timestamptz not null default remediator_now(),
    add column seen_at   timestamptz;
update pauses set name = 'pause-' || id, starts_at = created_at;
alter table pauses alter column name set not null;

create unique index pauses_open_name on pauses (name) where cleared_at is null;
create unique index pauses_open_switch on pauses (source, scope, value)
    where cleared_at is null and source <> 'request';

alter table attempts add column sent_at timestamptz;
comment on column attempts.sent_at is 'When it was last decided to send it, read under the gate of intents.';

comment on table pauses is 'Requests to stand still: pauses begin at once, freezes are planned. Only people end one.';
comment on column pauses.source is 'A request through the API, or what was seen in the cluster or beside a daemon.';
comment on column pauses.seen_at is 'When a replica last saw the file that this pause was made from.';
