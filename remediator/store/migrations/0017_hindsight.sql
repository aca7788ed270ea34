-- What shadow reports ask of the memory: when a workload was restarted, and when nobody looked.

alter table tenures
    add column watched_since timestamptz,
    add column watched_until timestamptz,
    add column restart_stamp text,
    add column restarts      timestamptz[] not null default '{}',
    add column unseen        tstzrange[] not null default '{}';
comment on column tenures.watched_since is
    'Since when restarts and times without a look are kept of it; null where only the version before looked.';
comment on column tenures.watched_until is
    'The last look that kept them; the version before moves only last_seen_at, and its looks tell of no restart.';
comment on column tenures.restart_stamp is 'Hash of the restart annotation of its template at the last look; empty for none.';
comment on column tenures.restarts is 'The looks that found another restart annotation than the look before.';
comment on column tenures.unseen is 'Times between two looks that were too long to know what happened in them.';

create index runs_shadowed on runs (ended_at) where state = 'SHADOWED';
