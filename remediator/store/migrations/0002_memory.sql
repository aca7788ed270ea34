-- What the memory learns beside tenures: whose a pod was, and what ConfigMaps held.

create table pod_owners (
    cluster       text not null,
    namespace     text not null,
    pod           text not null,
    pod_uid       text not null,
    kind          text not null,
    name          text not null,
    uid           text not null,
    first_seen_at timestamptz not null default remediator_now(),
    last_seen_at  timestamptz not null default remediator_now(),
    primary key (cluster, namespace, pod)
);
comment on table pod_owners is 'Whose a pod was, also one that is gone: an alert may name it long after.';
comment on column pod_owners.kind is 'In lower case, of the topmost owner: a Deployment, not its ReplicaSet.';

create table config_hashes (
    id            bigint generated always as identity primary key,
    cluster       text not null,
    namespace     text not null,
    name          text not null,
    hash          text not null,
    first_seen_at timestamptz not null default remediator_now(),
    last_seen_at  timestamptz not null default remediator_now(),
    ended_at      timestamptz
);
create unique index config_hashes_current on config_hashes (cluster, namespace, name) where ended_at is null;
create index config_hashes_of on config_hashes (cluster, namespace, name, id);
comment on table config_hashes is 'What a ConfigMap held when: a hash of its content, never the content.';

-- Every look updates the rows of what is current; room in each page keeps indexes out of it.
alter table tenures set (fillfactor = 70);
alter table pod_owners set (fillfactor = 70);
