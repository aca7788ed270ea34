alter table runs add column plan_again boolean not null default false;
comment on column runs.plan_again is 'It ended without a change, and a new plan may be allowed: its alerts are planned again.';
