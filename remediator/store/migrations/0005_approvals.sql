-- Requests for approval and what people answered.

create table approval_requests (
    id           bigint generated always as identity primary key,
    run_id       bigint not null references runs,
    rung         integer not null,
    digest       text not null,
    level        text not null check (level in ('G1', 'G2', 'G3')),
    people       integer not null check (people >= 1),
    asked        text[] not null,
    requester    text,
    requested_at timestamptz not null default remediator_now(),
    expires_at   timestamptz not null,
    used_at      timestamptz,
    closed_at    timestamptz,
    closed_why   text,
    check (used_at <= expires_at)
);
create unique index approval_requests_open on approval_requests (run_id) where closed_at is null;
create index approval_requests_of_run on approval_requests (run_id, id);
comment on column approval_requests.digest is 'Names the plan: target, from, to, rule, what the guards said, what is asked.';
comment on column approval_requests.people is 'How many different people have to say yes.';
comment on column approval_requests.requester is 'The person who started the run; null where an alert did.';
comment on column approval_requests.used_at is 'When the first change of the plan was intended: an approval is used once.';

create table approval_answers (
    request_id bigint not null references approval_requests,
    who        text not null,
    yes        boolean not null,
    why        text not null default '',
    at         timestamptz not null default remediator_now(),
    principal  jsonb not null,
    primary key (request_id, who)
);
comment on column approval_answers.principal is 'How they were recognised, to ask once more before the change whether they may approve.';
