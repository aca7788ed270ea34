alter table runs add column rung_since timestamptz not null default remediator_now();
update runs set rung_since = created_at where rung = 0;
comment on column runs.rung_since is 'When its current rung began, so that the next one is waited for as long as the first.';

alter table rule_versions add column seen_at timestamptz;
comment on column rule_versions.seen_at is 'When a daemon last looked at alerts with it, while it was on probation.';
