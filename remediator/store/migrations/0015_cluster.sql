-- Which cluster this database belongs to. The newest row holds; the others tell of those before it.

create table cluster_bindings (
    id       bigint generated always as identity primary key,
    uid      text not null,
    name     text not null,
    who      text not null,
    why      text not null,
    bound_at timestamptz not null default remediator_now()
);
comment on table cluster_bindings is 'The uid of kube-system is the identity of a cluster; a copy of this database elsewhere finds another.';

create function audit_cluster() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform audit_append('daemon', 'cluster_bound', 'cluster/' || new.id, jsonb_build_object(
        'uid', new.uid, 'name', new.name, 'who', new.who, 'why', new.why));
    return null;
end $$;
revoke execute on function audit_cluster() from public;
create constraint trigger audit_clusters after insert on cluster_bindings
    deferrable initially deferred for each row execute function audit_cluster();
