-- At which version the schemas of watched applications were, and when.

create table schema_heads (
    id            bigint generated always as identity primary key,
    name          text not null,
    head          text not null,
    first_seen_at timestamptz not null default remediator_now(),
    last_seen_at  timestamptz not null default remediator_now()
);
create index schema_heads_of on schema_heads (name, id);
comment on table schema_heads is 'One row for each stretch in which a watched database was seen at the same head.';
comment on column schema_heads.name is 'The name of an entry of databases in the settings.';
