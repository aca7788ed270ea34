-- A run is made by an alert or by a person; what is stored of either says which it is.

update runs set trigger = trigger || '{"kind": "alert"}' where not trigger ? 'kind';
alter table runs add constraint runs_trigger_kind check (coalesce(trigger->>'kind', '') in ('alert', 'person'));

-- A person may ask to undo what a run changed. That is a run as well, and may itself be undone.
create index runs_undoing on runs (((trigger->>'undo_of')::bigint)) where trigger->>'undo_of' is not null;

create function undone_by(undone bigint) returns bigint language plpgsql stable as $$
begin
    return (select u.id from runs u
            where (u.trigger->>'undo_of')::bigint = undone and undone_by(u.id) is null
              and exists (select 1 from attempts a where a.run_id = u.id and a.action = 'undo'
                            and a.outcome in ('applied', 'applied_then_changed', 'converged'))
            order by u.id desc limit 1);
end $$;
comment on function undone_by is 'The run that undid this one and is not undone itself; null while its changes stand.';
