-- What the two users that do not own the tables need of them, and nobody else. Run after every migration, by the owner.
-- A user that is not there is given nothing; the owner has everything already.
do $$
declare
    each record;
    executor boolean := to_regrole('remediator') is not null and current_user <> 'remediator';
    intake boolean := to_regrole('remediator_intake') is not null and current_user <> 'remediator_intake';
begin
    -- A temporary table could be taken for one of ours. Only the database's owner may take that right from all.
    if pg_has_role((select datdba from pg_database where datname = current_database()), 'usage') then
        execute format('revoke temporary on database %I from public', current_database());
    end if;
    -- What runs as the owner, to let go of old rows, is the executor's alone, also where that is the owner itself.
    -- Triggers ask nobody for a right.
    for each in select p.oid::regprocedure as signature from pg_proc p
                where p.pronamespace = 'public'::regnamespace and p.prosecdef
                  and p.prorettype <> 'trigger'::regtype and (p.proname not like 'audit\_%' or p.proname = 'audit_printed')
    loop
        execute format('revoke execute on function %s from public', each.signature);
        if executor then
            execute format('grant execute on function %s to remediator', each.signature);
        end if;
    end loop;
    if executor then
        grant select, insert, update on all tables in schema public to remediator;
        grant usage on all sequences in schema public to remediator;
        -- The audit is written by triggers, the ledger of migrations by whoever migrates.
        revoke insert, update on audit, audit_heads, migrations from remediator;
    end if;
    if intake then
        grant insert on notices, quarantine, backfills to remediator_intake;
        -- An alert that comes again is an INSERT with ON CONFLICT DO UPDATE: PostgreSQL asks for SELECT on the column
        -- that conflicts and on those that are read again, and for UPDATE on those that are set.
        grant select (delivery_key, deliveries, last_received_at, xmax) on notices to remediator_intake;
        grant update (last_received_at, read_at, deliveries) on notices to remediator_intake;
        -- A group that was cut short is noted once while it waits.
        grant select (source, group_key, tries, done_at) on backfills to remediator_intake;
        -- Is the schema this program's?
        grant select on migrations to remediator_intake;
    end if;
end $$;
