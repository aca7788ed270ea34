-- Budgets look at the effects of the last minutes, and at those of runs that are not over.
create index attempts_slots on attempts (outcome_at);
drop index attempts_recent;
create index runs_not_over on runs (id) where ended_at is null or state = 'UNKNOWN';
