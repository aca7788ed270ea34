-- The audit: what was changed, agreed to and stopped, by whom and why. Written by the database itself, at the end of
-- the transaction that it tells of, so that no code, of this version or the one before, can act and leave it out.

create table audit (
    id      bigint generated always as identity primary key,
    chain   text not null check (chain ~ '^(daemon|run/[0-9]+)$'),
    place   bigint not null check (place > 0),
    at      timestamptz not null,
    kind    text not null check (kind ~ '^[a-z_]+$'),
    subject text not null check (subject !~ '[\n\r]'),
    record  text not null,
    hash    text not null,
    unique (chain, place)
);
create index audit_of_kind on audit (kind, subject, id);
comment on table audit is 'Only ever added to, by audit_append alone. One chain a run, and one for all that belongs to no run.';
comment on column audit.record is 'JSON, as text: exactly what was hashed.';
comment on column audit.hash is 'SHA-256 over the hash before it in its chain and everything in this row but the id.';

create table audit_heads (
    chain   text primary key,
    place   bigint not null,
    hash    text not null,
    printed bigint not null default 0
);
create index audit_heads_unprinted on audit_heads (chain) where printed < place;
comment on table audit_heads is 'How far each chain goes, so that a chain whose end was cut off is noticed.';
comment on column audit_heads.printed is 'Up to which place it has been written to standard output.';

create function audit_refuses() returns trigger language plpgsql as $$
begin
    raise exception '% is only ever added to', tg_table_name using errcode = 'insufficient_privilege';
end $$;
create trigger audit_only_grows before update or delete or truncate on audit
    for each statement execute function audit_refuses();
create trigger audit_heads_stay before delete or truncate on audit_heads
    for each statement execute function audit_refuses();

create function audit_append(of_chain text, of_kind text, of_subject text, of_record jsonb) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    head audit_heads;
    moment timestamptz;
begin
    -- The row of the head makes whoever appends to the same chain wait.
    insert into audit_heads as h (chain, place, hash) values (of_chain, 1, '')
        on conflict (chain) do update set place = h.place + 1 returning * into head;
    moment := remediator_now();
    head.hash := encode(sha256(convert_to(concat_ws(E'\n', head.hash, of_chain, head.place,
        to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), of_kind, of_subject, of_record::text),
        'UTF8')), 'hex');
    insert into audit (chain, place, at, kind, subject, record, hash)
        values (of_chain, head.place, moment, of_kind, of_subject, of_record::text, head.hash);
    update audit_heads set hash = head.hash where chain = of_chain;
end $$;

create function audit_printed(of_chain text, up_to bigint) returns void
language sql security definer set search_path = public, pg_temp as $$
    update audit_heads set printed = up_to where chain = of_chain and printed < up_to and up_to <= place
$$;

-- What is recorded of a row of each kind. The migration uses the same for what was there before it.

create function audit_intent(a attempts) returns void language sql security definer set search_path = public, pg_temp as $$
    select audit_append('run/' || a.run_id, 'intent', 'attempt/' || a.id, jsonb_build_object(
        'attempt', concat_ws('/', a.run_id, a.rung, a.action_index), 'action', a.action,
        'target', concat_ws('/', a.cluster, a.kind, a.namespace, a.name), 'uid', a.change->>'uid',
        'from', a.from_revision, 'to', a.to_revision, 'epoch', a.epoch,
        'change_sha256', encode(sha256(convert_to(a.change::text, 'UTF8')), 'hex'),
        'rule', a.rule, 'rule_digest', r.rule_digest, 'mode', r.mode,
        'because', case r.trigger->>'kind' when 'person' then r.trigger - 'at' else jsonb_build_object(
            'kind', 'alert', 'source', r.trigger->'source', 'fingerprint', r.trigger->'fingerprint') end,
        'approval', (select jsonb_build_object('request', q.id, 'digest', q.digest, 'yes',
                            (select coalesce(jsonb_agg(w.who order by w.who), '[]') from approval_answers w
                             where w.request_id = q.id and w.yes))
                     from approval_requests q where q.run_id = a.run_id and q.rung = a.rung
                       and q.used_at is not null order by q.id desc limit 1),
        'guards', (select coalesce(jsonb_object_agg(j.details->>'guard', j.details->>'answer'), '{}') from journal j
                   where j.run_id = a.run_id and j.kind = 'guard' and j.id > (
                       select max(i.id) from journal i where i.run_id = a.run_id and i.kind = 'intent'
                          and i.details->>'attempt' = concat_ws('/', a.run_id, a.rung, a.action_index)))))
    from runs r where r.id = a.run_id
$$;

create function audit_outcome(a attempts) returns void language sql security definer set search_path = public, pg_temp as $$
    select audit_append('run/' || a.run_id, 'outcome', 'attempt/' || a.id, jsonb_build_object(
        'attempt', concat_ws('/', a.run_id, a.rung, a.action_index), 'outcome', a.outcome, 'why', a.outcome_why,
        'target', concat_ws('/', a.cluster, a.kind, a.namespace, a.name), 'sends', a.sends))
$$;

create function audit_answer(w approval_answers) returns void language sql security definer set search_path = public, pg_temp as $$
    select audit_append('run/' || q.run_id, 'answer', 'answer/' || q.id || '/' || w.who, jsonb_build_object(
        'who', w.who, 'yes', w.yes, 'why', w.why, 'request', q.id, 'digest', q.digest, 'level', q.level,
        'recognised', w.principal->>'proof'))
    from approval_requests q where q.id = w.request_id
$$;

create function audit_pause(p pauses) returns void language sql security definer set search_path = public, pg_temp as $$
    select audit_append('daemon', 'pause', 'pause/' || p.id, jsonb_build_object(
        'kind', p.kind, 'name', p.name, 'scope', p.scope, 'value', p.value, 'source', p.source, 'who', p.who,
        'why', p.why, 'from', p.starts_at, 'until', p.until))
$$;

create function audit_resume(p pauses) returns void language sql security definer set search_path = public, pg_temp as $$
    select audit_append('daemon', 'resume', 'pause/' || p.id, jsonb_build_object(
        'name', p.name, 'scope', p.scope, 'value', p.value, 'who', p.cleared_by))
$$;

create function audit_asked(r runs) returns void language sql security definer set search_path = public, pg_temp as $$
    select audit_append('run/' || r.id, 'asked', 'run/' || r.id, jsonb_build_object(
        'who', r.trigger->'who', 'why', r.trigger->'why', 'undo_of', r.trigger->'undo_of', 'mode', r.mode,
        'rule', r.rule, 'rule_digest', r.rule_digest,
        'target', concat_ws('/', r.cluster, r.kind, r.namespace, r.name)))
$$;

create function audit_ended(r runs, before text) returns void language sql security definer set search_path = public, pg_temp as $$
    select audit_append('run/' || r.id, 'ended', 'run/' || r.id, jsonb_build_object(
        'from', before, 'to', r.state, 'why', r.why, 'rule', r.rule, 'mode', r.mode,
        'target', concat_ws('/', r.cluster, r.kind, r.namespace, r.name)))
$$;

create function audit_rule(v rule_versions) returns void language sql security definer set search_path = public, pg_temp as $$
    select audit_append('daemon', 'rule_approved', 'rule/' || v.digest, jsonb_build_object(
        'rule', v.rule, 'who', v.approved_by, 'inherits_from', v.inherits_from))
$$;

create function audit_demotion(d demotions) returns void language sql security definer set search_path = public, pg_temp as $$
    select audit_append('daemon', 'rule_demoted', 'demotion/' || d.id, jsonb_build_object(
        'rule', d.rule, 'mode', d.mode, 'why', d.why))
$$;

create function audit_breaker(b breaker_openings) returns void language sql security definer set search_path = public, pg_temp as $$
    select audit_append('daemon', case when b.closed_at is null then 'breaker_opened' else 'breaker_closed' end,
        'breaker/' || b.id, jsonb_build_object('target', concat_ws('/', b.cluster, b.kind, b.namespace, b.name),
            'who', b.closed_by, 'why', coalesce(b.closed_why, b.why), 'until', b.until))
$$;

-- Triggers, at the commit: the guards' answers stand in the journal by then, and no lock is taken after a chain's.

create function audit_row() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    case tg_argv[0]
        when 'intent' then perform audit_intent(new);
        when 'outcome' then perform audit_outcome(new);
        when 'answer' then perform audit_answer(new);
        when 'pause' then perform audit_pause(new);
        when 'resume' then perform audit_resume(new);
        when 'asked' then perform audit_asked(new);
        when 'ended' then perform audit_ended(new, old.state);
        when 'rule' then perform audit_rule(new);
        when 'demotion' then perform audit_demotion(new);
        when 'breaker' then perform audit_breaker(new);
    end case;
    return null;
end $$;

create constraint trigger audit_intents after insert on attempts
    deferrable initially deferred for each row execute function audit_row('intent');
create constraint trigger audit_outcomes after update of outcome on attempts
    deferrable initially deferred for each row
    when (new.outcome is not null and (new.outcome, new.outcome_why) is distinct from (old.outcome, old.outcome_why))
    execute function audit_row('outcome');
create constraint trigger audit_answers after insert or update on approval_answers
    deferrable initially deferred for each row execute function audit_row('answer');
create constraint trigger audit_pauses after insert on pauses
    deferrable initially deferred for each row execute function audit_row('pause');
create constraint trigger audit_resumes after update of cleared_at on pauses
    deferrable initially deferred for each row
    when (old.cleared_at is null and new.cleared_at is not null and new.cleared_by <> 'its time ran out')
    execute function audit_row('resume');
create constraint trigger audit_asked after insert on runs
    deferrable initially deferred for each row when (new.trigger->>'kind' = 'person')
    execute function audit_row('asked');
create constraint trigger audit_ends after update of state on runs
    deferrable initially deferred for each row
    when (new.mode <> 'shadow' and new.state <> old.state and new.ended_at is not null)
    execute function audit_row('ended');
create constraint trigger audit_rules after update of approved_at on rule_versions
    deferrable initially deferred for each row
    when (new.approved_at is not null and new.approved_at is distinct from old.approved_at)
    execute function audit_row('rule');
create constraint trigger audit_demotions after insert on demotions
    deferrable initially deferred for each row execute function audit_row('demotion');
create constraint trigger audit_breakers after insert on breaker_openings
    deferrable initially deferred for each row execute function audit_row('breaker');
create constraint trigger audit_breakers_closed after update of closed_at on breaker_openings
    deferrable initially deferred for each row when (old.closed_at is null and new.closed_at is not null)
    execute function audit_row('breaker');

-- What was there before: in its order, stamped with the time of this migration.
select audit_asked(r) from runs r where trigger->>'kind' = 'person' order by id;
select audit_intent(a) from attempts a order by id;
select audit_answer(w) from approval_answers w order by request_id, at;
select audit_outcome(a) from attempts a where outcome is not null order by id;
select audit_ended(r, null) from runs r where mode <> 'shadow' and ended_at is not null order by id;
select audit_pause(p) from pauses p order by id;
select audit_resume(p) from pauses p where cleared_at is not null and cleared_by <> 'its time ran out' order by id;
select audit_rule(v) from rule_versions v where approved_at is not null order by approved_at, digest;
select audit_demotion(d) from demotions d order by id;
select audit_breaker(b) from breaker_openings b order by id;

-- The daemon's own user adds to it by doing, and in no other way.
do $$
declare
    each record;
begin
    for each in select oid::regprocedure as signature from pg_proc
                where pronamespace = 'public'::regnamespace and proname like 'audit\_%' and proname <> 'audit_printed'
    loop
        execute format('revoke execute on function %s from public', each.signature);
    end loop;
    for each in select distinct acl.grantee::regrole as granted from pg_class c, aclexplode(c.relacl) acl
                where c.oid in ('audit'::regclass, 'audit_heads'::regclass)
                  and acl.grantee <> 0 and acl.grantee <> c.relowner
    loop
        execute format('revoke all on audit, audit_heads from %s', each.granted);
        execute format('grant select on audit, audit_heads to %s', each.granted);
    end loop;
end $$;
