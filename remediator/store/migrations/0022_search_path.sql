-- Without pg_temp at the end a caller's temporary tables are found before ours, with triggers that would run as the owner.

alter function forget_pod_owners set search_path = public, pg_temp;
alter function forget_config_hashes set search_path = public, pg_temp;
