"""The configured databases of applications, looked into by a role that can only read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, unquote, urlsplit

from remediator.clients.postgres import Session, address_in, session
from remediator.domain.target import Target
from remediator.errors import Permanent
from remediator.settings.databases import ApplicationDatabase

_MAY_CHANGE = """
with roles as (select rolname::text as g from pg_roles
               where rolname in ('pg_write_all_data', 'pg_write_server_files', 'pg_execute_server_program',
                                 'pg_signal_backend', 'pg_maintain', 'pg_checkpoint')
                 and pg_has_role(current_user, oid, 'member')),
     itself as (select r.*, r.rolname = current_user as own from pg_roles r
                where pg_has_role(current_user, r.oid, 'member')),
     can as (select own, rolname,
        case when rolsuper then 'is a superuser'
            when rolcreaterole then 'may make roles'
            when rolcreatedb then 'may make databases'
            when rolreplication then 'may replicate'
            when own and exists (select from roles) then 'is a member of ' || (select min(g) from roles)
            else (select 'may write to ' || c.oid::regclass::text
                  from pg_class c join pg_namespace n on n.oid = c.relnamespace
                  where (c.relkind in ('r', 'p', 'f')
                         or c.relkind = 'v' and pg_relation_is_updatable(c.oid, true) <> 0)
                    and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
                    and (has_table_privilege(itself.oid, c.oid, 'DELETE, TRUNCATE')
                         or has_any_column_privilege(itself.oid, c.oid, 'INSERT, UPDATE'))
                  limit 1) end as what
        from itself)
select case when own then what else 'may become ' || rolname || ', which ' || what end
from can where what is not null order by own desc, rolname limit 1"""
"""Its own rights, and those of every role that SET ROLE makes of it. A view counts where writing through it works."""


_AT_ONCE = 3
"""Connections to one database: what is full is not filled further, and what is silent not waited for nine times."""


def database_of(entry: ApplicationDatabase) -> str:
    """What PostgreSQL calls it, by its address alone: known while the server is down. Raises Permanent."""
    parts = urlsplit(address_in(entry.name, entry.dsn_file))
    asked = parse_qs(parts.query)
    found = (asked.get("dbname") or asked.get("database") or [unquote(parts.path.removeprefix("/"))])[0]
    if not found:
        raise Permanent(f"database {entry.name}: its address names no database")
    return found


class Databases:
    """What a look may be made into."""

    def __init__(self, configured: tuple[ApplicationDatabase, ...]) -> None:
        self.configured = configured
        self._turns = {each.name: asyncio.Semaphore(_AT_ONCE) for each in configured}

    def chosen(self, name: str | None, target: Target) -> ApplicationDatabase:
        """The one of this name; without a name the one that serves the target. Raises Permanent."""
        if name is not None:
            found = [each for each in self.configured if each.name == name]
            if not found:
                raise Permanent(f"there is no database {name} under databases in remediator.yml")
            return found[0]
        found = [each for each in self.configured if each.serves(target)]
        if not found:
            raise Permanent(f"no database in remediator.yml has {target} as its server or among its targets")
        if len(found) > 1:
            names = ", ".join(each.name for each in found)
            raise Permanent(f"{target} has several databases, and the rule names none: {names}")
        return found[0]

    @asynccontextmanager
    async def session(self, database: ApplicationDatabase) -> AsyncIterator[Session]:
        """A look into it. Raises as `postgres.session` does, and Permanent for a role that may change anything."""
        async with self._turns[database.name], session(database.name, database.dsn_file) as opened:
            why = await why_not_read_only(opened)
            if why is not None:
                raise Permanent(f"database {database.name} is not looked into: {why}")
            yield opened


async def why_not_read_only(opened: Session) -> str | None:
    """What the role of this session may do beside reading, as a sentence; None when nothing."""
    why = await opened.value(_MAY_CHANGE)
    return None if why is None else f"the role {opened.role} {why}, and this daemon only looks"
