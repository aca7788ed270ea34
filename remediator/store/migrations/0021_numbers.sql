-- The numbers of the dashboard are asked every quarter of a minute: what ended lately is found without reading all.

create index episodes_closed on episodes (closed_at) where closed_at is not null and incident_id is not null;
create index runs_acted on runs (ended_at) where mode <> 'shadow' and state in ('RESOLVED', 'ESCALATED');
