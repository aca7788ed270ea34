-- Run once, as an administrator of the server:  psql -v ON_ERROR_STOP=1 -f deploy/database/users.sql postgres
-- Then give each a password:  psql -c '\password remediator_owner' postgres, and so on.
-- `remediator migrate` makes the tables as remediator_owner and grants the other two what they need of them.
create role remediator_owner login nosuperuser nocreatedb nocreaterole;
create role remediator login nosuperuser nocreatedb nocreaterole;
create role remediator_intake login nosuperuser nocreatedb nocreaterole;
-- Where you are no superuser, as on a managed PostgreSQL 16 or newer, also: grant remediator_owner to current_user;
create database remediator owner remediator_owner;
revoke connect, temporary on database remediator from public;
grant connect on database remediator to remediator, remediator_intake;
